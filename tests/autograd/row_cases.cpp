// SPDX-License-Identifier: Apache-2.0
// Samples of the ops over the last axis: softmax, norms, dropout, rotary positions.
#include <cmath>

#include "autograd/op_cases.h"
#include "autograd/ops/norm.h"
#include "kernels/reference/dropout.h"
#include "kernels/reference/norm.h"
#include "kernels/reference/rope.h"
#include "kernels/reference/softmax.h"

namespace ingot::testing {
namespace {

namespace ref = kernels::reference;

struct Geometry {
  const char* what;
  Shape shape;
  View view = View::kDense;
};

const Geometry kGeometries[] = {{"empty", {0, 4}},
                                {"one element", {1}},
                                {"one column", {5, 1}},
                                {"odd", {3, 17}},
                                {"rank 3", {2, 3, 9}},
                                {"transposed", {7, 5}, View::kTransposed},
                                {"sliced", {3, 2, 6}, View::kSliced},
                                {"large", {1501, 173}}};

int64_t columns(const Shape& s) { return s[s.rank() - 1]; }
int64_t rows(const Shape& s) { return s.size(0, s.rank() - 1); }

void add_softmax(std::vector<Sample>& samples, bool is_log) {
  uint32_t seed = 1000;
  for (const Geometry& g : kGeometries) {
    Sample s;
    s.op = is_log ? "log_softmax" : "softmax";
    s.what = g.what;
    s.inputs = {input(g.shape, seed++, g.view, g.shape.rank() - 1, -6.0, 6.0)};
    s.run = [is_log](const std::vector<Tensor>& t) {
      return is_log ? ops::log_softmax(t[0]) : ops::softmax(t[0]);
    };
    s.truth = [is_log, shape = g.shape](const std::vector<Doubles>& in) {
      Doubles y(in[0].size());
      ref::softmax(is_log, rows(shape), columns(shape), in[0].data(), y.data());
      return y;
    };
    s.is_large = g.shape.size() > 1000;
    samples.push_back(std::move(s));
  }
}

/// `parameters`: 0 none, 1 weight, 2 weight and bias, 3 bias alone.
void add_norm(std::vector<Sample>& samples, bool is_rms, int parameters) {
  constexpr float kEps = 1e-3F;  // large enough to be seen
  const bool has_weight = parameters == 1 || parameters == 2, has_bias = parameters >= 2;
  uint32_t seed = 1100;
  for (const Geometry& g : kGeometries) {
    Sample s;
    s.op = is_rms ? "rms_norm" : "layer_norm";
    s.what = std::string(g.what) + ", parameters " + std::to_string(parameters);
    s.inputs = {input(g.shape, seed++, g.view, g.shape.rank() - 1)};
    if (has_weight) s.inputs.push_back(input({columns(g.shape)}, seed++));
    if (has_bias) s.inputs.push_back(input({columns(g.shape)}, seed++));
    s.run = [is_rms, has_weight, has_bias](const std::vector<Tensor>& t) {
      const Tensor weight = has_weight ? t[1] : Tensor();
      if (is_rms) return ops::rms_norm(t[0], weight, kEps);
      return ops::layer_norm(t[0], weight, has_bias ? t.back() : Tensor(), kEps);
    };
    s.truth = [is_rms, has_weight, has_bias, shape = g.shape](const std::vector<Doubles>& in) {
      Doubles y(in[0].size());
      ref::norm({is_rms, rows(shape), columns(shape), static_cast<double>(kEps)}, in[0].data(),
                has_weight ? in[1].data() : nullptr, has_bias ? in.back().data() : nullptr,
                y.data());
      return y;
    };
    s.tolerance = 4e-6;  // a mean, a variance and a reciprocal root, each rounded
    s.is_large = g.shape.size() > 1000;
    samples.push_back(std::move(s));
  }
}

void add_dropout(std::vector<Sample>& samples) {
  const Geometry geometries[] = {{"empty", {0}},
                                 {"one element", {1}},
                                 {"odd", {3, 67}},
                                 {"transposed", {7, 5}, View::kTransposed},
                                 {"large", {300007}}};
  for (const float p : {0.0F, 0.1F, 0.625F}) {
    for (const Geometry& g : geometries) {
      Sample s;
      s.op = "dropout";
      s.what = std::string(g.what) + ", p " + std::to_string(p);
      s.inputs = {input(g.shape, 1300, g.view)};
      s.run = [p](const std::vector<Tensor>& t) { return ops::dropout(t[0], p); };
      s.truth = [p](const std::vector<Doubles>& in) {
        Doubles y(in[0].size());
        const ref::DropoutKey key{EngineOptions().seed, 0, 0, static_cast<double>(p)};
        ref::dropout(key, static_cast<int64_t>(y.size()), in[0].data(), y.data());
        return p == 0.0F ? in[0] : y;
      };
      s.is_large = g.shape.size() > 1000;
      samples.push_back(std::move(s));
    }
  }
}

struct RopeCase {
  const char* what;
  Shape shape;  // [batch, seq, heads, head_dim]
  int64_t rotary_dim;
  bool is_interleaved, has_positions;
  View view = View::kDense;
};

void add_rope(std::vector<Sample>& samples) {
  const RopeCase cases[] = {{"empty", {0, 3, 2, 4}, 4, false, false},
                            {"one pair", {1, 1, 1, 2}, 2, false, false},
                            {"halves", {2, 5, 3, 6}, 6, false, false},
                            {"neighbours", {2, 5, 3, 6}, 6, true, false},
                            {"part of the head", {2, 3, 1, 9}, 4, false, true},
                            {"positions", {2, 5, 2, 8}, 8, false, true},
                            {"sliced heads", {2, 5, 2, 8}, 8, false, true, View::kSliced},
                            {"large", {3, 90, 9, 70}, 70, false, true}};
  constexpr int64_t kMaxPos = 97;
  constexpr double kTheta = 1000.0;
  for (const RopeCase& c : cases) {
    Sample s;
    s.op = "rope";
    s.what = c.what;
    s.inputs = {input(c.shape, 1400, c.view, 2)};
    const int64_t tokens = c.shape[0] * c.shape[1];
    const Doubles positions = whole(tokens, 1401, kMaxPos);
    if (c.has_positions) s.inputs.push_back({{tokens}, positions, DType::kI32});
    const int64_t half = c.rotary_dim / 2;
    Doubles cos, sin;
    for (int64_t p = 0; p < kMaxPos; ++p) {
      for (int64_t i = 0; i < half; ++i) {
        const double angle =
            static_cast<double>(p) *
            std::pow(kTheta, -2.0 * static_cast<double>(i) / static_cast<double>(c.rotary_dim));
        cos.push_back(std::cos(angle));
        sin.push_back(std::sin(angle));
      }
    }
    const size_t at = s.inputs.size();
    s.inputs.push_back({{kMaxPos, half}, cos, DType::kF32, View::kDense, 0, false});
    s.inputs.push_back({{kMaxPos, half}, sin, DType::kF32, View::kDense, 0, false});
    s.run = [c, at](const std::vector<Tensor>& t) {
      return ops::rope(t[0], t[at], t[at + 1], c.has_positions ? t[1] : Tensor(), c.is_interleaved);
    };
    s.truth = [c, positions](const std::vector<Doubles>& in) {
      const ref::RopeShape shape{
          c.shape[0],
          c.shape[1],
          c.shape[2],
          c.shape[3],
          c.rotary_dim,
          kTheta,
          c.is_interleaved ? kernels::RopeStyle::kInterleaved : kernels::RopeStyle::kHalf,
          false};
      const std::vector<int32_t> where(positions.begin(), positions.end());
      Doubles y(in[0].size());
      ref::rope(shape, c.has_positions ? where.data() : nullptr, in[0].data(), y.data());
      return y;
    };
    s.is_large = c.shape.size() > 1000;
    samples.push_back(std::move(s));
  }
}

}  // namespace

void add_row_cases(std::vector<Sample>& samples) {
  add_softmax(samples, false);
  add_softmax(samples, true);
  for (const int parameters : {0, 1, 2, 3}) add_norm(samples, false, parameters);
  for (const int parameters : {0, 1}) add_norm(samples, true, parameters);
  add_dropout(samples);
  add_rope(samples);
}

}  // namespace ingot::testing
