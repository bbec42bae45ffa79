// SPDX-License-Identifier: Apache-2.0
// Least squares by the normal equations in double: the closed form that linear fits must reach.
// Used by supervised_task_test (float32, the engine) and closed_form_test (float64, the reference
// kernels).
#pragma once

#include <cstdint>
#include <vector>

namespace ingot::testing {

/// The weights of the columns of x [rows, width], then the bias, that minimise the squared error of
/// y [rows]. The columns and 1 are independent.
template <class Number>
std::vector<double> least_squares(const std::vector<Number>& x, const std::vector<Number>& y) {
  const size_t rows = y.size(), width = x.size() / rows, n = width + 1;
  std::vector<double> a(n * (n + 1), 0.0);  // [n, n + 1]: the matrix and its right-hand side
  const auto at = [&](size_t row, size_t i) {
    return i == width ? 1.0 : double{x[row * width + i]};
  };
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) a[i * (n + 1) + j] += at(r, i) * at(r, j);
      a[i * (n + 1) + n] += at(r, i) * double{y[r]};
    }
  }
  for (size_t k = 0; k < n; ++k) {  // Gauss-Jordan; the matrix is positive definite
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double f = a[i * (n + 1) + k] / a[k * (n + 1) + k];
      for (size_t j = k; j <= n; ++j) a[i * (n + 1) + j] -= f * a[k * (n + 1) + j];
    }
  }
  std::vector<double> weights(n);
  for (size_t i = 0; i < n; ++i) weights[i] = a[i * (n + 1) + n] / a[i * (n + 1) + i];
  return weights;
}

}  // namespace ingot::testing
