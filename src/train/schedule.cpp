// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <string>

#include "base/error.h"
#include "optim/own_key.h"

namespace ingot::train {

void ScheduleConfig::check() const {
  const auto in_unit = [](const char* key, double x) {
    require(x >= 0.0 && x <= 1.0, Code::kInvalidArgument, "train.schedule.{}: {} is not in [0, 1]",
            key, x);
  };
  require(warmup >= 0.0, Code::kInvalidArgument,
          "train.schedule.warmup: {} is negative; 0.02 is usual", warmup);
  in_unit("final", final);
  in_unit("decay", decay);
  in_unit("gamma", gamma);
  require(step_size > 0, Code::kInvalidArgument,
          "train.schedule.step_size: {} must be positive; 1000 is usual", step_size);
  require(patience > 0, Code::kInvalidArgument,
          "train.schedule.patience: {} must be positive; 3 is usual", patience);
  const ScheduleConfig usual;
  const auto require_own = [&](const char* key, bool is_set,
                               std::initializer_list<ScheduleKind> kinds) {
    const std::string path = std::string("train.schedule.") + key;
    optim::require_own_key(path, is_set, "train.schedule.name", name, kinds);
  };
  require_own("decay", decay != usual.decay, {ScheduleKind::kWarmupStableDecay});
  require_own("step_size", step_size != usual.step_size, {ScheduleKind::kStep});
  require_own("gamma", gamma != usual.gamma, {ScheduleKind::kStep, ScheduleKind::kPlateau});
  require_own("patience", patience != usual.patience, {ScheduleKind::kPlateau});
}

Schedule::Schedule(const ScheduleConfig& config, double lr, int64_t total_steps)
    : config_(config), lr_(lr), total_(std::max<int64_t>(total_steps, 1)) {
  config.check();
  const double steps = config.name == ScheduleKind::kOneCycle ? 0.0  // it rises by itself
                       : config.warmup < 1.0 ? config.warmup * static_cast<double>(total_)
                                             : config.warmup;
  warmup_ = std::min(total_, static_cast<int64_t>(std::llround(steps)));
}

double Schedule::shape(double t, int64_t step) const {
  const double last = config_.final;
  switch (config_.name) {
    case ScheduleKind::kConstant:
      return 1.0;
    case ScheduleKind::kStep:
      return std::pow(config_.gamma, static_cast<double>(step / config_.step_size));
    case ScheduleKind::kLinear:
      return 1.0 - (1.0 - last) * t;
    case ScheduleKind::kCosine:
      return last + (1.0 - last) * 0.5 * (1.0 + std::cos(std::numbers::pi * t));
    case ScheduleKind::kWarmupStableDecay: {
      const double start = 1.0 - config_.decay;
      const double whole = static_cast<double>(step) / static_cast<double>(total_);
      if (whole < start || config_.decay == 0.0) return 1.0;
      return 1.0 - (1.0 - last) * (whole - start) / config_.decay;
    }
    case ScheduleKind::kOneCycle:  // up over the first 30 %, down by a cosine (Smith 2018)
      if (t < 0.3) return 0.04 + 0.96 * 0.5 * (1.0 - std::cos(std::numbers::pi * t / 0.3));
      return last + (1.0 - last) * 0.5 * (1.0 + std::cos(std::numbers::pi * (t - 0.3) / 0.7));
    case ScheduleKind::kPlateau:
      return plateau.factor;
  }
  return 1.0;
}

double Schedule::at(int64_t step) const {
  if (step < warmup_) return lr_ * static_cast<double>(step + 1) / static_cast<double>(warmup_);
  const int64_t span = std::max<int64_t>(total_ - warmup_, 1);
  return lr_ * shape(static_cast<double>(step - warmup_) / static_cast<double>(span), step);
}

void Schedule::observe(double loss) {
  if (config_.name != ScheduleKind::kPlateau) return;
  if (!plateau.has_best || std::isnan(plateau.best) || loss < plateau.best) {
    plateau.best = loss;
    plateau.has_best = true;
    plateau.bad = 0;
  } else if (++plateau.bad >= config_.patience) {
    plateau.factor *= config_.gamma;
    plateau.bad = 0;
  }
}

}  // namespace ingot::train
