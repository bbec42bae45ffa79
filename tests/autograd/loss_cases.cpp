// SPDX-License-Identifier: Apache-2.0
// Samples of the losses. A target is an input without a gradient; ignored ones are among them.
#include <cmath>

#include "autograd/op_cases.h"
#include "autograd/ops/loss.h"
#include "kernels/reference/loss.h"

namespace ingot::testing {
namespace {

struct Case {
  const char* what;
  int64_t rows, classes;
  DType dtype = DType::kI32;
  float smoothing = 0.0F;
  int ignored = 0;    // every n-th target, 0: none
  int64_t count = 0;  // given divisor, 0: counted
  int64_t ignore_index = -100;
  View view = View::kDense;
  int64_t in = 3;  // of the fused head
};

const Case kCases[] = {
    {"no rows", 0, 3},
    {"one element", 1, 1},
    {"odd", 5, 7},
    {"int64", 5, 7, DType::kI64},
    {"some ignored", 7, 5, DType::kI32, 0.0F, 3},
    {"all ignored", 4, 5, DType::kI64, 0.0F, 1},
    {"ignore index -1", 7, 5, DType::kI32, 0.0F, 2, 0, -1},
    {"smoothing", 5, 7, DType::kI32, 0.125F, 3},
    {"given count", 5, 7, DType::kI32, 0.0F, 4, 13},
    {"transposed", 5, 7, DType::kI32, 0.0F, 0, 0, -100, View::kTransposed},
    {"sliced", 5, 7, DType::kI64, 0.125F, 3, 0, -100, View::kSliced},
    {"large", 331, 701, DType::kI32, 0.0F, 7},
    {"large in two chunks", 151, 40009, DType::kI32, 0.0F, 7, 0, -100, View::kDense, 5}};

Doubles targets_of(const Case& c) {
  Doubles t = whole(c.rows, 5000, c.classes);
  for (size_t i = 0; i < t.size(); ++i) {
    if (c.ignored > 0 && (i + 1) % static_cast<size_t>(c.ignored) == 0) {
      t[i] = static_cast<double>(c.ignore_index);
    }
  }
  return t;
}

Doubles truth_of(const Case& c, const Doubles& logits) {
  const Doubles targets = targets_of(c);
  const std::vector<int64_t> ids(targets.begin(), targets.end());
  Doubles row_loss(ids.size());
  kernels::reference::cross_entropy(
      {c.rows, c.classes, c.ignore_index, static_cast<double>(c.smoothing)}, logits.data(),
      ids.data(), row_loss.data());
  double sum = 0.0;
  int64_t counted = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    sum += row_loss[i];
    counted += ids[i] != c.ignore_index ? 1 : 0;
  }
  const int64_t divisor = c.count > 0 ? c.count : counted;
  return {divisor > 0 ? sum / static_cast<double>(divisor) : 0.0};
}

/// Options with the count as the last of the inputs.
ops::CrossEntropyOptions options_of(const Case& c, const std::vector<Tensor>& t) {
  ops::CrossEntropyOptions o;
  o.ignore_index = c.ignore_index;
  o.label_smoothing = c.smoothing;
  if (c.count > 0) o.count = t.back();
  return o;
}

void add_targets(const Case& c, Sample& s) {
  s.inputs.push_back({{c.rows}, targets_of(c), c.dtype});
  if (c.count > 0) s.inputs.push_back({{}, {static_cast<double>(c.count)}, DType::kI64});
  s.is_large = s.what.starts_with("large");
  s.tolerance = 4e-6;
}

Sample cross_entropy_sample(const Case& c) {
  Sample s;
  s.op = "cross_entropy";
  s.what = c.what;
  s.inputs = {input({c.rows, c.classes}, 5001, c.view, 1, -4.0, 4.0)};
  add_targets(c, s);
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::cross_entropy(t[0], t[1], options_of(c, t));
  };
  s.truth = [c](const std::vector<Doubles>& in) { return truth_of(c, in[0]); };
  return s;
}

Sample fused_sample(const Case& c) {
  Sample s;
  s.op = "linear_cross_entropy";
  s.what = c.what;
  s.inputs = {input({c.rows, c.in}, 5002, c.view, 1), input({c.classes, c.in}, 5003)};
  add_targets(c, s);
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::linear_cross_entropy(t[0], t[1], t[2], options_of(c, t));
  };
  s.truth = [c](const std::vector<Doubles>& in) {
    Doubles logits;
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t k = 0; k < c.classes; ++k) {
        double sum = 0.0;
        for (int64_t i = 0; i < c.in; ++i) {
          sum +=
              in[0][static_cast<size_t>(r * c.in + i)] * in[1][static_cast<size_t>(k * c.in + i)];
        }
        logits.push_back(sum);
      }
    }
    return truth_of(c, logits);
  };
  return s;
}

void add_pairs(std::vector<Sample>& samples) {
  struct Geometry {
    const char* what;
    Shape shape;
    View view = View::kDense;
  };
  const Geometry geometries[] = {{"one element", {}},
                                 {"odd", {3, 17}},
                                 {"transposed", {5, 7}, View::kTransposed},
                                 {"sliced", {5, 7}, View::kSliced},
                                 {"large", {300007}}};
  for (const kernels::PairLoss loss :
       {kernels::PairLoss::kMse, kernels::PairLoss::kBceWithLogits}) {
    const bool is_mse = loss == kernels::PairLoss::kMse;
    for (const Geometry& g : geometries) {
      Sample s;
      s.op = is_mse ? "mse" : "bce_with_logits";
      s.what = g.what;
      s.inputs = {input(g.shape, 5100, g.view, 1), input(g.shape, 5101, g.view, 1, 0.0, 1.0)};
      s.inputs[1].has_grad = false;
      s.run = [is_mse](const std::vector<Tensor>& t) {
        return is_mse ? ops::mse(t[0], t[1]) : ops::bce_with_logits(t[0], t[1]);
      };
      s.truth = [loss](const std::vector<Doubles>& in) {
        double sum = 0.0;
        for (size_t i = 0; i < in[0].size(); ++i) {
          sum += kernels::reference::pair_loss_value(loss, in[0][i], in[1][i]);
        }
        return Doubles{sum / static_cast<double>(in[0].size())};
      };
      s.is_large = g.shape.size() > 1000;
      samples.push_back(std::move(s));
    }
  }
}

}  // namespace

void add_loss_cases(std::vector<Sample>& samples) {
  for (const Case& c : kCases) {
    if (std::string(c.what) != "large in two chunks") samples.push_back(cross_entropy_sample(c));
    samples.push_back(fused_sample(c));
  }
  add_pairs(samples);
}

}  // namespace ingot::testing
