// SPDX-License-Identifier: Apache-2.0
#include "train/config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ingot::train {

namespace {

// Largest values: sums and products of them stay far inside 64 bits, and nothing is planned that no
// machine runs.
constexpr int64_t kMaxSteps = 99'999'999;  // eight digits in a checkpoint's name
constexpr int64_t kMaxSeq = 1 << 24;
constexpr int64_t kMaxMicroBatch = 1 << 20;
constexpr int64_t kMaxMicroTokens = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxTokens = int64_t{1} << 56;  // of a whole run

void check_sizes(const TrainConfig& c) {
  const auto at_most = [](const char* key, int64_t value, int64_t most) {
    require(value <= most, Code::kInvalidArgument,
            "train.{}: {} is too large, at most {} is possible", key, value, most);
  };
  at_most("steps", c.steps, kMaxSteps);
  at_most("tokens", c.tokens, kMaxTokens);
  at_most("seq", c.seq, kMaxSeq);
  at_most("micro_batch", c.micro_batch, kMaxMicroBatch);
  at_most("accumulate", c.accumulate, kMaxAccumulate);
  require(
      c.micro_batch * c.seq <= kMaxMicroTokens, Code::kInvalidArgument,
      "train.micro_batch: {} windows of {} tokens are more than {} tokens. train.micro_batch={} "
      "would do",
      c.micro_batch, c.seq, kMaxMicroTokens, kMaxMicroTokens / c.seq);
}

/// Names those that are set, and for each the keys that leave it alone.
void require_one_horizon(const TrainConfig& c) {
  std::vector<std::pair<std::string, std::string>> set;  // key, value
  if (c.steps > 0) set.emplace_back("steps", fmt::format("{}", c.steps));
  if (c.epochs > 0) set.emplace_back("epochs", fmt::format("{}", c.epochs));
  if (c.tokens > 0) set.emplace_back("tokens", fmt::format("{}", c.tokens));
  if (c.minutes > 0) set.emplace_back("minutes", fmt::format("{}", c.minutes));
  require(!set.empty(), Code::kInvalidArgument,
          "train: none of steps, epochs, tokens and minutes is set, exactly one is needed, for "
          "example train.steps=1000");
  if (set.size() == 1) return;
  std::vector<std::string> given, cures;
  for (const auto& [key, value] : set) {
    given.push_back(fmt::format("{} {}", key, value));
    std::string others;
    for (const auto& [other, unused] : set) {
      if (other != key) others += fmt::format("train.{}=0 ", other);
    }
    cures.push_back(fmt::format("{}to go by {}", others, key));
  }
  fail(Code::kInvalidArgument, "train: {} are set, exactly one is needed. Add {}",
       join(given, " and "), join(cures, ", or "));
}

}  // namespace

void TrainConfig::check() const {
  require(steps >= 0 && epochs >= 0 && tokens >= 0 && minutes >= 0, Code::kInvalidArgument,
          "train: steps {}, epochs {}, tokens {} and minutes {} must not be negative, for example "
          "train.steps=1000",
          steps, epochs, tokens, minutes);
  require_one_horizon(*this);
  const auto positive = [](const char* key, int64_t value, int64_t usual) {
    require(value > 0, Code::kInvalidArgument, "train.{}: {} must be positive, for example {}", key,
            value, usual);
  };
  positive("seq", seq, 256);
  positive("micro_batch", micro_batch, 8);
  positive("accumulate", accumulate, 1);
  positive("log_every", log_every, 1);
  positive("keep", keep, 2);
  check_sizes(*this);
  require(lr > 0.0 && std::isfinite(lr), Code::kInvalidArgument,
          "train.lr: {} must be a positive number, for example 1e-3", lr);
  require(clip_norm >= 0.0F, Code::kInvalidArgument,
          "train.clip_norm: {} is negative; 1 is usual, 0 turns clipping off", clip_norm);
  require(clip_value >= 0.0F, Code::kInvalidArgument,
          "train.clip_value: {} is negative; 0 turns clipping by value off", clip_value);
  const auto not_negative = [](const char* key, int64_t value, const char* zero) {
    require(value >= 0, Code::kInvalidArgument, "train.{}: {} must not be negative; 0: {}", key,
            value, zero);
  };
  not_negative("eval_every", eval_every, "only at the end");
  not_negative("eval_epochs", eval_epochs, "none besides those of train.eval_every");
  not_negative("eval_batches", eval_batches, "the whole validation split");
  not_negative("sample_every", sample_every, "none");
  not_negative("checkpoint_every", checkpoint_every, "only at the end");
  not_negative("early_stop.patience", early_stop.patience, "off");
  require(early_stop.threshold >= 0.0 && std::isfinite(early_stop.threshold),
          Code::kInvalidArgument,
          "train.early_stop.threshold: {} must be a loss, for example 0.1; 0 turns it off",
          early_stop.threshold);
  const bool stops_early = early_stop.patience > 0 || early_stop.threshold > 0.0;
  require(!stops_early || eval_every > 0 || eval_epochs > 0, Code::kInvalidArgument,
          "train.early_stop needs evaluations; set train.eval_every=100");
  schedule.check();
  optim::check_rule(optimizer);
}

bool is_evaluation_due(const TrainConfig& c, const Passes& passes, int64_t steps) {
  if (c.eval_every > 0 && steps % c.eval_every == 0) return true;
  return c.eval_epochs > 0 && passes.items_per_pass > 0 && passes.ends_at(steps, c.eval_epochs);
}

int64_t horizon_steps(const TrainConfig& c, int64_t tokens_per_epoch, double step_s) {
  const auto per_step = static_cast<double>(c.seq * c.micro_batch * c.accumulate);
  const auto at_least_one = [](double x) {
    require(
        x <= static_cast<double>(kMaxSteps), Code::kInvalidArgument,
        "train: the horizon is {} steps, at most {} are possible. Lower train.tokens, train.epochs "
        "or train.minutes",
        x, kMaxSteps);
    return std::max<int64_t>(1, static_cast<int64_t>(std::llround(x)));
  };
  if (c.steps > 0) return c.steps;
  if (c.tokens > 0) return at_least_one(std::ceil(static_cast<double>(c.tokens) / per_step));
  if (c.epochs > 0)
    return at_least_one(c.epochs * static_cast<double>(tokens_per_epoch) / per_step);
  return step_s > 0 ? at_least_one(c.minutes * 60.0 / step_s) : 0;
}

void require_validation(const TrainConfig& config, bool has_validation, std::string_view cure) {
  if (has_validation) return;
  const auto refuse = [&](const char* key, const auto& value, const char* off) {
    fail(Code::kInvalidArgument,
         "train.{}: {} needs the validation loss, and nothing is held out for one. {}, or "
         "train.{}={}",
         key, value, cure, key, off);
  };
  if (config.early_stop.threshold > 0.0) {
    refuse("early_stop.threshold", config.early_stop.threshold, "0");
  }
  if (config.early_stop.patience > 0)
    refuse("early_stop.patience", config.early_stop.patience, "0");
  const ScheduleKind name = config.schedule.name;
  if (name == ScheduleKind::kPlateau) refuse("schedule.name", enum_name(name), "cosine");
}

}  // namespace ingot::train
