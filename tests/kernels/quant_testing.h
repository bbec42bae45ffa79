// SPDX-License-Identifier: Apache-2.0
// What quant_test.cpp and quant_matmul_test.cpp share: aligned bytes, seeded weights, one call each
// to quantise and to multiply, and the instruction sets this processor can be tested on.
// Not a truth: that is kernels/reference/quant.h.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "base/team.h"
#include "kernel_testing.h"
#include "kernels/cpu/quant_dot.h"
#include "kernels/quant.h"
#include "kernels/quant_matmul.h"
#include "kernels/reference/quant.h"

namespace ingot::kernels::testing {

inline constexpr int64_t kSizesK[] = {1, 31, 32, 33, 100};
inline constexpr int64_t kSizesN[] = {1, 7, 8, 9, 64};
inline constexpr QuantFormat kFormats[] = {QuantFormat::kQ8, QuantFormat::kQ4};

// 64-byte aligned bytes, filled with 0xCD so that reading what was never written shows.
class Bytes {
 public:
  explicit Bytes(int64_t size) : size_(size) {
    const size_t room = static_cast<size_t>((size + 127) / 64 * 64);
    data_.reset(static_cast<uint8_t*>(std::aligned_alloc(64, room)));
    std::memset(data_.get(), 0xCD, room);
  }
  [[nodiscard]] uint8_t* data() const { return data_.get(); }
  [[nodiscard]] int64_t size() const { return size_; }
  bool operator==(const Bytes& other) const {
    return size_ == other.size_ &&
           std::memcmp(data(), other.data(), static_cast<size_t>(size_)) == 0;
  }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  int64_t size_;
  std::unique_ptr<uint8_t, Free> data_;
};

inline std::vector<float> normals(int64_t count, float deviation, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> out(static_cast<size_t>(count));
  for (float& v : out) v = normal(engine);
  return out;
}

inline Bytes quantized(QuantFormat format, const std::vector<float>& w, int64_t n, int64_t k,
                       Team& team, const float* importance = nullptr) {
  Bytes out(quant_matrix_bytes(format, n, k));
  QuantizeArgs args;
  args.weights = w.data();
  args.importance = importance;
  args.quantized = out.data();
  args.out_features = n;
  args.in_features = k;
  args.row_stride = k;
  args.format = format;
  quantize(args, team);
  return out;
}

inline Bytes quantized(QuantFormat format, const std::vector<float>& w, int64_t n, int64_t k) {
  Team team(1);
  return quantized(format, w, n, k, team);
}

struct Product {
  QuantFormat format;
  int64_t m;
  int64_t n;
  int64_t k;
};

// y [m, n] on one instruction set.
inline std::vector<float> product(const Product& p, const std::vector<float>& x, const Bytes& w,
                                  Team& team, detail::QuantIsa isa = detail::best_quant_isa(),
                                  const float* bias = nullptr,
                                  Activation activation = Activation::kNone) {
  Bytes scratch(quant_matmul_scratch_bytes(p.m, p.k));
  std::vector<float> y(static_cast<size_t>(p.m * p.n), -77.0F);
  QuantMatmulArgs args;
  args.x = x.data();
  args.weights = w.data();
  args.bias = bias;
  args.y = y.data();
  args.activations = scratch.data();
  args.rows = p.m;
  args.out_features = p.n;
  args.in_features = p.k;
  args.x_stride = p.k;
  args.y_stride = p.n;
  args.format = p.format;
  args.activation = activation;
  detail::quant_matmul_on(args, team, isa);
  return y;
}

inline std::vector<detail::QuantIsa> instruction_sets() {
  std::vector<detail::QuantIsa> all;
  for (int32_t i = 0; i <= static_cast<int32_t>(detail::best_quant_isa()); ++i) {
    all.push_back(static_cast<detail::QuantIsa>(i));
  }
  return all;
}

inline float weight(QuantFormat format, const Bytes& w, int64_t k, int64_t row, int64_t at) {
  return static_cast<float>(reference::quant_weight(format, w.data(), k, row, at));
}

}  // namespace ingot::kernels::testing
