// SPDX-License-Identifier: Apache-2.0
// Samples of cross entropy, plain and fused. A target is an input without a gradient; ignored ones
// are among them.
#include "autograd/loss_cases.h"

#include <cmath>

#include "autograd/ops/loss.h"
#include "kernels/reference/loss.h"

namespace ingot::testing {
namespace {

struct LossCase {
  const char* what;
  int64_t rows, classes;
  DType dtype = DType::kI32;
  float smoothing = 0.0F;
  int ignored = 0;    // every n-th target, 0: none
  int64_t count = 0;  // given divisor, 0: counted
  int64_t ignore_index = -100;
  View view = View::kDense;
  int64_t in = 3;  // of the fused head
  bool class_weights = false;
  bool weights = false;
  bool float_count = false;  // count / 2 as float32
};

const LossCase kLossCases[] = {
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
    {.what = "class weights", .rows = 7, .classes = 5, .ignored = 3, .class_weights = true},
    {.what = "row weights", .rows = 7, .classes = 5, .ignored = 3, .weights = true},
    {.what = "all weights, smoothing and count",
     .rows = 7,
     .classes = 5,
     .dtype = DType::kI64,
     .smoothing = 0.25F,
     .ignored = 4,
     .count = 9,
     .class_weights = true,
     .weights = true,
     .float_count = true},
    {"large", 331, 701, DType::kI32, 0.0F, 7},
    {.what = "large with weights",
     .rows = 331,
     .classes = 701,
     .smoothing = 0.125F,
     .ignored = 7,
     .class_weights = true,
     .weights = true},
    {"large in two chunks", 151, 40009, DType::kI32, 0.0F, 7, 0, -100, View::kDense, 5}};

Doubles loss_targets_of(const LossCase& c) {
  Doubles t = whole(c.rows, 5000, c.classes);
  for (size_t i = 0; i < t.size(); ++i) {
    if (c.ignored > 0 && (i + 1) % static_cast<size_t>(c.ignored) == 0) {
      t[i] = static_cast<double>(c.ignore_index);
    }
  }
  return t;
}

Doubles class_weights_of(const LossCase& c) { return uniform(c.classes, 5004, 0.25, 4.0); }

/// Every third weight is 0.
Doubles weights_of(const LossCase& c) {
  Doubles w = uniform(c.rows, 5005, 0.25, 4.0);
  for (size_t i = 0; i < w.size(); i += 3) w[i] = 0.0;
  return w;
}

Doubles truth_of(const LossCase& c, const Doubles& logits) {
  const Doubles targets = loss_targets_of(c), class_weights = class_weights_of(c);
  const Doubles weights = weights_of(c);
  const std::vector<int64_t> ids(targets.begin(), targets.end());
  Doubles row_loss(ids.size());
  kernels::reference::CrossEntropyShape shape{c.rows, c.classes, c.ignore_index,
                                              static_cast<double>(c.smoothing), nullptr};
  if (c.class_weights) shape.class_weight = class_weights.data();
  kernels::reference::cross_entropy(shape, logits.data(), ids.data(), row_loss.data());
  double sum = 0.0, divisor = 0.0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const double weight = c.weights ? weights[i] : 1.0;
    sum += weight * row_loss[i];
    if (ids[i] == c.ignore_index) continue;
    divisor += weight * (c.class_weights ? class_weights[static_cast<size_t>(ids[i])] : 1.0);
  }
  if (c.count > 0) divisor = static_cast<double>(c.count) * (c.float_count ? 0.5 : 1.0);
  return {divisor > 0 ? sum / divisor : 0.0};
}

/// Options with count, weights and class weights as the last of the inputs.
ops::CrossEntropyOptions options_of(const LossCase& c, const std::vector<Tensor>& t) {
  ops::CrossEntropyOptions o;
  o.ignore_index = c.ignore_index;
  o.label_smoothing = c.smoothing;
  size_t last = t.size();
  if (c.class_weights) o.class_weights = t[--last];
  if (c.weights) o.weights = t[--last];
  if (c.count > 0) o.count = t[--last];
  return o;
}

void add_targets(const LossCase& c, Sample& s) {
  s.inputs.push_back({{c.rows}, loss_targets_of(c), c.dtype});
  const auto add = [&](const Shape& shape, const Doubles& values, DType dtype) {
    s.inputs.push_back({shape, values, dtype});
    s.inputs.back().has_grad = false;
  };
  const auto count = static_cast<double>(c.count);
  if (c.count > 0 && c.float_count) add({}, {0.5 * count}, DType::kF32);
  if (c.count > 0 && !c.float_count) add({}, {count}, DType::kI64);
  if (c.weights) add({c.rows}, weights_of(c), DType::kF32);
  if (c.class_weights) add({c.classes}, class_weights_of(c), DType::kF32);
  s.is_large = s.what.starts_with("large");
  s.tolerance = 4e-6;
}

Sample cross_entropy_sample(const LossCase& c) {
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

Sample fused_sample(const LossCase& c) {
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

}  // namespace

void add_loss_cases(std::vector<Sample>& samples) {
  for (const LossCase& c : kLossCases) {
    if (std::string(c.what) != "large in two chunks") samples.push_back(cross_entropy_sample(c));
    samples.push_back(fused_sample(c));
  }
  add_class_loss_cases(samples);
  add_pair_loss_cases(samples);
}

}  // namespace ingot::testing
