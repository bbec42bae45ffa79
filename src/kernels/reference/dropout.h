// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/dropout.h: one Philox call per element, by the scalar generator of
// base/philox.h, which has known answers of its own. Called by tests and gradient checks.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// Names the mask.
struct DropoutKey {
  uint64_t seed;
  uint32_t op_id;
  int64_t step;
  double p;
};

/// y[i] = x[i] * mask[i] / (1 - p).
void dropout(const DropoutKey& key, int64_t n, const double* x, double* y);

}  // namespace ingot::kernels::reference
