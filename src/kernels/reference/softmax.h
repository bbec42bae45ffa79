// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/softmax.h in double. The gradient takes the input, not a saved output.
// Called by tests and by the op table's gradient checks.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

void softmax(bool log, int64_t rows, int64_t cols, const double* x, double* y);
/// dx from the Jacobian: softmax dy_j/dx_i = y_j ([i == j] - y_i); log [i == j] - p_i.
void softmax_grad(bool log, int64_t rows, int64_t cols, const double* dy, const double* x,
                  double* dx);

}  // namespace ingot::kernels::reference
