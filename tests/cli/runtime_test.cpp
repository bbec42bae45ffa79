// SPDX-License-Identifier: Apache-2.0
// What a recipe's zeros stand for: all allowed cores, and as much memory as the machine allows.
#include "cli/runtime.h"

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::cli::runtime_test {
namespace {

TEST(Runtime, ZeroStandsForWhatTheMachineAllows) {
  Recipe recipe;
  EXPECT_EQ(thread_count(recipe), allowed_cores());
  EXPECT_EQ(memory_cap(recipe), memory_limit());
  recipe.threads = 3;
  recipe.memory.bytes = 1 << 20;
  EXPECT_EQ(thread_count(recipe), 3);
  EXPECT_EQ(memory_cap(recipe), 1 << 20);
}

TEST(Runtime, TheCapHoldsForTensors) {
  Recipe recipe;
  recipe.threads = 1;
  recipe.memory.bytes = 1 << 20;
  Runtime runtime(recipe);
  EXPECT_EQ(testing::code_of([&] { (void)Tensor::empty(runtime.engine, {1 << 20}); }),
            "out_of_memory");
  recipe.memory.bytes = 0;
  Runtime open(recipe);
  EXPECT_EQ(testing::code_of([&] { (void)Tensor::empty(open.engine, {memory_limit()}); }),
            "out_of_memory");
}

}  // namespace
}  // namespace ingot::cli::runtime_test
