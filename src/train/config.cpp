// SPDX-License-Identifier: Apache-2.0
#include "train/config.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ingot::train {

void TrainConfig::check() const {
  const int horizons = (steps > 0) + (epochs > 0) + (tokens > 0) + (minutes > 0);
  require(horizons == 1, Code::kInvalidArgument,
          "train: {} of steps, epochs, tokens and minutes are set, exactly one is needed, for "
          "example train.steps=1000",
          horizons);
  const auto positive = [](const char* key, int64_t value, int64_t usual) {
    require(value > 0, Code::kInvalidArgument, "train.{}: {} must be positive, for example {}", key,
            value, usual);
  };
  positive("seq", seq, 256);
  positive("micro_batch", micro_batch, 8);
  positive("accumulate", accumulate, 1);
  positive("log_every", log_every, 1);
  positive("keep", keep, 2);
  require(lr > 0.0 && std::isfinite(lr), Code::kInvalidArgument,
          "train.lr: {} must be a positive number, for example 1e-3", lr);
  require(clip_norm >= 0.0F, Code::kInvalidArgument,
          "train.clip_norm: {} is negative; 1 is usual, 0 turns clipping off", clip_norm);
  require(eval_every >= 0 && eval_batches >= 0 && sample_every >= 0 && checkpoint_every >= 0 &&
              early_stop.patience >= 0,
          Code::kInvalidArgument,
          "train: eval_every, eval_batches, sample_every, checkpoint_every and "
          "early_stop.patience must not be negative");
  require(early_stop.patience == 0 || eval_every > 0, Code::kInvalidArgument,
          "train.early_stop needs evaluations; set train.eval_every=100");
  schedule.check();
}

int64_t horizon_steps(const TrainConfig& c, int64_t tokens_per_epoch, double step_s) {
  const auto per_step = static_cast<double>(c.seq * c.micro_batch * c.accumulate);
  const auto at_least_one = [](double x) {
    return std::max<int64_t>(1, static_cast<int64_t>(std::llround(x)));
  };
  if (c.steps > 0) return c.steps;
  if (c.tokens > 0) return at_least_one(std::ceil(static_cast<double>(c.tokens) / per_step));
  if (c.epochs > 0) return at_least_one(c.epochs * static_cast<double>(tokens_per_epoch) / per_step);
  return step_s > 0 ? at_least_one(c.minutes * 60.0 / step_s) : 0;
}

}  // namespace ingot::train
