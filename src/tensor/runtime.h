// SPDX-License-Identifier: Apache-2.0
// A thread team and an engine that works with it: what a program needs before its first tensor.
// Everything made with the engine must be gone before the runtime is.
#pragma once

#include "base/machine.h"
#include "base/team.h"
#include "tensor/engine.h"

namespace ingot {

struct RuntimeOptions {
  int threads = 0;  ///< 0: all cores that this process may use
  uint64_t seed = 42;
  int64_t memory_bytes = 0;  ///< cap on tensor memory; 0: none
};

struct Runtime {
  explicit Runtime(const RuntimeOptions& options = {})
      : team(options.threads > 0 ? options.threads : allowed_cores()),
        engine(team, {options.seed, options.memory_bytes}) {}
  Team team;
  Engine engine;
};

}  // namespace ingot
