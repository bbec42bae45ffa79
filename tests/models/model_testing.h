// SPDX-License-Identifier: Apache-2.0
// What the model tests share: small configurations of both layouts with odd sizes, models with
// random weights, and the golden files of scripts/golden/models_golden.py.
#pragma once

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/safetensors.h"
#include "models/transformer.h"
#include "nn/parameter_store.h"
#include "source_dir.h"

namespace ingot::testing {

inline models::TransformerConfig small_config(models::ModelLayout layout, bool tied,
                                              int64_t context) {
  models::TransformerConfig c;
  c.layout = layout;
  c.vocab = 97;
  c.context = context;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = layout == models::ModelLayout::kLlama ? 2 : 0;
  c.dim = layout == models::ModelLayout::kLlama ? 40 : 36;
  c.hidden = 53;
  c.init_std = 0.2F;  // wide enough that attention and logits are far from flat
  c.tie_embeddings = tied;
  return c;
}

inline std::vector<int32_t> random_ids(int64_t n, uint32_t seed, int32_t vocab = 97) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(static_cast<size_t>(n));
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<uint32_t>(vocab));
  return ids;
}

inline std::string golden_path(const std::string& model, const std::string& file = "") {
  return std::string(INGOT_SOURCE_DIR) + "/tests/golden/models/" + model +
         (file.empty() ? "" : "/" + file);
}

/// golden.safetensors of a model.
class Golden {
 public:
  explicit Golden(const std::string& model) : file_(golden_path(model, "golden.safetensors")) {}

  template <class T>
  [[nodiscard]] std::vector<T> values(const std::string& name) const {
    const auto bytes = file_.bytes(file_.at(name));
    std::vector<T> v(bytes.size() / sizeof(T));
    std::memcpy(v.data(), bytes.data(), bytes.size());
    return v;
  }
  [[nodiscard]] Tensor tensor(Engine& engine, const std::string& name) const {
    const io::TensorInfo& info = file_.at(name);
    return Tensor::from_bytes(engine, file_.bytes(info), info.shape, info.dtype);
  }

 private:
  io::Safetensors file_;
};

/// |got - want| <= tolerance * largest |want| everywhere.
inline void expect_near_max(const std::vector<float>& got, const std::vector<float>& want,
                            double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  double largest = 0.0;
  for (const float w : want) largest = std::max(largest, std::abs(static_cast<double>(w)));
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i]), tolerance * largest)
        << "element " << i;
  }
}

/// Gradient of any parameter after finish_step, dense.
inline std::vector<float> dense_grad(const Tape& tape, const nn::ParameterStore& store,
                                     const nn::StoredParameter& p) {
  if (!p.parameter->row_sparse) return store.grad(p).to_vector<float>();
  const SparseGrad& g = tape.sparse_grad(p.parameter->value.slot);
  const int64_t count = g.count.to_vector<int64_t>()[0], cols = p.parameter->shape[1];
  const std::vector<int64_t> ids = g.unique_ids.to_vector<int64_t>();
  const std::vector<float> rows = g.rows.to_vector<float>();
  std::vector<float> dense(static_cast<size_t>(p.parameter->shape.size()), 0.0F);
  for (int64_t u = 0; u < count; ++u) {
    std::copy_n(rows.begin() + u * cols, cols, dense.begin() + ids[static_cast<size_t>(u)] * cols);
  }
  return dense;
}

}  // namespace ingot::testing
