// SPDX-License-Identifier: Apache-2.0
// Every schedule against its closed form, written down here once more.
#include "train/schedule.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace ingot::train::schedule_test {
namespace {

constexpr double kLr = 0.5;
constexpr double kRounding = 1e-12;  // a few operations in double on numbers near one

ScheduleConfig config_of(ScheduleKind kind, double warmup = 0.0, double last = 0.1) {
  ScheduleConfig c;
  c.name = kind;
  c.warmup = warmup;
  c.final = last;
  return c;
}

TEST(Schedule, WarmupIsLinearAndEndsAtThePeak) {
  const Schedule s(config_of(ScheduleKind::kConstant, 4), kLr, 10);
  const double expected[] = {0.125, 0.25, 0.375, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
  for (int step = 0; step < 10; ++step) EXPECT_DOUBLE_EQ(s.at(step), expected[step]) << step;
}

TEST(Schedule, WarmupBelowOneIsAShare) {
  const Schedule share(config_of(ScheduleKind::kCosine, 0.25), kLr, 40);
  const Schedule steps(config_of(ScheduleKind::kCosine, 10), kLr, 40);
  for (int step = 0; step < 40; ++step) EXPECT_DOUBLE_EQ(share.at(step), steps.at(step)) << step;
}

TEST(Schedule, WarmupLongerThanTheRunIsCut) {
  const Schedule s(config_of(ScheduleKind::kLinear, 1000), kLr, 10);
  EXPECT_DOUBLE_EQ(s.at(0), kLr / 10);
  EXPECT_DOUBLE_EQ(s.at(9), kLr);
}

TEST(Schedule, Linear) {
  const Schedule s(config_of(ScheduleKind::kLinear, 20, 0.2), kLr, 100);
  for (int step = 20; step < 100; ++step) {
    const double t = (step - 20) / 80.0;
    EXPECT_NEAR(s.at(step), kLr * ((1 - t) + 0.2 * t), kRounding) << step;
  }
  const Schedule zero(config_of(ScheduleKind::kLinear, 0, 0.0), kLr, 8);
  EXPECT_DOUBLE_EQ(zero.at(0), kLr);
  EXPECT_DOUBLE_EQ(zero.at(7), kLr / 8);
}

TEST(Schedule, Cosine) {
  const Schedule s(config_of(ScheduleKind::kCosine, 10, 0.1), kLr, 110);
  EXPECT_DOUBLE_EQ(s.at(10), kLr);
  EXPECT_NEAR(s.at(60), kLr * 0.55, kRounding);  // half way
  for (int step = 10; step < 110; ++step) {
    const double angle = std::numbers::pi * (step - 10) / 100.0;
    // cos² of the half angle, the other way to write it
    EXPECT_NEAR(s.at(step), kLr * (0.1 + 0.9 * std::pow(std::cos(angle / 2), 2)), kRounding);
  }
}

TEST(Schedule, StepDrops) {
  ScheduleConfig c = config_of(ScheduleKind::kStep);
  c.step_size = 3;
  c.gamma = 0.5;
  const Schedule s(c, kLr, 10);
  const double expected[] = {0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.0625};
  for (int step = 0; step < 10; ++step) EXPECT_NEAR(s.at(step), expected[step], kRounding) << step;
}

TEST(Schedule, WarmupStableDecay) {
  ScheduleConfig c = config_of(ScheduleKind::kWarmupStableDecay, 10, 0.1);
  c.decay = 0.2;
  const Schedule s(c, kLr, 100);
  for (int step = 10; step < 80; ++step) EXPECT_DOUBLE_EQ(s.at(step), kLr) << step;
  for (int step = 80; step < 100; ++step) {
    EXPECT_NEAR(s.at(step), kLr * (1.0 - 0.9 * (step - 80) / 20.0), 1e-9) << step;
  }
  c.decay = 0.0;
  EXPECT_DOUBLE_EQ(Schedule(c, kLr, 100).at(99), kLr);
}

TEST(Schedule, OneCycle) {
  const Schedule s(config_of(ScheduleKind::kOneCycle, 0, 0.1), kLr, 100);
  EXPECT_NEAR(s.at(0), kLr / 25, kRounding);
  EXPECT_NEAR(s.at(15), kLr * 0.52, kRounding);  // half way up
  EXPECT_NEAR(s.at(30), kLr, kRounding);
  EXPECT_NEAR(s.at(65), kLr * 0.55, kRounding);  // half way down
  for (int step = 1; step < 100; ++step) {
    EXPECT_EQ(s.at(step) > s.at(step - 1), step <= 30) << step;
  }
}

// The rise is its own: a warm-up before it would reach the peak, fall to 1/25 of it and rise again.
TEST(Schedule, OneCycleTakesNoWarmup) {
  ScheduleConfig c;
  c.name = ScheduleKind::kOneCycle;
  ASSERT_GT(c.warmup, 0.0);  // the default
  const Schedule with(c, kLr, 100);
  c.warmup = 0.0;
  const Schedule without(c, kLr, 100);
  for (int step = 0; step < 100; ++step) EXPECT_DOUBLE_EQ(with.at(step), without.at(step)) << step;
  for (int step = 1; step <= 30; ++step) EXPECT_GT(with.at(step), with.at(step - 1)) << step;
  EXPECT_NEAR(with.at(0), kLr / 25, kRounding);
}

TEST(Schedule, PlateauDropsAfterPatience) {
  ScheduleConfig c = config_of(ScheduleKind::kPlateau);
  c.patience = 2;
  c.gamma = 0.1;
  Schedule s(c, kLr, 100);
  EXPECT_DOUBLE_EQ(s.at(5), kLr);
  const struct {
    double loss, factor;
  } steps[] = {{3.0, 1.0}, {2.0, 1.0}, {2.5, 1.0}, {2.0, 0.1}, {1.9, 0.1},
               {2.0, 0.1}, {1.8, 0.1}, {1.8, 0.1}, {1.8, 0.01}};
  for (const auto& step : steps) {
    s.observe(step.loss);
    EXPECT_NEAR(s.at(50), kLr * step.factor, kRounding) << step.loss;
  }
}

TEST(Schedule, PlateauGoesOnFromItsState) {
  ScheduleConfig c = config_of(ScheduleKind::kPlateau);
  c.patience = 1;
  c.gamma = 0.5;
  Schedule whole(c, kLr, 100), first(c, kLr, 100);
  for (const double loss : {2.0, 2.1}) {
    whole.observe(loss);
    first.observe(loss);
  }
  Schedule second(c, kLr, 100);
  second.plateau = first.plateau;
  for (const double loss : {2.2, 1.0, 1.5}) {
    whole.observe(loss);
    second.observe(loss);
    EXPECT_DOUBLE_EQ(whole.at(9), second.at(9));
  }
  EXPECT_DOUBLE_EQ(second.at(9), kLr / 8);
}

TEST(Schedule, PlateauLivesThroughANanLoss) {
  ScheduleConfig c = config_of(ScheduleKind::kPlateau);
  c.patience = 1;
  c.gamma = 0.5;
  Schedule s(c, kLr, 100);
  s.observe(std::nan(""));
  s.observe(2.0);
  s.observe(1.0);
  EXPECT_DOUBLE_EQ(s.at(0), kLr);
}

TEST(Schedule, OthersDoNotLookAtTheLoss) {
  Schedule s(config_of(ScheduleKind::kConstant), kLr, 10);
  for (int i = 0; i < 9; ++i) s.observe(5.0);
  EXPECT_DOUBLE_EQ(s.at(3), kLr);
}

TEST(Schedule, NeverNegativeAndNeverAboveThePeak) {
  for (const EnumName& name : kScheduleNames) {
    for (const int64_t total : {1, 2, 3, 10, 1000}) {
      ScheduleConfig c = config_of(static_cast<ScheduleKind>(name.value), 0.1, 0.0);
      const Schedule s(c, kLr, total);
      for (int64_t step = 0; step < total; ++step) {
        EXPECT_GE(s.at(step), 0.0) << name.name << " " << step << " of " << total;
        EXPECT_LE(s.at(step), kLr * (1 + kRounding)) << name.name << " " << step;
      }
    }
  }
}

}  // namespace
}  // namespace ingot::train::schedule_test
