// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/softmax.h. Tests and gradient checks call it.
#include "kernels/reference/softmax.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ingot::kernels::reference {

void softmax(bool log, int64_t rows, int64_t cols, const double* x, double* y) {
  for (int64_t r = 0; r < rows; ++r) {
    const double* in = x + r * cols;
    double top = in[0];
    for (int64_t c = 1; c < cols; ++c) top = std::max(top, in[c]);
    double sum = 0.0;
    for (int64_t c = 0; c < cols; ++c) sum += std::exp(in[c] - top);
    for (int64_t c = 0; c < cols; ++c) {
      y[r * cols + c] = log ? in[c] - top - std::log(sum) : std::exp(in[c] - top) / sum;
    }
  }
}

void softmax_grad(bool log, int64_t rows, int64_t cols, const double* dy, const double* x,
                  double* dx) {
  std::vector<double> p(static_cast<size_t>(cols));
  for (int64_t r = 0; r < rows; ++r) {
    softmax(false, 1, cols, x + r * cols, p.data());
    const double* g = dy + r * cols;
    for (int64_t i = 0; i < cols; ++i) {
      double sum = 0.0;
      for (int64_t j = 0; j < cols; ++j) {
        const double same = i == j ? 1.0 : 0.0;
        const double pi = p[static_cast<size_t>(i)];
        sum += g[j] * (log ? same - pi : p[static_cast<size_t>(j)] * (same - pi));
      }
      dx[r * cols + i] = sum;
    }
  }
}

}  // namespace ingot::kernels::reference
