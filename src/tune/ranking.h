// SPDX-License-Identifier: Apache-2.0
// Which combination of a search did best. Where the seed is one of the axes, a combination is
// judged by its mean over the seeds, so that no lucky one decides. Called by the command line.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tune/space.h"

namespace ingot::tune {

/// Whether a larger value of a metric is the better one: of errors and losses a smaller is.
[[nodiscard]] bool is_higher_better(std::string_view metric);

struct Trial {
  Point point;
  double score = std::numeric_limits<double>::quiet_NaN();  ///< NaN: the trial failed
};

struct Rank {
  std::vector<size_t> trials;  ///< places in the list of trials
  double mean = 0.0;           ///< of their scores; NaN when one failed
  double deviation = 0.0;      ///< of the sample, n - 1; 0 for a single trial
  [[nodiscard]] bool has_failed() const { return std::isnan(mean); }
};

/// Best first, those of equal means in the order of the trials, those with a failed trial last.
[[nodiscard]] std::vector<Rank> rank_trials(std::span<const Axis> axes,
                                            std::span<const Trial> trials, bool is_higher_better);

}  // namespace ingot::tune
