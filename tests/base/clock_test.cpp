// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace ingot::clock_test {
namespace {

TEST(Clock, RealTimeNeverGoesBack) {
  const RealClock clock;
  double before = clock.now_s();
  for (int i = 0; i < 1000; ++i) {
    const double now = clock.now_s();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.wall_s(), 1.6e9);
}

TEST(Clock, FakeTimeMovesOnlyWhenTold) {
  FakeClock clock(5, 100);
  EXPECT_EQ(clock.now_s(), 5);
  clock.advance(2.5);
  EXPECT_EQ(clock.now_s(), 7.5);
  EXPECT_EQ(clock.wall_s(), 102.5);
}

TEST(Clock, UtcTextIsIso8601) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(951782400.9), "2000-02-29T00:00:00Z");
}

}  // namespace
}  // namespace ingot::clock_test
