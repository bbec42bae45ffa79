// SPDX-License-Identifier: Apache-2.0
// How often a run is evaluated, counted step by step by hand. The rest of memory.h is judged
// through the planners: planner_test.cpp, network_planner_test.cpp.
#include "cost/memory.h"

#include <gtest/gtest.h>

namespace ingot::cost::memory_test {
namespace {

TEST(Evaluations, AreCountedByStepsByEpochsAndAtTheEnd) {
  train::TrainConfig config;
  config.eval_every = 0;
  const auto count = [&](int64_t steps) { return evaluations(config, {64, 500}, steps); };
  EXPECT_EQ(count(0), 0);
  EXPECT_EQ(count(20), 1);
  config.eval_epochs = 1;  // epochs end after 8, 16, 23, 31 … steps of 64 tokens
  EXPECT_EQ(count(0), 0);
  EXPECT_EQ(count(5), 1);
  EXPECT_EQ(count(16), 2);
  EXPECT_EQ(count(20), 3);
  EXPECT_EQ(count(23), 3);
  config.eval_epochs = 2;
  EXPECT_EQ(count(23), 2);
  config.eval_every = 10;
  EXPECT_EQ(count(23), 4) << "10, 16, 20 and 23";
  EXPECT_EQ(evaluations(config, {64, 0}, 23), 3) << "how long an epoch is is not known";
}

}  // namespace
}  // namespace ingot::cost::memory_test
