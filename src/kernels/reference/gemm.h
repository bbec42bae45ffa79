// SPDX-License-Identifier: Apache-2.0
// The truth for gemm.h: plain loops in double. Shares no code with the kernel. Called by tests.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

struct Gemm {
  const double* a = nullptr;
  const double* b = nullptr;
  double* c = nullptr;
  const double* bias = nullptr;  // [n], may be null
  double* pre = nullptr;         // value before the activation, may be null
  int64_t m = 0, n = 0, k = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;
  int64_t batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
  bool trans_a = false, trans_b = false, accumulate = false;
  /// 0 none, 1 relu, 2 gelu (erf), 3 gelu (tanh), 4 silu: the numbers of kernels::Activation.
  int32_t activation = 0;
};

/// C = act((accumulate ? C : 0) + op(A) op(B) + bias).
void gemm(const Gemm& args);

}  // namespace ingot::kernels::reference
