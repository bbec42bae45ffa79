// SPDX-License-Identifier: Apache-2.0
// The training loop: load, step, log, evaluate, sample, checkpoint, stop. Continues what its keeper
// has of an earlier call. Everything it needs from outside (model, data, clock, keeper, progress)
// is handed in.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/progress.h"
#include "train/keeper.h"
#include "train/step.h"

namespace ingot::train {

struct LoopContext {
  Engine& engine;
  Task& task;
  const Clock& clock;
  Keeper& keeper;
  std::function<bool()> should_stop = [] { return false; };  ///< polled after every step
  Progress* progress = nullptr;
  std::function<void(int64_t step)> after_step = [](int64_t) {};  ///< tests stop runs here
};

enum class EndReason : uint8_t { kFinished, kEarlyStop, kStopped };

struct TrainSummary {
  int64_t steps = 0;
  int64_t total_steps = 0;
  int64_t parameters = 0;
  double loss = 0.0;      ///< of the last step
  Evaluation validation;  ///< the last one; empty before the first
  BestState best;
  EndReason end = EndReason::kFinished;
  double seconds = 0.0;       ///< of training, over this call and those it continues
  double first_step_s = 0.0;  ///< from the call to the end of its first step; 0 when it made none
  double items_per_s = 0.0;   ///< of this call's steps; when it made none, over `seconds`
  int64_t slab_bytes = 0;
  int64_t flops_per_step = 0;
};

/// Trains to the horizon, or until should_stop. A stopped run ends with a checkpoint of the last
/// step; calling again continues it. Afterwards the task's module holds the best weights when
/// config.keep_best and the run is over, else the last.
/// Throws kInvalidArgument, kNumeric, kIo, and what Keeper::load_best throws; checkpoints written
/// before stay usable.
TrainSummary train(const LoopContext& context, const TrainConfig& config);

}  // namespace ingot::train
