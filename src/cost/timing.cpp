// SPDX-License-Identifier: Apache-2.0
#include "cost/timing.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::cost {
namespace {

constexpr double kFirstLook = 0.05;  // of the time to measure, to see how long the run is
constexpr double kShareOfRun = 0.1;  // more than this of a run is not spent on measuring it

}  // namespace

void announce(const Watch& watch, int64_t flops) {
  if (!watch.note || flops < kLongStepFlops) return;
  watch.note(fmt::format("plan: measuring a step of {:.0f} GFLOP; Ctrl-C stops it",
                         1e-9 * static_cast<double>(flops)));
}

double seconds_per_step(train::Step& step, double most_s,
                        const std::function<int64_t(double)>& steps_of) {
  const double first_s = most_s * kFirstLook;
  const double seconds = step.measure_seconds(first_s);
  const double run_s = static_cast<double>(steps_of(seconds)) * seconds;
  const double rest_s = std::min(most_s, run_s * kShareOfRun);
  return rest_s > std::max(first_s, seconds) ? step.measure_seconds(rest_s) : seconds;
}

}  // namespace ingot::cost
