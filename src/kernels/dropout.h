// SPDX-License-Identifier: Apache-2.0
// Dropout whose mask is a pure function of (seed, op id, step, element): Philox4x32-10 with
// key = seed and counter = {block, op, step low, step high | block high << 16}; see base/philox.h.
// 64 consecutive elements take 16 counters: element 64 g + 16 j + k takes word j of block 16 g + k,
// a definition that vectors of any width can follow. An element is dropped when its 32-bit word is
// below p 2^32, else multiplied by 1 / (1 - p). Dropped elements are x * 0, so NaN stays NaN.
// The gradient is the same kernel on dy: nothing is stored. Called by autograd/ops/dropout.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// y[i] = x[i] m[i], or y[i] += x[i] m[i] when `accumulate` (a residual sum, or a gradient).
/// y may be x when not accumulating. 0 <= p <= 1; p == 1 drops everything.
struct DropoutArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  const int64_t* step = nullptr;  ///< one element, below 2^48
  float* y = nullptr;
  int64_t n = 0;
  uint64_t seed = 0;
  uint32_t op_id = 0;
  float p = 0.0F;
  bool accumulate = false;
};
void dropout(const DropoutArgs& args, Team& team);

}  // namespace ingot::kernels
