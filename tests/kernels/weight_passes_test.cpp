// SPDX-License-Identifier: Apache-2.0
// weight_passes.h against plain formulas in double over a run of steps: exponential and equal
// averages, when they start, look-ahead, penalties.
#include "kernels/weight_passes.h"

#include <cmath>

#include "kernels/kernel_testing.h"

namespace ingot::kernels::weight_passes_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 2e-6;  // a rounding per step of values around 2
constexpr int64_t kSteps = 9;

Floats weights_at(int64_t n, int64_t step) { return uniform(n, static_cast<uint32_t>(step)); }

Floats average_after(AverageArgs args, int64_t n, Team& team) {
  Floats average(static_cast<size_t>(n), 77.0F);
  for (int64_t step = 1; step <= kSteps; ++step) {
    const Floats param = weights_at(n, step);
    args.average = average.data();
    args.param = param.data();
    args.step = &step;
    args.n = n;
    average_weights(args, team);
  }
  return average;
}

TEST(Average, EmaStartsWithTheWeightsAndDecays) {
  for (const int64_t n : {17, 262147}) {
    for (const bool warm_up : {false, true}) {
      AverageArgs args;
      args.decay = 0.75;
      args.start = 3;
      args.warm_up = warm_up;
      Doubles want = wide(weights_at(n, 3));
      for (int64_t step = 4; step <= kSteps; ++step) {
        const Floats param = weights_at(n, step);
        const auto t = static_cast<double>(step - 3);
        const double d = warm_up ? std::min(0.75, (1.0 + t) / (10.0 + t)) : 0.75;
        for (size_t i = 0; i < want.size(); ++i) {
          want[i] = d * want[i] + (1.0 - d) * static_cast<double>(param[i]);
        }
      }
      expect_kernel([&](Team& t) { return average_after(args, n, t); }, want, kTolerance);
    }
  }
}

TEST(Average, SwaIsTheMeanOfEveryNthWeights) {
  for (const int64_t n : {17, 262147}) {
    AverageArgs args;
    args.kind = AverageKind::kSwa;
    args.start = 3;
    args.every = 2;
    Doubles want(static_cast<size_t>(n));
    for (const int64_t step : {3, 5, 7, 9}) {
      const Floats param = weights_at(n, step);
      for (size_t i = 0; i < want.size(); ++i) want[i] += 0.25 * static_cast<double>(param[i]);
    }
    expect_kernel([&](Team& t) { return average_after(args, n, t); }, want, kTolerance);
  }
}

TEST(Average, BeforeItsStartItIsTheWeightsToTheBit) {
  for (const AverageKind kind : {AverageKind::kEma, AverageKind::kSwa}) {
    AverageArgs args;
    args.kind = kind;
    args.start = kSteps;
    for_each_target([&] {
      EXPECT_TRUE(same_bits(average_after(args, 100, team_of(0)), weights_at(100, kSteps)));
    });
  }
}

/// `ramp` 3: the share falls from 1 to a quarter with the cube of what is done of kSteps.
void expect_lookahead(int64_t n, double ramp) {
  constexpr float kFast = 0.5F;  // what the inner rule adds per step
  Doubles fast = wide(weights_at(n, 1)), slow = fast;
  for (int64_t step = 1; step <= kSteps; ++step) {
    const double done = static_cast<double>(step) / static_cast<double>(kSteps);
    const double share = ramp > 0.0 ? 1.0 - 0.75 * done * done * done : 0.25;
    for (size_t i = 0; i < fast.size(); ++i) {
      fast[i] += static_cast<double>(kFast);
      if (step % 4 != 0) continue;
      slow[i] += share * (fast[i] - slow[i]);
      fast[i] = slow[i];
    }
  }
  const auto compute = [&](Team& team) {
    Floats param = weights_at(n, 1), behind(param.size(), 9.0F);
    const int64_t total = kSteps;
    for (int64_t step = 1; step <= kSteps; ++step) {
      LookaheadArgs args{param.data(), behind.data(), &step, &total, n, 4, 0.25, ramp, true};
      lookahead(args, team);
      for (float& p : param) p += kFast;
      args.is_before = false;
      lookahead(args, team);
    }
    return param;
  };
  expect_kernel(compute, fast, kTolerance);
}

TEST(Lookahead, MovesEveryFewStepsAndStartsAtTheWeights) {
  for (const int64_t n : {17, 262147}) expect_lookahead(n, 0.0);
}

TEST(Lookahead, TheShareMayFallOverTheRun) {
  for (const int64_t n : {17, 262147}) expect_lookahead(n, 3.0);
}

TEST(Penalty, IsTheGradientOfSizesAndSquares) {
  for (const int64_t n : kSizes) {
    Floats param = uniform(n, 1);
    const Floats start = uniform(n, 2);
    if (n > 2) param[2] = 0.0F;
    Doubles want;
    for (size_t i = 0; i < param.size(); ++i) {
      const auto p = static_cast<double>(param[i]);
      const double sign = p > 0.0 ? 1.0 : p < 0.0 ? -1.0 : 0.0;
      want.push_back(static_cast<double>(start[i]) + 0.25 * sign + 2.0 * 0.125 * p);
    }
    const auto compute = [&](Team& t) {
      Floats grad = start;
      penalty({param.data(), grad.data(), n, 0.25F, 0.125F}, t);
      return grad;
    };
    expect_kernel(compute, want, kTolerance);
  }
}

}  // namespace
}  // namespace ingot::kernels::weight_passes_test
