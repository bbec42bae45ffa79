// SPDX-License-Identifier: Apache-2.0
// softmax and log-softmax over the last axis of a contiguous float32 [rows, cols], and gradients.
//   y = exp(x - max) / sum exp(x - max);   log y = (x - max) - log sum exp(x - max)
// Row-invariant: a row's bytes depend on that row only. A row with NaN or +inf is NaN; -inf entries
// are 0 (softmax) or -inf (log); a row of only -inf is NaN. Accuracy about 2e-7 relative to the
// row's maximum. In place allowed. Attention and cross entropy have their own fused versions.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

struct SoftmaxArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;
  float* y = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  bool log = false;
};
void softmax(const SoftmaxArgs& args, Team& team);

/// y is the saved output. softmax: dx (+)= y (dy - sum y dy); log: dx (+)= dy - exp(y) sum dy.
/// dx may be dy or y when not accumulating.
struct SoftmaxGradArgs {
  static constexpr int kPointers = 3;
  const float* dy = nullptr;
  const float* y = nullptr;
  float* dx = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  bool log = false;
  bool accumulate = false;
};
void softmax_grad(const SoftmaxGradArgs& args, Team& team);

}  // namespace ingot::kernels
