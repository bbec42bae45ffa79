// SPDX-License-Identifier: Apache-2.0
// Learning-rate range test (Smith 2017, fastai's form): real steps with a learning rate that grows
// exponentially until the smoothed loss has clearly diverged. Suggests the rate where the loss
// falls fastest and a tenth of the one where it is lowest. Weights and optimiser state are as
// before afterwards. Called by the command line and by users of train/step.
#pragma once

#include <cstdint>
#include <vector>

#include "train/step.h"

namespace ingot::train {

struct LrFinderConfig {
  double from = 1e-7;
  double to = 10.0;
  int64_t steps = 100;
  double smoothing = 0.98;
  double diverged = 4.0;
  void visit(auto& field) {
    field("from", from, "first learning rate, > 0");
    field("to", to, "last learning rate, above from");
    field("steps", steps, "steps from one to the other, at least 20");
    field("smoothing", smoothing, "share of the running mean of losses, in [0, 1)");
    field("diverged", diverged, "stops when the smoothed loss is this many times the lowest, > 1");
  }
  /// Throws kInvalidArgument naming the key and a value that works.
  void check() const;
};

struct LrPoint {
  double lr = 0.0;
  double loss = 0.0;
  double smoothed = 0.0;  ///< running mean with bias correction
};

struct LrSuggestion {
  std::vector<LrPoint> points;
  bool has_diverged = false;  ///< false: the ramp ended first, a larger `to` may say more
  double steepest = 0.0;      ///< NaN when too few points were recorded or the loss never fell
  double minimum_tenth = 0.0;
};

/// The two rates from recorded points: the first tenth of them and the last are left out of the
/// search for the steepest descent, whose slope is by central differences over the logarithm of the
/// rate, a tenth of the points wide, so that one easy batch makes none.
void suggest(LrSuggestion& result);

/// Runs the test on micro-batches 0, 1, …. Throws what Step::run does, but for losses that are not
/// finite, which end the test.
[[nodiscard]] LrSuggestion find_lr(Step& step, const LrFinderConfig& config = {});

}  // namespace ingot::train
