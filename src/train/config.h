// SPDX-License-Identifier: Apache-2.0
// What a recipe says about training, and the checks of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/config_fields.h"
#include "optim/optimizer.h"
#include "train/schedule.h"

namespace ingot::train {

/// Most micro-batches per step: each of them is recorded, and packing a record takes its square.
inline constexpr int64_t kMaxAccumulate = 1024;

struct EarlyStopConfig {
  int64_t patience = 0;
  double min_delta = 0.0;
  double threshold = 0.0;
  void visit(auto& field) {
    field("patience", patience,
          "evaluations without improvement before the run ends; 0: never. Of the validation loss: "
          "log loss of classes, mse of numbers, whatever objective.loss");
    field("min_delta", min_delta, "improvement of that loss that counts");
    field("threshold", threshold,
          "validation loss (log loss of classes, mse of numbers) below which the run ends; 0: "
          "none");
  }
};

struct TrainConfig {
  int64_t steps = 0;
  double epochs = 0.0;
  int64_t tokens = 0;
  double minutes = 0.0;
  int64_t seq = 256;
  int64_t micro_batch = 8;
  int64_t accumulate = 1;
  double lr = 1e-3;
  optim::OptimizerConfig optimizer;
  ScheduleConfig schedule;
  float clip_norm = 1.0F;
  float clip_value = 0.0F;
  int64_t log_every = 1;
  int64_t eval_every = 100;
  int64_t eval_epochs = 0;
  int64_t eval_batches = 0;
  int64_t sample_every = 0;
  std::string sample_prompt;
  int64_t checkpoint_every = 200;
  int64_t keep = 2;
  EarlyStopConfig early_stop;
  bool keep_best = true;
  bool replay = true;

  void visit(auto& field) {
    field("steps", steps,
          "horizon in optimiser steps (give one of steps, epochs, tokens, minutes)");
    field("epochs", epochs, "horizon in passes over the training split");
    field("tokens", tokens, "horizon in training tokens");
    field("minutes", minutes, "horizon in minutes on this machine, turned into steps at the start");
    field("seq", seq, "tokens per training window");
    field("micro_batch", micro_batch, "windows per forward and backward pass");
    field("accumulate", accumulate, "micro-batches per optimiser step");
    field("lr", lr, "peak learning rate, > 0");
    field("optimizer", optimizer, "update rule");
    field("schedule", schedule, "learning rate over time");
    field("clip_norm", clip_norm, "largest norm of the gradient; 0: no clipping");
    field("clip_value", clip_value,
          "largest size of one number of the gradient, cut before the norm is taken; 0: none");
    field("log_every", log_every, "steps between two lines of metrics");
    field("eval_every", eval_every, "steps between two evaluations; 0: only at the end");
    field("eval_epochs", eval_epochs,
          "epochs between two evaluations, at the end of an epoch and besides those of eval_every; "
          "0: none");
    field("eval_batches", eval_batches,
          "micro-batches per evaluation; 0: the whole validation split");
    field("sample_every", sample_every, "steps between two sample texts; 0: none");
    field("sample_prompt", sample_prompt, "how sample texts begin");
    field("checkpoint_every", checkpoint_every,
          "steps between two checkpoints; 0: only at the end");
    field("keep", keep, "checkpoints kept, at least 1");
    field("early_stop", early_stop, "ends a run that no longer improves, or is good enough");
    field("keep_best", keep_best,
          "export the weights with the lowest validation loss (log loss of classes, mse of "
          "numbers, whatever objective.loss), not the last");
    field("replay", replay, "record the step once and replay it; false runs every op eagerly");
  }
  /// Throws kInvalidArgument naming train.<key> and a value that works.
  void check() const;
};

/// Passes over the training data, in whole steps: a step across the end of a pass belongs to the
/// one in which more of it lies, half and half to the next.
struct Passes {
  int64_t items_per_step = 1;
  int64_t items_per_pass = 1;

  /// Passes that have ended after `steps` steps.
  [[nodiscard]] constexpr int64_t after(int64_t steps) const {
    return (items_per_step * steps + items_per_step / 2) / items_per_pass;
  }
  /// Whether one of every `number` passes ends in step `steps`, from 1.
  [[nodiscard]] constexpr bool ends_at(int64_t steps, int64_t number = 1) const {
    return after(steps) / number != after(steps - 1) / number;
  }
  /// Steps after which pass `number`, from 1, has ended.
  [[nodiscard]] constexpr int64_t steps_of(int64_t number) const {
    const int64_t items = number * items_per_pass - items_per_step / 2;
    return (items + items_per_step - 1) / items_per_step;
  }
};

/// Whether `steps` steps after the beginning the validation split is due: train.eval_every and
/// train.eval_epochs. Without items_per_pass no pass ends.
[[nodiscard]] bool is_evaluation_due(const TrainConfig& config, const Passes& passes,
                                     int64_t steps);

/// Optimiser steps for the horizon; `tokens_per_epoch` of the training split, `step_s` seconds per
/// step (0: not measured; then minutes gives 0).
[[nodiscard]] int64_t horizon_steps(const TrainConfig& config, int64_t tokens_per_epoch,
                                    double step_s);

/// Throws kInvalidArgument naming the key that looks at validation losses, when there are none;
/// `cure` says how there would be some, as in "Set data.validation=0.1".
void require_validation(const TrainConfig& config, bool has_validation, std::string_view cure);

}  // namespace ingot::train
