// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/rope.h. Tests and gradient checks call it.
#include "kernels/reference/rope.h"

#include <cmath>

namespace ingot::kernels::reference {
namespace {

void rotate_head(const RopeShape& s, double position, const double* x, double* y) {
  const int64_t half = s.rotary_dim / 2;
  for (int64_t d = s.rotary_dim; d < s.head_dim; ++d) y[d] = x[d];
  for (int64_t i = 0; i < half; ++i) {
    const int64_t first = s.style == RopeStyle::kHalf ? i : 2 * i;
    const int64_t second = s.style == RopeStyle::kHalf ? i + half : 2 * i + 1;
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(s.rotary_dim);
    double angle = position / std::pow(s.theta, exponent);
    if (s.inverse) angle = -angle;
    const double x0 = x[first];
    const double x1 = x[second];
    y[first] = x0 * std::cos(angle) - x1 * std::sin(angle);
    y[second] = x0 * std::sin(angle) + x1 * std::cos(angle);
  }
}

}  // namespace

void rope(const RopeShape& s, const int32_t* positions, const double* x, double* y) {
  for (int64_t token = 0; token < s.batch * s.seq; ++token) {
    const int64_t position = positions == nullptr ? token % s.seq : positions[token];
    for (int64_t h = 0; h < s.heads; ++h) {
      const int64_t at = (token * s.heads + h) * s.head_dim;
      rotate_head(s, static_cast<double>(position), x + at, y + at);
    }
  }
}

}  // namespace ingot::kernels::reference
