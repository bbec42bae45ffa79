// SPDX-License-Identifier: Apache-2.0
// loss.h against plain loops in double: cross entropy with ignored rows, smoothing, class weights
// and both target types, its gradient in place and accumulated, reductions with row weights;
// gradients of the reference against finite differences.
#include "kernels/loss.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/loss.h"

namespace ingot::kernels::loss_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 2e-6;  // exponential, sum, logarithm
constexpr double kDifference = 1e-7;

struct Problem {
  reference::CrossEntropyShape s;
  Floats logits, row_scale, class_weight;
  std::vector<int64_t> targets;
  std::vector<int32_t> targets32;
  Doubles wide_weight;
  Problem(int64_t rows, int64_t classes, double smoothing, bool weighted = false)
      : s{rows, classes, -100, smoothing, nullptr},
        logits(uniform(rows * classes, 1, -6.0F, 6.0F)),
        row_scale(uniform(rows, 2)),
        class_weight(uniform(weighted ? classes : 0, 6, 0.25F, 4.0F)),
        wide_weight(wide(class_weight)) {
    for (int64_t r = 0; r < rows; ++r) targets.push_back(r % 4 == 3 ? -100 : r * 31 % classes);
    targets32.assign(targets.begin(), targets.end());
  }
  /// The reference's shape, with the weights when there are some.
  [[nodiscard]] reference::CrossEntropyShape shape() const {
    reference::CrossEntropyShape with = s;
    if (!wide_weight.empty()) with.class_weight = wide_weight.data();
    return with;
  }
  [[nodiscard]] const float* weights() const {
    return class_weight.empty() ? nullptr : class_weight.data();
  }
  [[nodiscard]] const void* target_data(IdType type) const {
    if (type == IdType::kInt32) return targets32.data();
    return targets.data();
  }
  [[nodiscard]] Floats row_loss(IdType type, Team& t, float* lse) const {
    Floats out(static_cast<size_t>(s.rows), -1.0F);
    cross_entropy({logits.data(), target_data(type), out.data(), lse, weights(), s.rows, s.classes,
                   s.ignore_index, static_cast<float>(s.label_smoothing), type},
                  t);
    return out;
  }
};

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const double smoothing : {0.0, 0.1}) {
    for (const bool weighted : {false, true}) {
      all.emplace_back(0, 3, smoothing, weighted);
      all.emplace_back(1, 1, smoothing, weighted);
      all.emplace_back(17, 17, smoothing, weighted);
      all.emplace_back(5, 4097, smoothing, weighted);
      all.emplace_back(130, 1000, smoothing, weighted);
    }
  }
  return all;
}

TEST(CrossEntropy, MatchesReference) {
  for (const Problem& p : problems()) {
    const Doubles x = wide(p.logits);
    Doubles want(static_cast<size_t>(p.s.rows));
    reference::cross_entropy(p.shape(), x.data(), p.targets.data(), want.data());
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
      reference::cross_entropy_grad(p.shape(), x.data(), p.targets.data(), factors.data(),
                                    want.data());
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
        a.class_weight = p.weights();
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
  for (const auto& [smoothing, weighted] : {std::pair{0.0, false}, std::pair{0.2, true}}) {
    const Problem p(5, 7, smoothing, weighted);
    Doubles x = wide(p.logits), d(35), up(5), down(5);
    const Doubles factors = wide(p.row_scale);
    reference::cross_entropy_grad(p.shape(), x.data(), p.targets.data(), factors.data(), d.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = x[i], h = 1e-5;
      x[i] = at + h;
      reference::cross_entropy(p.shape(), x.data(), p.targets.data(), up.data());
      x[i] = at - h;
      reference::cross_entropy(p.shape(), x.data(), p.targets.data(), down.data());
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
        LossReduceArgs a;
        a.row_loss = losses.data();
        a.targets = p.targets32.data();
        a.out = out.data();
        a.count = &counted;
        a.scratch = scratch.data();
        a.rows = rows;
        a.reduction = reduction;
        a.accumulate = true;
        loss_reduce(a, t);
        EXPECT_EQ(counted, 10 + count);
        return out;
      };
      expect_kernel(compute, {1.0 + sum / n}, 1e-7);
    }
  }
}

