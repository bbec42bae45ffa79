// SPDX-License-Identifier: Apache-2.0
// loss.h against plain loops in double: cross entropy with ignored rows, smoothing and both target
// types, its gradient in place and accumulated, reductions, mse and bce; gradients of the reference
// against finite differences.
#include "kernels/loss.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/loss.h"

namespace ingot::kernels {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 2e-6;  // exponential, sum, logarithm
constexpr double kDifference = 1e-7;

struct Problem {
  reference::CrossEntropyShape s;
  Floats logits, row_scale;
  std::vector<int64_t> targets;
  std::vector<int32_t> targets32;
  Problem(int64_t rows, int64_t classes, double smoothing)
      : s{rows, classes, -100, smoothing},
        logits(uniform(rows * classes, 1, -6.0F, 6.0F)),
        row_scale(uniform(rows, 2)) {
    for (int64_t r = 0; r < rows; ++r) targets.push_back(r % 4 == 3 ? -100 : r * 31 % classes);
    targets32.assign(targets.begin(), targets.end());
  }
  [[nodiscard]] const void* target_data(IdType type) const {
    if (type == IdType::kInt32) return targets32.data();
    return targets.data();
  }
  [[nodiscard]] Floats row_loss(IdType type, Team& t, float* lse) const {
    Floats out(static_cast<size_t>(s.rows), -1.0F);
    cross_entropy({logits.data(), target_data(type), out.data(), lse, s.rows, s.classes,
                   s.ignore_index, static_cast<float>(s.label_smoothing), type},
                  t);
    return out;
  }
};

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const double smoothing : {0.0, 0.1}) {
    all.emplace_back(0, 3, smoothing);
    all.emplace_back(1, 1, smoothing);
    all.emplace_back(17, 17, smoothing);
    all.emplace_back(5, 4097, smoothing);
    all.emplace_back(130, 1000, smoothing);
  }
  return all;
}

TEST(CrossEntropy, MatchesReference) {
  for (const Problem& p : problems()) {
    const Doubles x = wide(p.logits);
    Doubles want(static_cast<size_t>(p.s.rows));
    reference::cross_entropy(p.s, x.data(), p.targets.data(), want.data());
    for (const IdType type : {IdType::kInt32, IdType::kInt64}) {
      expect_kernel([&](Team& t) { return p.row_loss(type, t, nullptr); }, want, kTolerance);
    }
  }
}

TEST(CrossEntropy, GradientMatchesReference) {
  const float scale = 0.25F;
  for (const Problem& p : problems()) {
    const Doubles x = wide(p.logits);
    Doubles factors = wide(p.row_scale);
    for (double& f : factors) f *= 0.25;
    const Floats before = uniform(p.s.rows * p.s.classes, 4);
    for (const bool accumulate : {false, true}) {
      Doubles want(x.size());
      reference::cross_entropy_grad(p.s, x.data(), p.targets.data(), factors.data(), want.data());
      for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
      const auto compute = [&](Team& t) {
        Floats lse(static_cast<size_t>(p.s.rows));
        const Floats loss = p.row_loss(IdType::kInt32, t, lse.data());
        EXPECT_EQ(loss.size(), lse.size());
        Floats d = accumulate ? before : p.logits;  // in place over the logits
        CrossEntropyGradArgs a;
        a.logits = accumulate ? p.logits.data() : d.data();
        a.targets = p.targets32.data();
        a.lse = lse.data();
        a.scale = &scale;
        a.row_scale = p.row_scale.data();
        a.dlogits = d.data();
        a.rows = p.s.rows;
        a.classes = p.s.classes;
        a.label_smoothing = static_cast<float>(p.s.label_smoothing);
        a.accumulate = accumulate;
        cross_entropy_grad(a, t);
        return d;
      };
      expect_kernel(compute, want, kTolerance);
    }
  }
}

TEST(CrossEntropy, ReferenceAgreesWithDifferences) {
  for (const double smoothing : {0.0, 0.2}) {
    const Problem p(5, 7, smoothing);
    Doubles x = wide(p.logits), d(35), up(5), down(5);
    const Doubles factors = wide(p.row_scale);
    reference::cross_entropy_grad(p.s, x.data(), p.targets.data(), factors.data(), d.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = x[i], h = 1e-5;
      x[i] = at + h;
      reference::cross_entropy(p.s, x.data(), p.targets.data(), up.data());
      x[i] = at - h;
      reference::cross_entropy(p.s, x.data(), p.targets.data(), down.data());
      x[i] = at;
      EXPECT_NEAR(d[i], factors[i / 7] * (up[i / 7] - down[i / 7]) / (2 * h), kDifference);
    }
  }
}

