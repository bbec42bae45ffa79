// SPDX-License-Identifier: Apache-2.0
// pair_loss.h against scalar formulas in double: every loss, reduction, row weights and pos_weight,
// in place and accumulated; kinks, zero weights, NaN; the formulas' slopes against differences.
#include "kernels/pair_loss.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/pair_loss.h"

namespace ingot::kernels::pair_loss_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 4e-6;  // exponentials, a logarithm, their product; sums in double
constexpr double kDifference = 1e-7;

const PairRule kRules[] = {{PairLoss::kMse, 1.0F, 0.0F},
                           {PairLoss::kBceWithLogits},
                           {PairLoss::kMae},
                           {PairLoss::kHuber, 0.75F},
                           {PairLoss::kFocal, 2.0F, 0.25F},
                           {PairLoss::kFocal, 0.0F, -1.0F},
                           {PairLoss::kFocal, 1.5F, -1.0F},
                           {PairLoss::kKl},
                           {PairLoss::kHinge, 1.0F, 1.0F},
                           {PairLoss::kHinge, 0.5F, 2.0F}};

reference::PairRule wide_rule(const PairRule& rule) {
  return {rule.loss, static_cast<double>(rule.first), static_cast<double>(rule.second)};
}

Floats targets_of(const PairRule& rule, int64_t n) {
  Floats t = uniform(n, 2, 0.0F, 1.0F);
  for (size_t i = 0; i < t.size(); ++i) {
    if (rule.loss == PairLoss::kHinge) t[i] = t[i] < 0.5F ? -1.0F : 1.0F;
    if (rule.loss == PairLoss::kKl && i % 5 == 0) t[i] = 0.0F;
    if (rule.loss == PairLoss::kFocal && i % 3 != 0) t[i] = t[i] < 0.5F ? 0.0F : 1.0F;
  }
  return t;
}

/// A problem of rows × cols with optional weights.
struct Problem {
  PairRule rule;
  int64_t n, cols, period;
  Floats x, target, row_weight, pos_weight, upstream;

  Problem(const PairRule& r, int64_t rows, int64_t columns, bool weighted, int64_t pos_period)
      : rule(r),
        n(rows * columns),
        cols(columns),
        period(std::max<int64_t>(pos_period, 1)),
        x(uniform(n, 1, -8.0F, 8.0F)),
        target(targets_of(r, n)),
        row_weight(uniform(weighted ? rows : 0, 5, 0.5F, 2.0F)),
        pos_weight(uniform(pos_period, 6, 0.5F, 3.0F)),
        upstream(uniform(n, 3, 0.5F, 2.0F)) {
    for (size_t i = 0; i < row_weight.size(); i += 4) row_weight[i] = 0.0F;
  }
  [[nodiscard]] double weight(size_t i) const {
    if (row_weight.empty()) return 1.0;
    return static_cast<double>(row_weight[i / static_cast<size_t>(cols)]);
  }
  [[nodiscard]] double pos(size_t i) const {
    if (pos_weight.empty()) return 1.0;
    return static_cast<double>(pos_weight[i % static_cast<size_t>(period)]);
  }
  template <class Args>
  void fill(Args& a, LossReduction reduction) const {
    a.x = x.data();
    a.target = target.data();
    a.row_weight = row_weight.empty() ? nullptr : row_weight.data();
    a.pos_weight = pos_weight.empty() ? nullptr : pos_weight.data();
    a.n = n;
    a.cols = cols;
    a.period = period;
    a.rule = rule;
    a.reduction = reduction;
  }
};

void expect_problem(const Problem& p, LossReduction reduction) {
  const bool none = reduction == LossReduction::kNone;
  const double share = reduction == LossReduction::kMean ? 1.0 / static_cast<double>(p.n) : 1.0;
  const reference::PairRule rule = wide_rule(p.rule);
  Doubles values, slopes, total = {0.0};
  for (size_t i = 0; i < p.x.size(); ++i) {
    const auto x = static_cast<double>(p.x[i]), t = static_cast<double>(p.target[i]);
    values.push_back(p.weight(i) * reference::pair_loss_value(rule, x, t, p.pos(i)));
    total[0] += values.back() * share;
    slopes.push_back(p.weight(i) * reference::pair_loss_slope(rule, x, t, p.pos(i)) * share *
                         static_cast<double>(p.upstream[none ? i : 0]) +
                     (none ? x : 0.0));
  }
  const auto forward = [&](Team& team) {
    Floats out(none ? p.x.size() : 1);
    auto scratch = scratch_of(pair_loss_scratch_bytes(p.n));
    PairLossArgs a;
    p.fill(a, reduction);
    a.out = out.data();
    a.scratch = scratch.data();
    pair_loss(a, team);
    return out;
  };
  expect_kernel(forward, none ? values : total, kTolerance);
  const auto backward = [&](Team& team) {
    Floats dx = p.x;  // in place; accumulated onto x for kNone
    PairLossGradArgs a;
    p.fill(a, reduction);
    if (!none) a.x = dx.data();
    a.upstream = p.upstream.data();
    a.dx = dx.data();
    a.accumulate = none;
    pair_loss_grad(a, team);
    return dx;
  };
  expect_kernel(backward, slopes, kTolerance);
}