TEST(LossReduce, RowsOfWeightZeroAddNothingWhateverTheirLoss) {
  for (const int64_t rows : {3, 4097, 250000}) {
    const Problem p(rows, 1, 0.0);
    Floats losses = uniform(rows, 5);
    Floats weights = uniform(rows, 7, 0.5F, 2.0F);
    const Floats class_weight = {3.0F};
    double sum = 0.0, total = 0.0;
    for (size_t r = 0; r < losses.size(); ++r) {
      if (r % 3 == 1) {
        weights[r] = 0.0F;
        losses[r] = std::nanf("");
      } else if (p.targets[r] != -100) {
        sum += static_cast<double>(weights[r]) * static_cast<double>(losses[r]);
        total += 3.0 * static_cast<double>(weights[r]);
      }
    }
    const auto compute = [&](Team& t) {
      Floats out(2);
      auto scratch = scratch_of(loss_scratch_bytes(rows));
      LossReduceArgs a;
      a.row_loss = losses.data();
      a.targets = p.targets32.data();
      a.row_weight = weights.data();
      a.class_weight = class_weight.data();
      a.out = out.data();
      a.weight = &out[1];
      a.scratch = scratch.data();
      a.rows = rows;
      a.reduction = LossReduction::kSum;
      loss_reduce(a, t);
      return out;
    };
    expect_kernel(compute, {sum, total}, 1e-7);
  }
}

TEST(CrossEntropy, RowsOfScaleZeroGetNoGradientWhateverTheirLogits) {
  Problem p(3, 5, 0.0);
  p.logits[7] = std::nanf("");
  p.row_scale[1] = 0.0F;
  Floats lse(3), d(15, 9.0F);
  const Floats loss = p.row_loss(IdType::kInt32, team_of(0), lse.data());
  EXPECT_TRUE(std::isnan(loss[1]));
  CrossEntropyGradArgs a;
  a.logits = p.logits.data();
  a.targets = p.targets32.data();
  a.lse = lse.data();
  a.row_scale = p.row_scale.data();
  a.dlogits = d.data();
  a.rows = 3;
  a.classes = 5;
  cross_entropy_grad(a, team_of(0));
  for (size_t i = 0; i < 15; ++i) EXPECT_EQ(d[i] == 0.0F, i >= 5 && i < 10) << i;
}

TEST(LossReduce, NothingLeftIsNan) {
  const int32_t ignored = -100;
  const float loss = 0.0F;
  float out = 0.0F;
  int64_t count = -1;
  auto scratch = scratch_of(loss_scratch_bytes(1));
  LossReduceArgs a;
  a.row_loss = &loss;
  a.targets = &ignored;
  a.out = &out;
  a.count = &count;
  a.scratch = scratch.data();
  a.rows = 1;
  loss_reduce(a, team_of(0));
  EXPECT_TRUE(std::isnan(out));
  EXPECT_EQ(count, 0);
  const float upstream = 3.0F;
  loss_scale({&upstream, &count, &out, 2.0F}, team_of(0));
  EXPECT_EQ(out, 6.0F);
  count = 4;
  loss_scale({nullptr, &count, &out, 2.0F}, team_of(0));
  EXPECT_EQ(out, 0.5F);
  float weight = 0.25F;
  loss_scale({&upstream, &weight, &out, 1.0F, true}, team_of(0));
  EXPECT_EQ(out, 12.0F);
  weight = 0.0F;
  loss_scale({&upstream, &weight, &out, 1.0F, true}, team_of(0));
  EXPECT_EQ(out, 3.0F);
  loss_scale({&upstream, nullptr, &out, 0.5F}, team_of(0));
  EXPECT_EQ(out, 1.5F);
}

}  // namespace
}  // namespace ingot::kernels::loss_test
