// SPDX-License-Identifier: Apache-2.0
// Samples of focal and multi_margin: ignored rows, class and row weights, given counts, views.
#include <functional>

#include "autograd/loss_cases.h"
#include "autograd/ops/loss.h"
#include "kernels/reference/class_loss.h"

namespace ingot::testing {
namespace {

constexpr int64_t kIgnored = -100;

struct Case {
  const char* what;
  int64_t rows, classes;
  bool weights = false;  // per row and per class
  int64_t count = 0;     // given divisor, 0: counted
  View view = View::kDense;
  double first = 2.0;  // gamma or margin
  int power = 1;
};

const Case kCases[] = {{.what = "no rows", .rows = 0, .classes = 3},
                       {.what = "one class", .rows = 1, .classes = 1, .first = 0.5},
                       {.what = "odd", .rows = 5, .classes = 7},
                       {.what = "other rule", .rows = 5, .classes = 7, .first = 0.5, .power = 2},
                       {.what = "zero", .rows = 5, .classes = 7, .first = 0.0},
                       {.what = "weights", .rows = 9, .classes = 4, .weights = true},
                       {.what = "count", .rows = 9, .classes = 4, .count = 31},
                       {.what = "weights and count",
                        .rows = 9,
                        .classes = 4,
                        .weights = true,
                        .count = 31,
                        .first = 1.0,
                        .power = 2},
                       {.what = "transposed", .rows = 5, .classes = 7, .view = View::kTransposed},
                       {.what = "sliced", .rows = 5, .classes = 7, .view = View::kSliced},
                       {.what = "large", .rows = 331, .classes = 701, .weights = true}};

using RowLoss = std::function<double(const double* x, int64_t classes, int64_t target, double w)>;

Doubles targets_of(const Case& c) {
  Doubles t = whole(c.rows, 5200, c.classes);
  for (size_t i = 3; i < t.size(); i += 4) t[i] = static_cast<double>(kIgnored);
  return t;
}

/// Inputs: logits, targets, then class weights, row weights and count as the case has them.
Sample sample_of(const Case& c, const RowLoss& row_loss) {
  Sample s;
  s.what = c.what;
  s.inputs = {input({c.rows, c.classes}, 5201, c.view, 1, -4.0, 4.0),
              {{c.rows}, targets_of(c), DType::kI32}};
  Doubles by_class(static_cast<size_t>(c.classes), 1.0), by_row(static_cast<size_t>(c.rows), 1.0);
  if (c.weights) {
    by_class = uniform(c.classes, 5202, 0.5, 2.0);
    by_row = uniform(c.rows, 5203, 0.5, 2.0);
    for (size_t i = 0; i < by_row.size(); i += 3) by_row[i] = 0.0;
    s.inputs.push_back({{c.classes}, by_class, DType::kF32});
    s.inputs.push_back({{c.rows}, by_row, DType::kF32});
  }
  if (c.count > 0) s.inputs.push_back({{}, {static_cast<double>(c.count)}, DType::kI64});
  for (size_t i = 1; i < s.inputs.size(); ++i) s.inputs[i].has_grad = false;
  s.truth = [c, row_loss, by_class, by_row](const std::vector<Doubles>& in) {
    double sum = 0.0, divisor = 0.0;
    for (size_t r = 0; r < by_row.size(); ++r) {
      const auto target = static_cast<int64_t>(in[1][r]);
      if (target == kIgnored) continue;
      divisor += by_row[r];
      sum += by_row[r] * row_loss(in[0].data() + r * static_cast<size_t>(c.classes), c.classes,
                                  target, by_class[static_cast<size_t>(target)]);
    }
    if (c.count > 0) divisor = static_cast<double>(c.count);
    return Doubles{divisor > 0.0 ? sum / divisor : 0.0};
  };
  s.is_large = s.what == "large";
  s.tolerance = 4e-6;
  return s;
}

template <class Options>
void set_options(Options& o, const Case& c, const std::vector<Tensor>& t) {
  if (c.weights) {
    o.class_weights = t[2];
    o.weights = t[3];
  }
  if (c.count > 0) o.count = t.back();
}

}  // namespace

void add_class_loss_cases(std::vector<Sample>& samples) {
  for (const Case& c : kCases) {
    Sample focal = sample_of(c, [c](const double* x, int64_t classes, int64_t target, double w) {
      return kernels::reference::focal_row(x, classes, target, c.first, w);
    });
    focal.op = "focal";
    focal.run = [c](const std::vector<Tensor>& t) {
      ops::FocalOptions o;
      o.gamma = static_cast<float>(c.first);
      set_options(o, c, t);
      return ops::focal(t[0], t[1], o);
    };
    samples.push_back(std::move(focal));
    Sample margin = sample_of(c, [c](const double* x, int64_t classes, int64_t target, double w) {
      const kernels::reference::MarginRule rule{c.first, static_cast<double>(c.power), w};
      return kernels::reference::margin_row(rule, x, classes, target);
    });
    margin.op = "multi_margin";
    margin.run = [c](const std::vector<Tensor>& t) {
      ops::MultiMarginOptions o;
      o.margin = static_cast<float>(c.first);
      o.power = c.power;
      set_options(o, c, t);
      return ops::multi_margin(t[0], t[1], o);
    };
    samples.push_back(std::move(margin));
  }
}

}  // namespace ingot::testing