TEST(CrossEntropy, OffsetsCostNothingAndNanPropagates) {
  Problem p(8, 50, 0.0);
  for (float& v : p.logits) v = std::round(v * 64.0F) / 64.0F;  // so that the offset is exact
  const Problem plain = p;
  for (float& v : p.logits) v += 4096.0F;
  for_each_target([&] {
    EXPECT_TRUE(same_bits(plain.row_loss(IdType::kInt64, team_of(0), nullptr),
                          p.row_loss(IdType::kInt64, team_of(0), nullptr)));
  });
  p.logits[60] = std::nanf("");
  const Floats loss = p.row_loss(IdType::kInt64, team_of(0), nullptr);
  for (size_t r = 0; r < 8; ++r) EXPECT_EQ(std::isnan(loss[r]), r == 1);
}

TEST(LossReduce, SumsMeansAndCountsWhatIsNotIgnored) {
  for (const int64_t rows : {1, 17, 4097, 250000}) {
    const Problem p(rows, 1, 0.0);
    const Floats losses = uniform(rows, 5);
    double sum = 0.0;
    int64_t count = 0;
    for (size_t r = 0; r < losses.size(); ++r) {
      if (p.targets[r] == -100) continue;
      sum += losses[r];
      ++count;
    }
    for (const LossReduction reduction : {LossReduction::kSum, LossReduction::kMean}) {
      const double n = reduction == LossReduction::kMean ? static_cast<double>(count) : 1.0;
      const auto compute = [&](Team& t) {
        Floats out = {1.0F};
        int64_t counted = 10;
        auto scratch = scratch_of(loss_scratch_bytes(rows));
        LossReduceArgs a{
            losses.data(), p.targets32.data(), out.data(), &counted, scratch.data(), rows,
            -100,          IdType::kInt32,     reduction,  true};
        loss_reduce(a, t);
        EXPECT_EQ(counted, 10 + count);
        return out;
      };
      expect_kernel(compute, {1.0 + sum / n}, 1e-7);
    }
  }
}

TEST(LossReduce, NothingLeftIsNan) {
  const int32_t ignored = -100;
  const float loss = 0.0F;
  float out = 0.0F;
  int64_t count = -1;
  auto scratch = scratch_of(loss_scratch_bytes(1));
  loss_reduce({&loss, &ignored, &out, &count, scratch.data(), 1, -100, IdType::kInt32,
               LossReduction::kMean, false},
              team_of(0));
  EXPECT_TRUE(std::isnan(out));
  EXPECT_EQ(count, 0);
  const float upstream = 3.0F;
  loss_scale({&upstream, &count, &out, 2.0F}, team_of(0));
  EXPECT_EQ(out, 6.0F);
  count = 4;
  loss_scale({nullptr, &count, &out, 2.0F}, team_of(0));
  EXPECT_EQ(out, 0.5F);
}

TEST(PairLoss, ValuesAndGradients) {
  for (const PairLoss loss : {PairLoss::kMse, PairLoss::kBceWithLogits}) {
    for (const int64_t n : {1, 3, 17, 1000, 4097, 262147}) {
      const Floats x = uniform(n, 1, -12.0F, 12.0F);
      const Floats target = uniform(n, 2, 0.0F, 1.0F);
      const Floats upstream = uniform(n, 3, 0.5F, 2.0F);
      for (const auto reduction :
           {LossReduction::kNone, LossReduction::kSum, LossReduction::kMean}) {
        const bool none = reduction == LossReduction::kNone;
        const double share = reduction == LossReduction::kMean ? 1.0 / static_cast<double>(n) : 1.0;
        Doubles values, slopes, total = {0.0};
        for (size_t i = 0; i < x.size(); ++i) {
          values.push_back(reference::pair_loss_value(loss, x[i], target[i]));
          total[0] += values.back() * share;
          slopes.push_back(reference::pair_loss_slope(loss, x[i], target[i]) * share *
                               upstream[none ? i : 0] +
                           (none ? x[i] : 0.0));
        }
        const auto forward = [&](Team& t) {
          Floats out(none ? x.size() : 1);
          auto scratch = scratch_of(loss_scratch_bytes(n));
          pair_loss({x.data(), target.data(), out.data(), scratch.data(), n, loss, reduction}, t);
          return out;
        };
        expect_kernel(forward, none ? values : total, kTolerance);
        const auto backward = [&](Team& t) {
          Floats dx = x;  // in place; accumulated onto x for kNone
          pair_loss_grad(
              {x.data(), target.data(), upstream.data(), dx.data(), n, loss, reduction, none}, t);
          return dx;
        };
        expect_kernel(backward, slopes, kTolerance);
      }
    }
    for (const double at : {-3.0, -0.2, 0.4, 5.0}) {
      const double h = 1e-6;
      const double slope = (reference::pair_loss_value(loss, at + h, 0.3) -
                            reference::pair_loss_value(loss, at - h, 0.3)) /
                           (2 * h);
      EXPECT_NEAR(reference::pair_loss_slope(loss, at, 0.3), slope, kDifference);
    }
  }
}

}  // namespace
}  // namespace ingot::kernels
