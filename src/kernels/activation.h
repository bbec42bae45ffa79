// SPDX-License-Identifier: Apache-2.0
// The activations that GEMM epilogues and elementwise kernels share, and the limit on dimensions.
// Formulas: relu max(x, 0); gelu x Phi(x) with erf; gelu_tanh the tanh approximation of it;
// silu x sigmoid(x). The numbers are stored in recorded steps, so they never change.
// Included by gemm.h, elementwise.h and copy.h; has no code of its own.
#pragma once

#include <cstdint>

namespace ingot::kernels {

enum class Activation : int32_t {
  kNone = 0,
  kRelu = 1,
  kGelu = 2,
  kGeluTanh = 3,
  kSilu = 4,
};

/// Most dimensions a strided kernel takes.
inline constexpr int kMaxDims = 6;

/// The integer type of class numbers and token ids.
enum class IdType : int32_t { kInt32 = 0, kInt64 = 1 };

}  // namespace ingot::kernels
