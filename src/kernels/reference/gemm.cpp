// SPDX-License-Identifier: Apache-2.0
// Matrix product as three loops in double, activations by the formulas of the standard library.
// The truth that tests compare the fast kernel with; not for use in a model.
#include "kernels/reference/gemm.h"

#include <cmath>

namespace ingot::kernels::reference {
namespace {

double activate(double x, int32_t activation) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  switch (activation) {
    case 1:
      return x < 0 ? 0.0 : x;
    case 2:
      return 0.5 * x * std::erfc(-x * kSqrtHalf);
    case 3:
      return 0.5 * x * (1.0 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
    case 4:
      return x / (1.0 + std::exp(-x));
    default:
      return x;
  }
}

}  // namespace

void gemm(const Gemm& g) {
  for (int64_t batch = 0; batch < g.batch; ++batch) {
    const double* a = g.a + batch * g.stride_a;
    const double* b = g.b + batch * g.stride_b;
    for (int64_t i = 0; i < g.m; ++i) {
      for (int64_t j = 0; j < g.n; ++j) {
        const int64_t cell = batch * g.stride_c + i * g.ldc + j;
        double sum = g.accumulate ? g.c[cell] : 0.0;
        for (int64_t p = 0; p < g.k; ++p) {
          const double left = g.trans_a ? a[p * g.lda + i] : a[i * g.lda + p];
          const double right = g.trans_b ? b[j * g.ldb + p] : b[p * g.ldb + j];
          sum += left * right;
        }
        if (g.bias != nullptr) sum += g.bias[j];
        if (g.pre != nullptr) g.pre[cell] = sum;
        g.c[cell] = activate(sum, g.activation);
      }
    }
  }
}

}  // namespace ingot::kernels::reference
