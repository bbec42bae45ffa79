// SPDX-License-Identifier: Apache-2.0
// norm.h against plain loops in double: both norms, with and without weight and bias, saved
// statistics, all gradients (also accumulated and in place), a mean far from zero, NaN rows.
#include "kernels/norm.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/norm.h"

namespace ingot::kernels::norm_test {
namespace {

using namespace testing;  // NOLINT: test file

// Sums of a row in float32 lanes: a few 1e-7 relative; parameter gradients sum over rows.
constexpr double kTolerance = 3e-6;
constexpr double kParameterTolerance = 2e-5;

struct Problem {
  reference::NormShape s;
  bool weighted;
  Floats x, dy, weight, bias, before;
  Doubles wx, wdy, ww, wb;
  Problem(const reference::NormShape& shape, bool with_weight)
      : s(shape),
        weighted(with_weight),
        x(uniform(s.rows * s.cols, 1)),
        dy(uniform(s.rows * s.cols, 2)),
        weight(uniform(s.cols, 3)),
        bias(uniform(s.cols, 4)),
        before(uniform(s.rows * s.cols + 2 * s.cols, 5)),
        wx(wide(x)),
        wdy(wide(dy)),
        ww(wide(weight)),
        wb(wide(bias)) {}
  [[nodiscard]] const float* w() const { return weighted ? weight.data() : nullptr; }
  [[nodiscard]] const float* b() const { return weighted ? bias.data() : nullptr; }
  [[nodiscard]] const double* rw() const { return weighted ? ww.data() : nullptr; }
  [[nodiscard]] const double* rb() const { return weighted ? wb.data() : nullptr; }
};

struct Result {
  Floats y, mean, rstd;
};

Result forward(const Problem& p, Team& t) {
  const auto eps = static_cast<float>(p.s.eps);
  const auto rows = static_cast<size_t>(p.s.rows);
  Result r{p.x, Floats(rows), Floats(rows)};  // y in place
  if (p.s.rms) {
    rms_norm({r.y.data(), p.w(), r.y.data(), r.rstd.data(), p.s.rows, p.s.cols, eps}, t);
  } else {
    layer_norm({r.y.data(), p.w(), p.b(), r.y.data(), r.mean.data(), r.rstd.data(), p.s.rows,
                p.s.cols, eps},
               t);
  }
  return r;
}

/// dx, then dweight, then dbias.
Floats backward(const Problem& p, bool accumulate, Team& t) {
  const Result saved = forward(p, t);
  Floats out = p.before;
  float* dx = out.data();
  float* dweight = dx + p.s.rows * p.s.cols;
  float* dbias = dweight + p.s.cols;
  if (!accumulate) std::copy(p.dy.begin(), p.dy.end(), out.begin());  // dx in place over dy
  const float* dy = accumulate ? p.dy.data() : dx;
  auto scratch = scratch_of(norm_grad_scratch_bytes(p.s.rows, p.s.cols, t.size()));
  auto* parts = reinterpret_cast<float*>(scratch.data());
  if (p.s.rms) {
    rms_norm_grad({dy, p.x.data(), p.w(), saved.rstd.data(), dx, dweight, parts, p.s.rows, p.s.cols,
                   accumulate, accumulate},
                  t);
    std::fill_n(dbias, p.s.cols, 0.0F);
  } else {
    layer_norm_grad({dy, p.x.data(), p.w(), saved.mean.data(), saved.rstd.data(), dx, dweight,
                     dbias, parts, p.s.rows, p.s.cols, accumulate, accumulate},
                    t);
  }
  return out;
}

const std::pair<int64_t, int64_t> kShapes[] = {{0, 4},    {1, 1},    {3, 17},   {65, 33},
                                               {2, 1000}, {3, 4097}, {700, 160}};

TEST(Norm, ForwardMatchesReference) {
  for (const auto& size : kShapes) {
    const int64_t rows = size.first, cols = size.second;
    for (const bool rms : {false, true}) {
      for (const bool weighted : {false, true}) {
        const Problem p({rms, rows, cols, 1e-5}, weighted);
        Doubles want(p.x.size());
        reference::norm(p.s, p.wx.data(), p.rw(), p.rb(), want.data());
        expect_kernel([&](Team& t) { return forward(p, t).y; }, want, kTolerance);
      }
    }
  }
}

TEST(Norm, GradientsMatchReference) {
  for (const auto& size : kShapes) {
    const int64_t rows = size.first, cols = size.second;
    if (cols == 1) continue;  // a single column normalises to 0; its gradient is pure cancellation
    for (const bool rms : {false, true}) {
      for (const bool weighted : {false, true}) {
        for (const bool accumulate : {false, true}) {
          SCOPED_TRACE(::testing::Message() << rows << " x " << cols << " rms " << rms);
          const Problem p({rms, rows, cols, 1e-5}, weighted);
          Doubles want(p.before.size());
          double* dx = want.data();
          double* dweight = dx + rows * cols;
          reference::norm_grad(p.s, p.wdy.data(), p.wx.data(), p.rw(),
                               {dx, dweight, dweight + cols});
          for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += p.before[i];
          for (int64_t c = 0; rms && c < cols; ++c) dweight[cols + c] = 0.0;
          expect_kernel([&](Team& t) { return backward(p, accumulate, t); }, want,
                        kParameterTolerance);
        }
      }
    }
  }
}

TEST(Norm, ReferenceAgreesWithDifferences) {
  for (const bool rms : {false, true}) {
    const Problem p({rms, 3, 5, 1e-5}, true);
    Doubles x = p.wx, w = p.ww, dx(15), dw(5), db(5), up(15), down(15);
    reference::norm_grad(p.s, p.wdy.data(), x.data(), w.data(), {dx.data(), dw.data(), db.data()});
    const auto slope_of = [&](double& at) {
      const double keep = at, h = 1e-5;
      at = keep + h;
      reference::norm(p.s, x.data(), w.data(), nullptr, up.data());
      at = keep - h;
      reference::norm(p.s, x.data(), w.data(), nullptr, down.data());
      at = keep;
      double slope = 0.0;
      for (size_t k = 0; k < up.size(); ++k) slope += p.wdy[k] * (up[k] - down[k]) / (2 * h);
      return slope;
    };
    for (size_t i = 0; i < 15; ++i) EXPECT_NEAR(dx[i], slope_of(x[i]), 1e-7);
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(dw[i], slope_of(w[i]), 1e-7);
  }
}

TEST(Norm, LargeMeanKeepsItsDigits) {
  Problem p({false, 4, 512, 1e-5}, false);
  for (float& v : p.x) v += 500.0F;
  p.wx = wide(p.x);
  Doubles want(p.x.size());
  reference::norm(p.s, p.wx.data(), nullptr, nullptr, want.data());
  // The mean of numbers near 500 is rounded to 3e-5, which the division by a deviation of 1 keeps.
  expect_kernel([&](Team& t) { return forward(p, t).y; }, want, 1e-4);
}

TEST(Norm, SavesStatisticsAndSkipsWhatIsNotWanted) {
  const Problem p({false, 5, 33, 1e-5}, true);
  const Result r = forward(p, team_of(0));
  for (size_t row = 0; row < 5; ++row) {
    double mean = 0.0, square = 0.0;
    for (size_t c = 0; c < 33; ++c) mean += p.wx[row * 33 + c] / 33;
    for (size_t c = 0; c < 33; ++c) square += std::pow(p.wx[row * 33 + c] - mean, 2) / 33;
    EXPECT_NEAR(r.mean[row], mean, 1e-6);
    EXPECT_NEAR(r.rstd[row], 1.0 / std::sqrt(square + 1e-5), 1e-5);
  }
  Floats dx(p.x.size());
  LayerNormGradArgs a{p.dy.data(), p.x.data(), p.w(),   r.mean.data(), r.rstd.data(),
                      dx.data(),   nullptr,    nullptr, nullptr,       5,
                      33,          false,      false};
  layer_norm_grad(a, team_of(1));
  const Floats all = backward(p, false, team_of(0));
  EXPECT_TRUE(same_bits(dx, Floats(all.begin(), all.begin() + 5 * 33)));
}

TEST(Norm, NanStaysInItsRow) {
  for (const bool rms : {false, true}) {
    Problem p({rms, 2, 40, 1e-5}, true);
    p.x[3] = std::nanf("");
    for_each_target([&] {
      const Floats y = forward(p, team_of(0)).y;
      for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i < 40);
    });
  }
}

}  // namespace
}  // namespace ingot::kernels::norm_test
