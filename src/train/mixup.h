// SPDX-License-Identifier: Apache-2.0
// Mixup (Zhang 2018): a training example is a mean of two, and so is its target. Which other one
// and how much of it is a pure function of seed, epoch and row, so a batch holds the same mixtures
// whatever else is in it. Called by supervised_task.cpp.
#pragma once

#include <cstdint>

namespace ingot::train {

struct Mix {
  int64_t partner = 0;  ///< row of the other example
  float share = 1.0F;   ///< of the row itself, in [0, 1]; the partner has the rest
};

/// partner: uniform over 0 .. rows - 1; share: Beta(alpha, alpha), 0 < alpha <= 4.
[[nodiscard]] Mix draw_mix(uint64_t seed, uint64_t epoch, int64_t row, int64_t rows, double alpha);

}  // namespace ingot::train
