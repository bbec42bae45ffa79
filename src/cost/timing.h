// SPDX-License-Identifier: Apache-2.0
// How long a training step takes here, measured without wasting a short run's time on it.
#pragma once

#include <functional>

#include "train/step.h"

namespace ingot::cost {

/// Seconds per step, from steps run for `most_s` seconds, or for a tenth of the run where that is
/// less (`steps_of` gives its steps for a time per step); never for less than a twentieth of
/// `most_s`, which is the first look. Weights and buffers stay (Step::measure_seconds).
[[nodiscard]] double seconds_per_step(train::Step& step, double most_s,
                                      const std::function<int64_t(double)>& steps_of);

}  // namespace ingot::cost
