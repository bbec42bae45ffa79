// SPDX-License-Identifier: Apache-2.0
// How long a training step takes here, measured without wasting a short run's time on it.
#pragma once

#include <functional>
#include <string_view>

#include "base/signals.h"
#include "train/step.h"

namespace ingot::cost {

/// Who waits for a plan: the flag that ends it between two kernels (kCancelled; null: never), and
/// where it says that it will take long.
struct Watch {
  const StopFlag* stop = nullptr;
  std::function<void(std::string_view)> note{};
};

/// Steps of at least so many FLOPs are announced: about a second on a slow machine.
inline constexpr int64_t kLongStepFlops = 20'000'000'000;

/// Tells `watch` of the measurement of a step of that many FLOPs, if it is long.
void announce(const Watch& watch, int64_t flops);

/// Seconds per step, from steps run for `most_s` seconds, or for a tenth of the run where that is
/// less (`steps_of` gives its steps for a time per step); never for less than a twentieth of
/// `most_s`, which is the first look. One step after the one that warms up is always run, and where
/// it takes all of that time, no other. Weights and buffers stay (Step::measure_seconds).
[[nodiscard]] double seconds_per_step(train::Step& step, double most_s,
                                      const std::function<int64_t(double)>& steps_of);

}  // namespace ingot::cost
