// SPDX-License-Identifier: Apache-2.0
// What is kept of a run while it works: its records, its best weights, and a state to go on from.
// The loop writes to a Keeper and does not know where: RunFiles (run_files.h) keeps everything in
// a run directory, RunMemory keeps nothing beyond the process.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nn/parameter_store.h"
#include "optim/optimizer.h"
#include "train/schedule.h"
#include "train/task.h"

namespace ingot::train {

struct BestState {
  double loss = 0.0;
  int64_t step = -1;  ///< -1: no evaluation yet
  int64_t evaluations_since = 0;
  std::string sha256;  ///< of the file of its weights; empty in a state that knows of none
};

/// The steps of the present epoch that are done.
struct EpochState {
  double loss_sum = 0.0;
  int64_t steps = 0;
};

/// The part of a run's state that is not tensors.
struct RunState {
  int64_t step = 0;         ///< optimiser steps done
  int64_t total_steps = 0;  ///< horizon, fixed when the run starts
  int64_t metrics_lines = 0;
  double last_loss = 0.0;  ///< of the last step
  double last_validation = 0.0;
  double seconds = 0.0;  ///< of training, over all calls
  EpochState epoch;
  BestState best;
  PlateauState plateau;
  std::string recipe_hash;
};

/// What is logged of an optimiser step.
struct StepLog {
  float loss = 0.0F;
  float learning_rate = 0.0F;
  float gradient_norm = 0.0F;
  int64_t items = 0;  ///< learned from since the run began
  double items_per_s = 0.0;
  std::string_view item = "tokens";  ///< what an item is, in the plural
};

/// What is logged at the step in which a pass over the training data ends.
struct EpochLog {
  int64_t epoch = 0;       ///< passes so far, this one with them
  double mean_loss = 0.0;  ///< of its steps; one across the end counts where more of it lies
  int64_t steps = 0;
};

/// Something that happened at a step.
struct RunRecord {
  int64_t step = 0;
  double seconds = 0.0;  ///< since the call began
  std::variant<StepLog, EpochLog, Evaluation, Sample> what;
};

class Keeper {
 public:
  virtual ~Keeper() = default;
  /// The state of an earlier call of the same run, loaded into store and optimiser; else that of a
  /// new run of steps() steps. Throws what reading a damaged or foreign state throws.
  [[nodiscard]] virtual RunState begin(nn::ParameterStore& store, optim::Optimizer& optimizer,
                                       const std::function<int64_t()>& steps) = 0;
  virtual void record(const RunRecord& record) = 0;
  /// Everything recorded so far and `state` outlast the process from here on.
  virtual void save(RunState state, const nn::ParameterStore& store,
                    const optim::Optimizer& optimizer) = 0;
  /// Keeps the weights as the best so far. The SHA-256 of their file, empty where there is none.
  [[nodiscard]] virtual std::string save_best(const nn::ParameterStore& store) = 0;
  /// The weights that `best` names. Throws kNotFound or kCorruptFile, with the cure, when those are
  /// not what is kept.
  virtual void load_best(const BestState& best, nn::ParameterStore& store) = 0;
};

/// Keeps the best weights in memory and hands records on. Every call begins a new run.
class RunMemory : public Keeper {
 public:
  explicit RunMemory(std::function<void(const RunRecord&)> on_record)
      : on_record_(std::move(on_record)) {}

  [[nodiscard]] RunState begin(nn::ParameterStore& store, optim::Optimizer& optimizer,
                               const std::function<int64_t()>& steps) override;
  void record(const RunRecord& record) override { on_record_(record); }
  void save(RunState /*state*/, const nn::ParameterStore& /*store*/,
            const optim::Optimizer& /*optimizer*/) override {}
  [[nodiscard]] std::string save_best(const nn::ParameterStore& store) override;
  void load_best(const BestState& best, nn::ParameterStore& store) override;

 private:
  std::function<void(const RunRecord&)> on_record_;
  std::vector<float> best_;
};

}  // namespace ingot::train
