// SPDX-License-Identifier: Apache-2.0
// class_loss.h against plain loops in double: focal losses through cross entropy and back, margins
// with both powers, ignored rows and weights; the references' gradients against differences.
#include "kernels/class_loss.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/class_loss.h"

namespace ingot::kernels::class_loss_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 4e-6;  // cross entropy's rounding, raised to a power
constexpr double kDifference = 1e-7;

struct Problem {
  int64_t rows, classes;
  Floats logits, weight, row_weight;
  std::vector<int64_t> targets;
  Problem(int64_t r, int64_t c)
      : rows(r),
        classes(c),
        logits(uniform(r * c, 1, -4.0F, 4.0F)),
        weight(uniform(c, 2, 0.5F, 2.0F)),
        row_weight(uniform(r, 3, 0.5F, 2.0F)) {
    for (int64_t i = 0; i < rows; ++i) targets.push_back(i % 5 == 4 ? -100 : i * 31 % classes);
    for (size_t i = 0; i < row_weight.size(); i += 3) row_weight[i] = 0.0F;
  }
};

std::vector<Problem> problems() { return {{1, 1}, {17, 17}, {6, 3}, {130, 1000}, {3, 4097}}; }

TEST(Focal, LossAndGradientMatchReference) {
  for (const Problem& p : problems()) {
    for (const double gamma : {0.0, 0.5, 2.0}) {
      const Doubles x = wide(p.logits), alpha = wide(p.weight), weight = wide(p.row_weight);
      Doubles want, want_grad(x.size());
      for (size_t r = 0; r < p.targets.size(); ++r) {
        const double* row = x.data() + r * static_cast<size_t>(p.classes);
        double* d = want_grad.data() + r * static_cast<size_t>(p.classes);
        const int64_t t = p.targets[r];
        want.push_back(
            t < 0 ? 0.0
                  : reference::focal_row(row, p.classes, t, gamma, alpha[static_cast<size_t>(t)]));
        if (t < 0) continue;
        reference::focal_row_grad(row, p.classes, t, gamma, alpha[static_cast<size_t>(t)], d);
        for (int64_t c = 0; c < p.classes; ++c) d[c] *= weight[r];
      }
      const auto compute = [&](Team& team, bool gradient) {
        Floats loss(p.targets.size()), lse(loss.size()), factor(loss.size()), d(p.logits.size());
        cross_entropy({p.logits.data(), p.targets.data(), loss.data(), lse.data(), nullptr, p.rows,
                       p.classes, -100, 0.0F, IdType::kInt64},
                      team);
        FocalRowsArgs a;
        a.row_nll = loss.data();
        a.targets = p.targets.data();
        a.alpha = p.weight.data();
        a.row_weight = p.row_weight.data();
        a.row_loss = loss.data();
        a.row_factor = factor.data();
        a.rows = p.rows;
        a.gamma = gamma;
        a.target_type = IdType::kInt64;
        focal_rows(a, team);
        CrossEntropyGradArgs g;
        g.logits = p.logits.data();
        g.targets = p.targets.data();
        g.lse = lse.data();
        g.row_scale = factor.data();
        g.dlogits = d.data();
        g.rows = p.rows;
        g.classes = p.classes;
        g.target_type = IdType::kInt64;
        cross_entropy_grad(g, team);
        return gradient ? d : loss;
      };
      expect_kernel([&](Team& t) { return compute(t, false); }, want, kTolerance);
      expect_kernel([&](Team& t) { return compute(t, true); }, want_grad, kTolerance);
    }
  }
}

TEST(Focal, ACertainRowHasNeitherLossNorGradient) {
  const Floats nll = {0.0F, 1e-6F, 400.0F, std::nanf("")};
  const std::vector<int32_t> targets = {0, 0, 0, 0};
  for (const double gamma : {0.0, 0.5, 2.0}) {
    Floats loss(4), factor(4);
    FocalRowsArgs a;
    a.row_nll = nll.data();
    a.targets = targets.data();
    a.row_loss = loss.data();
    a.row_factor = factor.data();
    a.rows = 4;
    a.gamma = gamma;
    for_each_target([&] {
      focal_rows(a, team_of(0));
      EXPECT_EQ(loss[0], 0.0F);
      EXPECT_EQ(factor[0], gamma == 0.0 ? 1.0F : 0.0F);
      EXPECT_NEAR(loss[1], 1e-6 * std::pow(1e-6, gamma), 1e-6 * 1e-6 * std::pow(1e-6, gamma));
      EXPECT_EQ(loss[2], 400.0F);
      EXPECT_EQ(factor[2], 1.0F);
      EXPECT_TRUE(std::isnan(loss[3]) && std::isnan(factor[3]));
    });
  }
}

