// SPDX-License-Identifier: Apache-2.0
// The thread team and the engine of one invocation, made from a recipe's threads, seed and memory.
#pragma once

#include "cli/recipe.h"
#include "tensor/runtime.h"

namespace ingot::cli {

/// threads as asked, or all allowed cores.
[[nodiscard]] inline int thread_count(const Recipe& recipe) {
  return recipe.threads > 0 ? static_cast<int>(recipe.threads) : allowed_cores();
}

/// memory as asked, or what the machine allows.
[[nodiscard]] inline int64_t memory_cap(const Recipe& recipe) {
  return recipe.memory.bytes > 0 ? recipe.memory.bytes : memory_limit();
}

struct Runtime : ingot::Runtime {
  explicit Runtime(const Recipe& recipe)
      : ingot::Runtime(
            {thread_count(recipe), static_cast<uint64_t>(recipe.seed), memory_cap(recipe)}) {}
};

}  // namespace ingot::cli
