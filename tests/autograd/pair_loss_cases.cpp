// SPDX-License-Identifier: Apache-2.0
// Samples of the losses between two tensors of one shape: views, weights per row and per element,
// counts of both types, pos_weight. Truths add plain formulas in double.
#include <cmath>

#include "autograd/loss_cases.h"
#include "autograd/ops/loss.h"
#include "kernels/reference/pair_loss.h"

namespace ingot::testing {
namespace {

using kernels::PairLoss;
using kernels::reference::PairRule;

enum class Count : uint8_t { kNone, kRows, kWeights };

struct PairCase {
  const char* what;
  Shape shape;
  View view = View::kDense;
  int weight_axes = -1;  // first axes of x that the weights have, -1: no weights
  Count count = Count::kNone;
};

const PairCase kPairCases[] = {
    {.what = "one element", .shape = {}},
    {.what = "one entry", .shape = {1}},
    {.what = "odd", .shape = {3, 17}},
    {.what = "transposed", .shape = {5, 7}, .view = View::kTransposed},
    {.what = "sliced", .shape = {5, 7}, .view = View::kSliced},
    {.what = "rows weighted", .shape = {5, 7}, .weight_axes = 1},
    {.what = "weighted per element", .shape = {5, 7}, .weight_axes = 2},
    {.what = "two axes weighted", .shape = {2, 3, 4}, .weight_axes = 2},
    {.what = "rows given", .shape = {5, 7}, .count = Count::kRows},
    {.what = "weights given",
     .shape = {5, 7},
     .view = View::kSliced,
     .weight_axes = 1,
     .count = Count::kWeights},
    {.what = "large", .shape = {300007}},
    {.what = "large with weights", .shape = {3001, 100}, .weight_axes = 1}};

struct Rule {
  const char* op;
  PairRule rule;
};
const Rule kRules[] = {{"mse", {PairLoss::kMse}},
                       {"mae", {PairLoss::kMae}},
                       {"huber", {PairLoss::kHuber, 0.75}},
                       {"bce_with_logits", {PairLoss::kBceWithLogits}},
                       {"binary_focal", {PairLoss::kFocal, 2.0, 0.25}},
                       {"binary_focal", {PairLoss::kFocal, 0.5, -1.0}},
                       {"kl_divergence", {PairLoss::kKl}},
                       {"hinge", {PairLoss::kHinge, 1.0, 1.0}},
                       {"hinge", {PairLoss::kHinge, 0.5, 2.0}}};

Doubles targets_of(const Rule& rule, int64_t n) {
  Doubles t = uniform(n, 5101, 0.0, 1.0);
  for (size_t i = 0; i < t.size(); ++i) {
    if (rule.rule.loss == PairLoss::kHinge) t[i] = t[i] < 0.5 ? -1.0 : 1.0;
    if (rule.rule.loss == PairLoss::kKl && i % 3 == 0) t[i] = 0.0;
  }
  return t;
}

Tensor run(const Rule& rule, const Tensor& x, const Tensor& target, const ops::LossOptions& o) {
  const auto first = static_cast<float>(rule.rule.first);
  switch (rule.rule.loss) {
    case PairLoss::kMse:
      return ops::mse(x, target, o);
    case PairLoss::kMae:
      return ops::mae(x, target, o);
    case PairLoss::kHuber:
      return ops::huber(x, target, first, o);
    case PairLoss::kBceWithLogits:
      return ops::bce_with_logits(x, target, {o.weights, o.count, {}});
    case PairLoss::kFocal:
      return ops::binary_focal(x, target,
                               {first, static_cast<float>(rule.rule.second), o.weights, o.count});
    case PairLoss::kKl:
      return ops::kl_divergence(x, target, o);
    case PairLoss::kHinge:
      return ops::hinge(x, target, {first, static_cast<int>(rule.rule.second), o.weights, o.count});
  }
  return {};
}

/// Inputs: x, target, then weights and count as the case has them.
Sample sample_of(const Rule& rule, const PairCase& c) {
  const bool is_kl = rule.rule.loss == PairLoss::kKl;
  Sample s;
  s.op = rule.op;
  s.what = c.what;
  s.inputs = {input(c.shape, 5100, c.view, 1), {c.shape, targets_of(rule, c.shape.size())}};
  s.inputs[1].view = c.view;
  s.inputs[1].axis = 1;
  const bool is_weighted = c.weight_axes >= 0;
  int axes = is_weighted ? c.weight_axes : std::min(c.shape.rank(), 1);
  if (is_kl) axes = c.shape.rank() - 1;
  const int64_t rows = c.shape.size(0, axes);
  const auto cols = static_cast<size_t>(c.shape.size() / rows);
  Doubles weights(static_cast<size_t>(rows), 1.0);
  if (is_weighted) {
    Shape shape;
    for (int i = 0; i < axes; ++i) shape.push(c.shape[i]);
    weights = uniform(rows, 5102, 0.5, 2.0);
    for (size_t i = 0; i < weights.size(); i += 3) weights[i] = 0.0;
    s.inputs.push_back({shape, weights});
  }
  double divisor = 0.0;
  for (const double w : weights) divisor += w;
  if (c.count != Count::kNone) {
    divisor = c.count == Count::kRows ? 13.0 : 4.5;
    s.inputs.push_back({{}, {divisor}, c.count == Count::kRows ? DType::kI64 : DType::kF32});
  }
  for (size_t i = 1; i < s.inputs.size(); ++i) s.inputs[i].has_grad = false;
  s.run = [rule, c, is_weighted](const std::vector<Tensor>& t) {
    ops::LossOptions o;
    if (is_weighted) o.weights = t[2];
    if (c.count != Count::kNone) o.count = t.back();
    return run(rule, t[0], t[1], o);
  };
  s.truth = [=](const std::vector<Doubles>& in) {
    double sum = 0.0;
    for (size_t i = 0; i < in[0].size(); ++i) {
      sum += weights[i / cols] * kernels::reference::pair_loss_value(rule.rule, in[0][i], in[1][i]);
    }
    return Doubles{sum / divisor / (is_kl ? 1.0 : static_cast<double>(cols))};
  };
  s.is_large = c.shape.size() > 1000;
  s.tolerance = 4e-6;
  return s;
}

void add_positive_weights(std::vector<Sample>& samples) {
  for (const bool one : {false, true}) {
    for (const bool weighted : {false, true}) {
      Sample s;
      s.op = "bce_with_logits";
      s.what = one ? "one pos_weight" : "pos_weight per column";
      const Doubles pos = uniform(one ? 1 : 7, 5103, 0.5, 3.0);
      const Doubles rows = weighted ? Doubles{0.5, 0.0, 1.5} : Doubles{1.0, 1.0, 1.0};
      s.inputs = {input({3, 2, 7}, 5104),
                  input({3, 2, 7}, 5105, View::kDense, 0, 0.0, 1.0),
                  {one ? Shape{} : Shape{7}, pos},
                  {{3}, rows}};
      for (size_t i = 1; i < 4; ++i) s.inputs[i].has_grad = false;
      s.run = [weighted](const std::vector<Tensor>& t) {
        return ops::bce_with_logits(t[0], t[1], {weighted ? t[3] : Tensor(), {}, t[2]});
      };
      s.truth = [pos, rows](const std::vector<Doubles>& in) {
        double sum = 0.0;
        for (size_t i = 0; i < in[0].size(); ++i) {
          sum += rows[i / 14] * kernels::reference::pair_loss_value({PairLoss::kBceWithLogits},
                                                                    in[0][i], in[1][i],
                                                                    pos[i % pos.size()]);
        }
        return Doubles{sum / 14.0 / (rows[0] + rows[1] + rows[2])};
      };
      s.tolerance = 4e-6;
      samples.push_back(std::move(s));
    }
  }
}

}  // namespace

void add_pair_loss_cases(std::vector<Sample>& samples) {
  for (const Rule& rule : kRules) {
    for (const PairCase& c : kPairCases) {
      const bool is_kl = rule.rule.loss == PairLoss::kKl;
      // Rows of kl_divergence are its last axis.
      if (is_kl && (c.shape.rank() == 0 || c.weight_axes == c.shape.rank())) continue;
      samples.push_back(sample_of(rule, c));
    }
  }
  add_positive_weights(samples);
}

}  // namespace ingot::testing
