// SPDX-License-Identifier: Apache-2.0
// The thread team and the engine of one invocation, made from a recipe's threads, seed and memory.
#pragma once

#include "base/machine.h"
#include "base/team.h"
#include "cli/recipe.h"
#include "tensor/engine.h"

namespace ingot::cli {

/// threads as asked, or all allowed cores.
[[nodiscard]] inline int thread_count(const Recipe& recipe) {
  return recipe.threads > 0 ? static_cast<int>(recipe.threads) : allowed_cores();
}

/// memory as asked, or what the machine allows.
[[nodiscard]] inline int64_t memory_cap(const Recipe& recipe) {
  return recipe.memory.bytes > 0 ? recipe.memory.bytes : memory_limit();
}

struct Runtime {
  explicit Runtime(const Recipe& recipe)
      : team(thread_count(recipe)),
        engine(team, {static_cast<uint64_t>(recipe.seed), memory_cap(recipe)}) {}
  Team team;
  Engine engine;
};

}  // namespace ingot::cli