TEST(PairLoss, ValuesAndGradients) {
  for (const PairRule& rule : kRules) {
    for (const int64_t n : {1, 3, 17, 1000, 4097, 262147}) {
      SCOPED_TRACE(static_cast<int>(rule.loss));
      for (const auto reduction :
           {LossReduction::kNone, LossReduction::kSum, LossReduction::kMean}) {
        expect_problem(Problem(rule, 1, n, false, 0), reduction);
      }
    }
  }
}

TEST(PairLoss, RowWeights) {
  for (const PairRule& rule : kRules) {
    for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{5000, 1}, {300, 3}, {7, 1000}}) {
      SCOPED_TRACE(static_cast<int>(rule.loss));
      expect_problem(Problem(rule, rows, cols, true, 0), LossReduction::kSum);
      expect_problem(Problem(rule, rows, cols, true, 0), LossReduction::kNone);
    }
  }
}

TEST(PairLoss, PositiveWeights) {
  const PairRule rule{PairLoss::kBceWithLogits, 1.0F, 0.0F};
  for (const int64_t period : {1, 3, 1000}) {
    for (const bool weighted : {false, true}) {
      expect_problem(Problem(rule, 12, 3000, weighted, period), LossReduction::kMean);
      expect_problem(Problem(rule, 3000, 1, weighted, period), LossReduction::kSum);
    }
  }
}

TEST(PairLoss, ReferenceAgreesWithDifferences) {
  const double h = 1e-6;
  for (const PairRule& narrow : kRules) {
    const reference::PairRule rule = wide_rule(narrow);
    for (const double at : {-3.0, -0.2, 0.4, 5.0}) {
      for (const double t : {1.0, rule.loss == PairLoss::kHinge ? -1.0 : 0.3}) {
        const double slope = (reference::pair_loss_value(rule, at + h, t, 1.5) -
                              reference::pair_loss_value(rule, at - h, t, 1.5)) /
                             (2 * h);
        EXPECT_NEAR(reference::pair_loss_slope(rule, at, t, 1.5), slope, kDifference)
            << static_cast<int>(rule.loss) << " at " << at;
      }
    }
  }
}

TEST(PairLoss, WeightZeroSilencesAnythingAndNanPropagatesElsewhere) {
  for (const PairRule& rule : kRules) {
    for (const int64_t cols : {1, 40}) {
      Problem p(rule, 2, cols, true, 0);
      p.row_weight = {0.0F, 1.0F};
      p.x[0] = std::nanf("");
      const auto run = [&] {
        Floats out(1), dx(p.x.size());
        auto scratch = scratch_of(pair_loss_scratch_bytes(p.n));
        PairLossArgs a;
        p.fill(a, LossReduction::kSum);
        a.out = out.data();
        a.scratch = scratch.data();
        pair_loss(a, team_of(0));
        PairLossGradArgs g;
        p.fill(g, LossReduction::kSum);
        g.upstream = p.upstream.data();
        g.dx = dx.data();
        pair_loss_grad(g, team_of(0));
        out.insert(out.end(), dx.begin(), dx.end());
        return out;
      };
      for_each_target([&] {
        SCOPED_TRACE(static_cast<int>(rule.loss));
        p.row_weight[0] = 0.0F;
        const Floats silent = run();
        for (const float v : silent) EXPECT_FALSE(std::isnan(v));
        EXPECT_EQ(silent[1], 0.0F);
        p.row_weight[0] = 1.0F;
        if (rule.loss == PairLoss::kKl) p.target[0] = 0.5F;
        const Floats loud = run();
        EXPECT_TRUE(std::isnan(loud[0]));
        EXPECT_TRUE(std::isnan(loud[1]) || rule.loss == PairLoss::kKl);  // whose slope is -t
      });
    }
  }
}

}  // namespace
}  // namespace ingot::kernels::pair_loss_test
