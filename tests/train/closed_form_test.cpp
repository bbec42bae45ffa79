// SPDX-License-Identifier: Apache-2.0
// The line fit and the dense regression of the worked examples in float64: the reference kernels,
// by which every kernel of the engine is judged, in the formulas of the engine (linear, mean
// squared error, Adam, a rate that falls to 0) reach the closed form. The engine itself trains in
// float32: supervised_task_test.cpp.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/reference/gemm.h"
#include "kernels/reference/optimizer.h"
#include "kernels/reference/pair_loss.h"
#include "train/least_squares.h"
#include "train/schedule.h"

namespace ingot::train::closed_form_test {
namespace {

using Doubles = std::vector<double>;
namespace reference = kernels::reference;

// Weights against the exact solution, relative to the largest: ten times nearer than float32 is
// asked for. So many steps leave 1e-12.
constexpr double kExact = 1e-6;
constexpr int64_t kSteps = 6000;
constexpr double kRate = 0.05;

/// One linear unit: weights of `width` columns, then the bias.
class Linear {
 public:
  Linear(const Doubles& x, const Doubles& y)
      : x_(x),
        y_(y),
        rows_(std::ssize(y)),
        width_(std::ssize(x) / rows_),
        weights_(static_cast<size_t>(width_ + 1)),
        first_(weights_.size()),
        second_(weights_.size()) {}

  void step(int64_t number, double lr) {
    const Doubles grad = backward(slopes());
    const reference::AdamRule rule{.lr = lr,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .eps = 1e-8,
                                   .weight_decay = 0,
                                   .decoupled = false,
                                   .bias_correction = true,
                                   .eps_hat = false};
    for (size_t i = 0; i < weights_.size(); ++i) {
      reference::adam(rule, number, grad[i], weights_[i], first_[i], second_[i]);
    }
  }
  [[nodiscard]] const Doubles& weights() const { return weights_; }

 private:
  /// [rows]: gradient of the mean squared error by the outputs.
  [[nodiscard]] Doubles slopes() const {
    Doubles out(y_.size());  // [rows, 1] = x w^T + b
    reference::Gemm g;
    g.a = x_.data(), g.lda = width_;
    g.b = weights_.data(), g.ldb = width_, g.trans_b = true;
    g.bias = &weights_.back();
    g.c = out.data(), g.ldc = 1;
    g.m = rows_, g.n = 1, g.k = width_;
    reference::gemm(g);
    const reference::PairRule mse{.loss = kernels::PairLoss::kMse};
    for (size_t r = 0; r < out.size(); ++r) {
      out[r] = reference::pair_loss_slope(mse, out[r], y_[r]) / static_cast<double>(rows_);
    }
    return out;
  }
  [[nodiscard]] Doubles backward(const Doubles& slope) const {
    Doubles grad(weights_.size());  // [1, width] = slope^T x, then the sum of slope
    reference::Gemm g;
    g.a = slope.data(), g.lda = 1, g.trans_a = true;
    g.b = x_.data(), g.ldb = width_;
    g.c = grad.data(), g.ldc = width_;
    g.m = 1, g.n = width_, g.k = rows_;
    reference::gemm(g);
    for (const double s : slope) grad.back() += s;
    return grad;
  }

  const Doubles& x_;  // [rows, width]
  const Doubles& y_;  // [rows]
  int64_t rows_, width_;
  Doubles weights_, first_, second_;  // [width + 1]
};

Doubles fitted(const Doubles& x, const Doubles& y) {
  ScheduleConfig falling;
  falling.name = ScheduleKind::kLinear;
  falling.warmup = 0;
  falling.final = 0;
  const Schedule schedule(falling, kRate, kSteps);
  Linear linear(x, y);
  for (int64_t step = 0; step < kSteps; ++step) linear.step(step + 1, schedule.at(step));
  return linear.weights();
}

void expect_exact(const Doubles& found, const Doubles& exact) {
  ASSERT_EQ(found.size(), exact.size());
  double largest = 0;
  for (const double w : exact) largest = std::max(largest, std::abs(w));
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_NEAR(found[i], exact[i], largest * kExact) << "weight " << i;
  }
}

TEST(ClosedForm, ALineInFloat64IsFound) {
  const Doubles x{1, 2, 3}, y{2, 4, 6};
  const Doubles found = fitted(x, y);
  expect_exact(found, {2, 0});
  expect_exact(testing::least_squares(x, y), {2, 0});
  EXPECT_NEAR(found[0] * 4 + found[1], 8, 8 * kExact);
}

TEST(ClosedForm, ADenseRegressionInFloat64IsLeastSquares) {
  constexpr size_t kRows = 100, kWidth = 10;
  std::mt19937 random(3);
  const auto draw = [&] { return static_cast<double>(random()) / 4294967296.0; };
  Doubles x(kRows * kWidth), y(kRows);
  for (double& v : x) v = draw();
  for (double& v : y) v = draw();
  expect_exact(fitted(x, y), testing::least_squares(x, y));
}

}  // namespace
}  // namespace ingot::train::closed_form_test
