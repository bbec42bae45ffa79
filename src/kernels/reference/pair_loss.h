// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/pair_loss.h in double, one element at a time. Called by tests and by the op
// table's gradient checks.
#pragma once

#include "kernels/pair_loss.h"

namespace ingot::kernels::reference {

struct PairRule {
  PairLoss loss;
  double first = 1.0;
  double second = 0.0;
};

[[nodiscard]] double pair_loss_value(const PairRule& rule, double x, double target,
                                     double pos_weight = 1.0);
[[nodiscard]] double pair_loss_slope(const PairRule& rule, double x, double target,
                                     double pos_weight = 1.0);

}  // namespace ingot::kernels::reference
