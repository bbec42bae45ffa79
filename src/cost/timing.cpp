// SPDX-License-Identifier: Apache-2.0
#include "cost/timing.h"

#include <algorithm>

namespace ingot::cost {
namespace {

constexpr double kFirstLook = 0.05;  // of the time to measure, to see how long the run is
constexpr double kShareOfRun = 0.1;  // more than this of a run is not spent on measuring it

}  // namespace

double seconds_per_step(train::Step& step, double most_s,
                        const std::function<int64_t(double)>& steps_of) {
  const double first_s = most_s * kFirstLook;
  const double seconds = step.measure_seconds(first_s);
  const double run_s = static_cast<double>(steps_of(seconds)) * seconds;
  const double rest_s = std::min(most_s, run_s * kShareOfRun);
  return rest_s > first_s ? step.measure_seconds(rest_s) : seconds;
}

}  // namespace ingot::cost
