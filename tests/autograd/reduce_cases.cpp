// SPDX-License-Identifier: Apache-2.0
// Samples of the reductions, with the truth taken group by group: every result element collects its
// own elements first.
#include <algorithm>
#include <cmath>

#include "autograd/op_cases.h"
#include "autograd/ops/reduce.h"

namespace ingot::testing {
namespace {

struct Axes {
  const char* what;
  Shape shape;
  std::vector<int> axes;  // as given to the op; empty: all
  bool keep = false;
  View view = View::kDense;
};

const Axes kReduceCases[] = {{"scalar", {}, {}},
                             {"one element", {1}, {0}},
                             {"all of odd", {3, 7}, {}},
                             {"first", {5, 7}, {0}},
                             {"last", {5, 7}, {-1}},
                             {"last kept", {5, 7}, {-1}, true},
                             {"middle", {3, 4, 5}, {1}},
                             {"apart", {3, 4, 5}, {0, 2}},
                             {"apart kept", {3, 4, 5}, {2, 0}, true},
                             {"neighbours", {2, 3, 4, 3}, {1, 2}},
                             {"transposed", {5, 7}, {0}, false, View::kTransposed},
                             {"sliced", {3, 4, 5}, {1}, false, View::kSliced},
                             {"no groups", {0, 3}, {1}},
                             {"large rows", {301, 700}, {1}},
                             {"large columns", {701, 301}, {0}},
                             {"large all", {300007}, {}},
                             {"large middle", {13, 171, 101}, {1}}};

/// initializer_list from at most two axes.
template <class Run>
Tensor with_axes(const std::vector<int>& axes, const Run& run) {
  if (axes.empty()) return run(std::initializer_list<int>{});
  if (axes.size() == 1) return run(std::initializer_list<int>{axes[0]});
  return run(std::initializer_list<int>{axes[0], axes[1]});
}

using Group = std::function<double(const Doubles&)>;

std::function<Doubles(const std::vector<Doubles>&)> group_truth(const Axes& c, const Group& f) {
  return [c, f](const std::vector<Doubles>& in) {
    std::vector<bool> is_reduced(static_cast<size_t>(c.shape.rank()), c.axes.empty());
    for (const int axis : c.axes) {
      is_reduced[static_cast<size_t>(axis < 0 ? axis + c.shape.rank() : axis)] = true;
    }
    Shape out;
    for (int a = 0; a < c.shape.rank(); ++a) {
      out.push(is_reduced[static_cast<size_t>(a)] ? 1 : c.shape[a]);
    }
    std::vector<Doubles> groups(static_cast<size_t>(out.size()));
    for (int64_t i = 0; i < c.shape.size(); ++i) {
      std::vector<int64_t> at = coordinates(i, c.shape);
      for (size_t a = 0; a < at.size(); ++a) at[a] = is_reduced[a] ? 0 : at[a];
      groups[static_cast<size_t>(index_of(at, out))].push_back(in[0][static_cast<size_t>(i)]);
    }
    Doubles y;
    for (const Doubles& g : groups) y.push_back(f(g));
    return y;
  };
}

double sum_of(const Doubles& g) {
  double sum = 0.0;
  for (const double x : g) sum += x;
  return sum;
}

double variance_of(const Doubles& g, int correction) {
  const double mean = sum_of(g) / static_cast<double>(g.size());
  double squares = 0.0;
  for (const double x : g) squares += (x - mean) * (x - mean);
  return squares / static_cast<double>(static_cast<int64_t>(g.size()) - correction);
}

using Run = std::function<Tensor(const Tensor&, std::initializer_list<int>, bool)>;

Sample make(const char* op, const Axes& c, const Run& run, const Group& f) {
  Sample s;
  s.op = op;
  s.what = c.what;
  Input in{c.shape, distinct(c.shape.size(), 2000), DType::kF32, c.view, 1};
  s.inputs = {in};
  s.run = [c, run](const std::vector<Tensor>& t) {
    return with_axes(c.axes,
                     [&](std::initializer_list<int> axes) { return run(t[0], axes, c.keep); });
  };
  s.truth = group_truth(c, f);
  s.is_large = c.shape.size() > 1000;
  return s;
}

}  // namespace

void add_reduce_cases(std::vector<Sample>& samples) {
  const auto sum = [](const Tensor& x, std::initializer_list<int> axes, bool keep) {
    return ops::sum(x, axes, keep);
  };
  for (const Axes& c : kReduceCases) {
    samples.push_back(make("sum", c, sum, sum_of));
    // Terms of size 1 that nearly cancel: their own rounding counts, not that of the small sum.
    samples.back().tolerance = 1e-5 + 2e-9 * static_cast<double>(c.shape.size());
    samples.push_back(make(
        "mean", c,
        [](const Tensor& x, std::initializer_list<int> axes, bool keep) {
          return ops::mean(x, axes, keep);
        },
        [](const Doubles& g) { return sum_of(g) / static_cast<double>(g.size()); }));
    samples.push_back(make(
        "max", c,
        [](const Tensor& x, std::initializer_list<int> axes, bool keep) {
          return ops::max(x, axes, keep);
        },
        [](const Doubles& g) { return *std::max_element(g.begin(), g.end()); }));
    for (const int correction : {0, 1}) {
      if (c.shape.size() == 1 && correction == 1) continue;  // 0 / 0
      samples.push_back(make(
          "variance", c,
          [correction](const Tensor& x, std::initializer_list<int> axes, bool keep) {
            return ops::variance(x, axes, correction, keep);
          },
          [correction](const Doubles& g) { return variance_of(g, correction); }));
    }
    if (c.axes.size() != 1) continue;
    samples.push_back(make(
        "argmax", c,
        [](const Tensor& x, std::initializer_list<int> axes, bool keep) {
          return ops::argmax(x, *axes.begin(), keep);
        },
        [](const Doubles& g) {
          return static_cast<double>(std::max_element(g.begin(), g.end()) - g.begin());
        }));
  }
  samples.push_back(make("sum", {"of nothing", {0, 3}, {0}}, sum, sum_of));
}

}  // namespace ingot::testing
