// SPDX-License-Identifier: Apache-2.0
// One optimiser step as data: forward and backward of every micro-batch, gradient norm, update.
// Recorded once and replayed (or run op by op with replay off, with the same bytes). The update is
// a part of its own, so that a gradient that is not finite never reaches the weights.
#pragma once

#include <memory>
#include <optional>

#include "nn/parameter_store.h"
#include "optim/norm_clip.h"
#include "optim/optimizer.h"
#include "tensor/plan.h"
#include "train/config.h"
#include "train/task.h"

namespace ingot::train {

struct StepResult {
  float loss = 0.0F;
  float grad_norm = 0.0F;
};

class Step {
 public:
  Step(Engine& engine, const TrainConfig& config, Task& task);

  /// Loads the micro-batches of step `step` (from 0), runs them, updates with `lr`.
  /// Throws kNumeric naming the module and op when the loss or the gradient is not finite; the
  /// weights are then those of before the step.
  StepResult run(int64_t step, double lr);

  /// Tells rules that look ahead how many updates the run has.
  void set_total(int64_t steps) { *scalars_.total.data<int64_t>() = steps; }

  /// Bytes, FLOPs and calls of a step, found by recording it without memory.
  [[nodiscard]] Forecast forecast();
  /// Seconds per step measured over about `budget_s`; weights and optimiser state are unchanged.
  [[nodiscard]] double measure_seconds(double budget_s);
  /// Exchanges weights and running statistics with their average, when the recipe keeps one: what
  /// is validated and exported. Twice is as if never. See AveragedWeights.
  void exchange_average();
  /// FLOPs of one step as recorded.
  [[nodiscard]] int64_t flops() const { return plan_ ? plan_->flops() : 0; }
  [[nodiscard]] Plan* plan() { return plan_ ? &*plan_ : nullptr; }
  [[nodiscard]] nn::ParameterStore& store() { return store_; }
  [[nodiscard]] optim::Optimizer& optimizer() { return *optimizer_; }

 private:
  void run_gradients();  // as recorded, or op by op
  void run_update();
  void gradients();
  void clip_values();
  void update() { optimizer_->step(scalars_, tape_); }
  void record();
  void load(int64_t step);
  [[noreturn]] void explain_nonfinite(int64_t step, const StepResult& result);

  Engine& engine_;
  TrainConfig config_;
  Task& task_;
  nn::ParameterStore store_;
  Tape tape_;
  optim::Scalars scalars_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  Tensor count_;  // int64 []: targets of the step
  Tensor loss_;   // float32 []: sum of the micro-batches' losses
  optim::NormClip norm_;
  std::optional<Plan> plan_;
};

/// While it lives, the module holds the averaged weights, if there are any.
class AveragedWeights {
 public:
  explicit AveragedWeights(Step& step) : step_(step) { step_.exchange_average(); }
  ~AveragedWeights() { step_.exchange_average(); }
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  Step& step_;
};

}  // namespace ingot::train
