// SPDX-License-Identifier: Apache-2.0
// softmax.h against plain loops in double: values, gradients, in place, row invariance, rows with
// NaN and infinities, large offsets.
#include "kernels/softmax.h"

#include <cmath>
#include <limits>

#include "kernels/kernel_testing.h"
#include "kernels/reference/softmax.h"

namespace ingot::kernels::softmax_test {
namespace {

using namespace testing;  // NOLINT: test file

// Exponential 2e-7, one division, sums of positive terms: below 1e-6. Logarithms of up to 10.
constexpr double kTolerance = 2e-6;

struct Shape {
  int64_t rows, cols;
};
const Shape kShapes[] = {{0, 5}, {1, 1}, {3, 3}, {17, 17}, {5, 1000}, {3, 4097}, {600, 150}};

Floats run(bool log, const Shape& s, const Floats& x, Team& t) {
  Floats y = x;
  softmax({y.data(), y.data(), s.rows, s.cols, log}, t);  // in place
  Floats apart(x.size());
  softmax({x.data(), apart.data(), s.rows, s.cols, log}, t);
  EXPECT_TRUE(same_bits(y, apart));
  return y;
}

TEST(Softmax, MatchesReference) {
  for (const Shape& s : kShapes) {
    for (const bool log : {false, true}) {
      const Floats x = uniform(s.rows * s.cols, 1, -8.0F, 8.0F);
      const Doubles wx = wide(x);
      Doubles want(x.size());
      reference::softmax(log, s.rows, s.cols, wx.data(), want.data());
      expect_kernel([&](Team& t) { return run(log, s, x, t); }, want, kTolerance);
    }
  }
}

TEST(Softmax, GradientMatchesReferenceAndDifferences) {
  for (const Shape& s : {Shape{1, 1}, Shape{3, 17}, Shape{2, 300}}) {
    for (const bool log : {false, true}) {
      const Floats x = uniform(s.rows * s.cols, 1);
      const Floats dy = uniform(s.rows * s.cols, 2);
      const Floats before = uniform(s.rows * s.cols, 3);
      Doubles wx = wide(x), wdy = wide(dy), grad(x.size()), up(x.size()), down(x.size());
      reference::softmax_grad(log, s.rows, s.cols, wdy.data(), wx.data(), grad.data());
      for (size_t i = 0; i < wx.size(); i += 5) {
        const double at = wx[i], h = 1e-5;
        wx[i] = at + h;
        reference::softmax(log, s.rows, s.cols, wx.data(), up.data());
        wx[i] = at - h;
        reference::softmax(log, s.rows, s.cols, wx.data(), down.data());
        wx[i] = at;
        double slope = 0.0;
        for (size_t k = 0; k < up.size(); ++k) slope += wdy[k] * (up[k] - down[k]) / (2 * h);
        EXPECT_NEAR(grad[i], slope, 1e-7);
      }
      for (const bool accumulate : {false, true}) {
        Doubles want = grad;
        for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
        const auto compute = [&](Team& t) {
          const Floats y = run(log, s, x, t);
          Floats dx = accumulate ? before : dy;  // in place over dy
          softmax_grad({accumulate ? dy.data() : dx.data(), y.data(), dx.data(), s.rows, s.cols,
                        log, accumulate},
                       t);
          return dx;
        };
        expect_kernel(compute, want, 4 * kTolerance);
      }
    }
  }
}

TEST(Softmax, RowsDoNotSeeEachOther) {
  const Shape s{33, 77};
  const Floats x = uniform(s.rows * s.cols, 1);
  for_each_target([&] {
    const Floats all = run(false, s, x, team_of(2));
    for (int64_t r = 0; r < s.rows; ++r) {
      const Floats row(x.begin() + r * s.cols, x.begin() + (r + 1) * s.cols);
      const Floats alone = run(false, {1, s.cols}, row, team_of(0));
      EXPECT_TRUE(
          same_bits(alone, Floats(all.begin() + r * s.cols, all.begin() + (r + 1) * s.cols)));
    }
  });
}

TEST(Softmax, SpecialRows) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for_each_target([&] {
    for (const int64_t cols : {2, 40}) {
      for (const int64_t place : {int64_t{0}, cols - 1}) {
        for (const float bad : {std::nanf(""), kInf}) {
          for (const bool log : {false, true}) {
            Floats x = uniform(cols, 1);
            x[static_cast<size_t>(place)] = bad;
            for (const float v : run(log, {1, cols}, x, team_of(0))) EXPECT_TRUE(std::isnan(v));
          }
        }
        Floats masked(static_cast<size_t>(cols), -kInf);
        for (const float v : run(false, {1, cols}, masked, team_of(0))) EXPECT_TRUE(std::isnan(v));
        masked[static_cast<size_t>(place)] = 1e4F;
        const Floats y = run(false, {1, cols}, masked, team_of(0));
        for (int64_t c = 0; c < cols; ++c) {
          EXPECT_EQ(y[static_cast<size_t>(c)], c == place ? 1.0F : 0.0F);
        }
      }
    }
  });
}

}  // namespace
}  // namespace ingot::kernels::softmax_test
