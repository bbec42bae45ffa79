// SPDX-License-Identifier: Apache-2.0
// Column by column, in double, by the definition.
#include "kernels/reference/batch_norm.h"

#include <cmath>

namespace ingot::kernels::reference {
namespace {

double or_one(const double* v, int64_t c) { return v == nullptr ? 1.0 : v[c]; }
double or_zero(const double* v, int64_t c) { return v == nullptr ? 0.0 : v[c]; }

}  // namespace

void batch_norm_stats(const BatchNormShape& s, const double* x, double* mean, double* var) {
  const auto n = static_cast<double>(s.rows);
  for (int64_t c = 0; c < s.cols; ++c) {
    mean[c] = var[c] = 0.0;
    for (int64_t r = 0; r < s.rows; ++r) mean[c] += x[r * s.cols + c] / n;
    for (int64_t r = 0; r < s.rows; ++r) {
      const double d = x[r * s.cols + c] - mean[c];
      var[c] += d * d / n;
    }
  }
}

void batch_norm(const BatchNormShape& s, const double* x, const BatchNormColumns& k, double* y) {
  for (int64_t i = 0; i < s.rows * s.cols; ++i) {
    const int64_t c = i % s.cols;
    y[i] =
        (x[i] - k.mean[c]) / std::sqrt(k.var[c] + s.eps) * or_one(k.weight, c) + or_zero(k.bias, c);
    if (s.is_relu && y[i] < 0.0) y[i] = 0.0;
  }
}

void batch_norm_grad(const BatchNormShape& s, bool is_training, const double* dy, const double* x,
                     const BatchNormColumns& k, const BatchNormGradients& to) {
  for (int64_t c = 0; c < s.cols; ++c) {
    const double rstd = 1.0 / std::sqrt(k.var[c] + s.eps), w = or_one(k.weight, c);
    const auto xhat = [&](int64_t i) { return (x[i] - k.mean[c]) * rstd; };
    const auto g = [&](int64_t i) {
      return s.is_relu && xhat(i) * w + or_zero(k.bias, c) <= 0.0 ? 0.0 : dy[i];
    };
    double sum = 0.0, sum_xhat = 0.0;
    for (int64_t i = c; i < s.rows * s.cols; i += s.cols) {
      sum += g(i);
      sum_xhat += g(i) * xhat(i);
    }
    to.dbias[c] = sum;
    to.dweight[c] = sum_xhat;
    const auto n = static_cast<double>(s.rows);
    for (int64_t i = c; i < s.rows * s.cols; i += s.cols) {
      const double away = is_training ? (sum + xhat(i) * sum_xhat) / n : 0.0;
      to.dx[i] = w * rstd * (g(i) - away);
    }
  }
}

}  // namespace ingot::kernels::reference
