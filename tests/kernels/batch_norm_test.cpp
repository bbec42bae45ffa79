// SPDX-License-Identifier: Apache-2.0
// batch_norm.h against double loops, for every instruction set and team size: statistics, running
// values by both conventions, gradients with the batch's and with given statistics.
#include "kernels/batch_norm.h"

#include "kernels/kernel_testing.h"
#include "kernels/reference/batch_norm.h"

namespace ingot::kernels::batch_norm_test {
namespace {

using testing::Doubles;
using testing::Floats;
using testing::wide;

// A mean, a variance and a reciprocal root, each rounded to 2^-24.
constexpr double kTolerance = 4e-6;
constexpr float kEps = 1e-3F;

struct Problem {
  int64_t rows, cols;
};
// One row of columns more and less than a vector, several blocks of rows, enough for a team.
const Problem kProblems[] = {{2, 1}, {3, 17}, {70, 64}, {1000, 5}, {2000, 67}, {9000, 130}};

size_t size_of(const Problem& p) { return static_cast<size_t>(p.rows * p.cols); }

/// Inputs of a problem, with statistics from the reference.
struct Data {
  Problem p;
  bool is_relu;
  Floats x, dy, weight, bias;
  Doubles mean, var;

  explicit Data(const Problem& problem, bool relu = false, float shift = 0.0F)
      : p(problem),
        is_relu(relu),
        x(testing::uniform(p.rows * p.cols, 1, shift - 2.0F, shift + 2.0F)),
        dy(testing::uniform(p.rows * p.cols, 2)),
        weight(testing::uniform(p.cols, 3, 0.5F, 2.0F)),
        bias(testing::uniform(p.cols, 4)),
        mean(static_cast<size_t>(p.cols)),
        var(static_cast<size_t>(p.cols)) {
    reference::batch_norm_stats(shape(), wide(x).data(), mean.data(), var.data());
  }
  [[nodiscard]] reference::BatchNormShape shape() const {
    return {p.rows, p.cols, static_cast<double>(kEps), is_relu};
  }
  [[nodiscard]] Floats narrow_mean() const { return {mean.begin(), mean.end()}; }
  [[nodiscard]] Floats rstd() const {
    Floats r;
    for (const double v : var) {
      r.push_back(static_cast<float>(1.0 / std::sqrt(v + static_cast<double>(kEps))));
    }
    return r;
  }
};

TEST(BatchNorm, StatisticsEqualDoubleLoopsAlsoFarFromZero) {
  for (const Problem& p : kProblems) {
    for (const float shift : {0.0F, 100.0F}) {
      const Data d(p, false, shift);
      Doubles want = d.mean;
      for (const double v : d.var) {
        want.push_back(1.0 / std::sqrt(v + static_cast<double>(kEps)));
      }
      testing::expect_kernel(
          [&](Team& team) {
            Floats out(static_cast<size_t>(2 * p.cols));
            std::vector<double> scratch =
                testing::scratch_of(batch_norm_scratch_bytes(p.rows, p.cols));
            BatchNormStatsArgs a;
            a.x = d.x.data(), a.mean = out.data(), a.rstd = out.data() + p.cols;
            a.scratch = reinterpret_cast<float*>(scratch.data());
            a.rows = p.rows, a.cols = p.cols, a.eps = kEps;
            batch_norm_stats(a, team);
            return out;
          },
          want, shift == 0.0F ? kTolerance : 2e-5);  // x itself is rounded to 100 * 2^-24
    }
  }
}

TEST(BatchNorm, RunningValuesFollowBothConventions) {
  // By hand: the batch 1 2 3 4 5 has mean 3, biased variance 2, unbiased 2.5.
  const Floats x = {1.0F, 2.0F, 3.0F, 4.0F, 5.0F};
  for (const bool is_unbiased : {true, false}) {
    Floats mean(1), rstd(1), running_mean = {10.0F}, running_var = {1.0F};
    std::vector<double> scratch = testing::scratch_of(batch_norm_scratch_bytes(5, 1));
    BatchNormStatsArgs a;
    a.x = x.data(), a.mean = mean.data(), a.rstd = rstd.data();
    a.running_mean = running_mean.data(), a.running_var = running_var.data();
    a.scratch = reinterpret_cast<float*>(scratch.data());
    a.rows = 5, a.cols = 1, a.eps = 0.0F;
    a.momentum = is_unbiased ? 0.1F : 1.0F - 0.99F;
    a.is_unbiased = is_unbiased;
    batch_norm_stats(a, testing::team_of(0));
    EXPECT_FLOAT_EQ(mean[0], 3.0F);
    EXPECT_FLOAT_EQ(rstd[0], 0.70710678F);
    EXPECT_NEAR(running_mean[0], is_unbiased ? 9.3F : 9.93F, 1e-6F);
    EXPECT_NEAR(running_var[0], is_unbiased ? 1.15F : 1.01F, 1e-6F);
  }
}

TEST(BatchNorm, ForwardEqualsDoubleLoops) {
  for (const Problem& p : kProblems) {
    for (const bool relu : {false, true}) {
      for (const bool has_affine : {false, true}) {
        const Data d(p, relu);
        Doubles want(size_of(p));
        const Doubles weight = wide(d.weight), bias = wide(d.bias);
        reference::batch_norm(d.shape(), wide(d.x).data(),
                              {d.mean.data(), d.var.data(), has_affine ? weight.data() : nullptr,
                               has_affine ? bias.data() : nullptr},
                              want.data());
        const Floats mean = d.narrow_mean(), rstd = d.rstd();
        testing::expect_kernel(
            [&](Team& team) {
              Floats y(size_of(p));
              BatchNormArgs a;
              a.x = d.x.data(), a.mean = mean.data(), a.rstd = rstd.data(), a.y = y.data();
              if (has_affine) a.weight = d.weight.data(), a.bias = d.bias.data();
              a.rows = p.rows, a.cols = p.cols, a.is_relu = relu;
              batch_norm(a, team);
              return y;
            },
            want, kTolerance);
      }
    }
  }
}

TEST(BatchNorm, RstdIsTheReciprocalRoot) {
  const Floats var = {0.0F, 1.0F, 3.0F};
  Floats rstd(3);
  BatchNormRstdArgs a;
  a.var = var.data(), a.rstd = rstd.data(), a.cols = 3, a.eps = 1.0F;
  batch_norm_rstd(a, testing::team_of(0));
  EXPECT_EQ(rstd, (Floats{1.0F, static_cast<float>(1.0 / std::sqrt(2.0)), 0.5F}));
}

/// Gradients [dx | dweight | dbias], starting from `start` when accumulating.
Floats gradients(const Data& d, bool is_training, const Floats& start, bool accumulate,
                 Team& team) {
  const Problem& p = d.p;
  Floats out = start;
  const Floats mean = d.narrow_mean(), rstd = d.rstd();
  std::vector<double> scratch = testing::scratch_of(batch_norm_scratch_bytes(p.rows, p.cols));
  BatchNormGradArgs a;
  a.dy = d.dy.data(), a.x = d.x.data(), a.mean = mean.data(), a.rstd = rstd.data();
  a.weight = d.weight.data(), a.bias = d.bias.data();
  a.dx = out.data(), a.dweight = out.data() + size_of(p), a.dbias = a.dweight + p.cols;
  a.scratch = reinterpret_cast<float*>(scratch.data());
  a.rows = p.rows, a.cols = p.cols, a.is_training = is_training, a.is_relu = d.is_relu;
  a.accumulate_dx = a.accumulate_dweight = a.accumulate_dbias = accumulate;
  batch_norm_grad(a, team);
  return out;
}

TEST(BatchNorm, GradientsEqualDoubleLoops) {
  for (const Problem& p : kProblems) {
    for (const int kind : {0, 1, 2, 3}) {
      const bool is_training = (kind & 1) != 0;
      const Data d(p, (kind & 2) != 0);
      const size_t n = size_of(p), cols = static_cast<size_t>(p.cols);
      Doubles want(n + 2 * cols);
      const Doubles weight = wide(d.weight), bias = wide(d.bias);
      reference::batch_norm_grad(d.shape(), is_training, wide(d.dy).data(), wide(d.x).data(),
                                 {d.mean.data(), d.var.data(), weight.data(), bias.data()},
                                 {want.data(), want.data() + n, want.data() + n + cols});
      const Floats start = testing::uniform(static_cast<int64_t>(want.size()), 5);
      // The sums run over up to 9000 terms of size 2: relative to their random walk.
      const double tolerance = kTolerance * std::sqrt(static_cast<double>(p.rows));
      testing::expect_kernel(
          [&](Team& team) { return gradients(d, is_training, start, false, team); }, want,
          tolerance);
      for (size_t i = 0; i < want.size(); ++i) want[i] += static_cast<double>(start[i]);
      testing::expect_kernel(
          [&](Team& team) { return gradients(d, is_training, start, true, team); }, want,
          tolerance);
    }
  }
}

TEST(BatchNorm, DxMayBeDy) {
  const Data d({300, 33}, true);
  const Floats apart = gradients(d, true, Floats(300 * 33 + 66), false, testing::team_of(1));
  Data same = d;
  const Floats mean = d.narrow_mean(), rstd = d.rstd();
  std::vector<double> scratch = testing::scratch_of(batch_norm_scratch_bytes(300, 33));
  BatchNormGradArgs a;
  a.dy = a.dx = same.dy.data(), a.x = d.x.data(), a.mean = mean.data(), a.rstd = rstd.data();
  a.weight = d.weight.data(), a.bias = d.bias.data();
  a.scratch = reinterpret_cast<float*>(scratch.data());
  a.rows = 300, a.cols = 33, a.is_training = true, a.is_relu = true;
  batch_norm_grad(a, testing::team_of(1));
  EXPECT_TRUE(testing::same_bits(same.dy, Floats(apart.begin(), apart.begin() + 300 * 33)));
}

}  // namespace
}  // namespace ingot::kernels::batch_norm_test
