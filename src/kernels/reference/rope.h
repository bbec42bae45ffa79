// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/rope.h in double, angles computed where they are used, on contiguous
// [batch, seq, heads, head_dim]. Called by tests and by the op table's gradient checks.
#pragma once

#include <cstdint>

#include "kernels/rope.h"

namespace ingot::kernels::reference {

struct RopeShape {
  int64_t batch;
  int64_t seq;
  int64_t heads;
  int64_t head_dim;
  int64_t rotary_dim;
  double theta;
  RopeStyle style;
  bool inverse;
};

/// positions: [batch * seq] or null for the index in the sequence.
void rope(const RopeShape& shape, const int32_t* positions, const double* x, double* y);

}  // namespace ingot::kernels::reference
