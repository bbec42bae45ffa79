// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/class_loss.h in double, a row at a time. Called by tests and by the op
// table's gradient checks.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// -a (1 - p)^gamma log p of the target, p = softmax(x).
[[nodiscard]] double focal_row(const double* x, int64_t classes, int64_t target, double gamma,
                               double alpha);
/// dx = its gradient.
void focal_row_grad(const double* x, int64_t classes, int64_t target, double gamma, double alpha,
                    double* dx);

struct MarginRule {
  double margin;
  double power;   ///< 1 or 2
  double weight;  ///< of the target's class
};
[[nodiscard]] double margin_row(const MarginRule& rule, const double* x, int64_t classes,
                                int64_t target);
void margin_row_grad(const MarginRule& rule, const double* x, int64_t classes, int64_t target,
                     double* dx);

}  // namespace ingot::kernels::reference