TEST(Margin, LossAndGradientMatchReference) {
  const float scale = 0.5F;
  for (const Problem& p : problems()) {
    for (const int32_t power : {1, 2}) {
      const Doubles x = wide(p.logits), weight = wide(p.weight), rows = wide(p.row_weight);
      Doubles want, want_grad(x.size());
      for (size_t r = 0; r < p.targets.size(); ++r) {
        const int64_t t = p.targets[r];
        want.push_back(0.0);
        if (t < 0) continue;
        const reference::MarginRule rule{0.75, static_cast<double>(power),
                                         weight[static_cast<size_t>(t)]};
        const size_t at = r * static_cast<size_t>(p.classes);
        want.back() = reference::margin_row(rule, x.data() + at, p.classes, t);
        reference::margin_row_grad(rule, x.data() + at, p.classes, t, want_grad.data() + at);
        for (size_t c = 0; c < static_cast<size_t>(p.classes); ++c) {
          want_grad[at + c] *= 0.5 * rows[r];
        }
      }
      const auto forward = [&](Team& team) {
        Floats loss(p.targets.size());
        margin_rows({p.logits.data(), p.targets.data(), p.weight.data(), loss.data(), p.rows,
                     p.classes, -100, 0.75F, power, IdType::kInt64},
                    team);
        return loss;
      };
      expect_kernel(forward, want, kTolerance);
      for (const bool accumulate : {false, true}) {
        const Floats before = uniform(p.rows * p.classes, 9);
        Doubles total = want_grad;
        for (size_t i = 0; accumulate && i < total.size(); ++i) {
          total[i] += static_cast<double>(before[i]);
        }
        const auto backward = [&](Team& team) {
          Floats d = before;
          margin_rows_grad(
              {p.logits.data(), p.targets.data(), p.weight.data(), &scale, p.row_weight.data(),
               d.data(), p.rows, p.classes, -100, 0.75F, power, IdType::kInt64, accumulate},
              team);
          return d;
        };
        expect_kernel(backward, total, kTolerance);
      }
    }
  }
}

TEST(Margin, NanPropagates) {
  Problem p(2, 40);
  p.logits[3] = std::nanf("");
  for_each_target([&] {
    Floats loss(2), d(80);
    margin_rows({p.logits.data(), p.targets.data(), nullptr, loss.data(), 2, 40, -100, 1.0F, 1,
                 IdType::kInt64},
                team_of(0));
    EXPECT_TRUE(std::isnan(loss[0]));
    EXPECT_FALSE(std::isnan(loss[1]));
    margin_rows_grad({p.logits.data(), p.targets.data(), nullptr, nullptr, nullptr, d.data(), 2, 40,
                      -100, 1.0F, 1, IdType::kInt64, false},
                     team_of(0));
    EXPECT_TRUE(std::isnan(d[0]) && std::isnan(d[3]));  // the target's and its own
  });
}

TEST(ClassLoss, ReferencesAgreeWithDifferences) {
  const double h = 1e-6;
  Doubles x = wide(uniform(7, 4)), d(7);
  const reference::MarginRule rules[] = {{1.0, 1.0, 1.5}, {0.5, 2.0, 0.5}};
  const auto expect = [&](const auto& value) {
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = x[i];
      x[i] = at + h;
      const double above = value();
      x[i] = at - h;
      const double below = value();
      x[i] = at;
      EXPECT_NEAR(d[i], (above - below) / (2 * h), kDifference);
    }
  };
  for (const double gamma : {0.0, 0.5, 3.0}) {
    reference::focal_row_grad(x.data(), 7, 2, gamma, 0.7, d.data());
    expect([&] { return reference::focal_row(x.data(), 7, 2, gamma, 0.7); });
  }
  for (const reference::MarginRule& rule : rules) {
    reference::margin_row_grad(rule, x.data(), 7, 2, d.data());
    expect([&] { return reference::margin_row(rule, x.data(), 7, 2); });
  }
}

}  // namespace
}  // namespace ingot::kernels::class_loss_test
