// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/norm.h. Tests and gradient checks call it.
#include "kernels/reference/norm.h"

#include <cmath>

namespace ingot::kernels::reference {
namespace {

struct Moments {
  double mean;
  double rstd;
};

Moments moments_of(const NormShape& s, const double* x) {
  const auto n = static_cast<double>(s.cols);
  double mean = 0.0;
  for (int64_t c = 0; c < s.cols && !s.rms; ++c) mean += x[c] / n;
  double square = 0.0;
  for (int64_t c = 0; c < s.cols; ++c) square += (x[c] - mean) * (x[c] - mean) / n;
  return {mean, 1.0 / std::sqrt(square + s.eps)};
}

}  // namespace

void norm(const NormShape& s, const double* x, const double* weight, const double* bias,
          double* y) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const Moments m = moments_of(s, x + r * s.cols);
    for (int64_t c = 0; c < s.cols; ++c) {
      double v = (x[r * s.cols + c] - m.mean) * m.rstd;
      if (weight != nullptr) v *= weight[c];
      if (bias != nullptr && !s.rms) v += bias[c];
      y[r * s.cols + c] = v;
    }
  }
}

void norm_grad(const NormShape& s, const double* dy, const double* x, const double* weight,
               const NormGradients& to) {
  const auto n = static_cast<double>(s.cols);
  for (int64_t c = 0; c < s.cols; ++c) {
    if (to.dweight != nullptr) to.dweight[c] = 0.0;
    if (to.dbias != nullptr) to.dbias[c] = 0.0;
  }
  for (int64_t r = 0; r < s.rows; ++r) {
    const double* in = x + r * s.cols;
    const double* up = dy + r * s.cols;
    const Moments m = moments_of(s, in);
    double mean_g = 0.0;
    double mean_gx = 0.0;
    for (int64_t c = 0; c < s.cols; ++c) {
      const double xhat = (in[c] - m.mean) * m.rstd;
      const double g = up[c] * (weight == nullptr ? 1.0 : weight[c]);
      mean_g += s.rms ? 0.0 : g / n;
      mean_gx += g * xhat / n;
      if (to.dweight != nullptr) to.dweight[c] += up[c] * xhat;
      if (to.dbias != nullptr) to.dbias[c] += up[c];
    }
    for (int64_t c = 0; c < s.cols && to.dx != nullptr; ++c) {
      const double xhat = (in[c] - m.mean) * m.rstd;
      const double g = up[c] * (weight == nullptr ? 1.0 : weight[c]);
      to.dx[r * s.cols + c] = m.rstd * (g - mean_g - xhat * mean_gx);
    }
  }
}

}  // namespace ingot::kernels::reference
