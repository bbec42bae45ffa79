// SPDX-License-Identifier: Apache-2.0
// Weights of every (output position, input position) of one axis, then all pairs of two axes.
#include "kernels/reference/image.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace ingot::kernels::reference {
namespace {

/// How much of input position k is in output position i.
double pad_weight(int64_t i, int64_t k, int64_t before, int64_t size, bool is_reflect) {
  const int64_t at = i - before;
  if (at >= 0 && at < size) return at == k ? 1.0 : 0.0;
  if (!is_reflect) return 0.0;
  const int64_t edge = at < 0 ? 0 : size - 1;
  return std::abs(at - edge) == std::abs(k - edge) ? 1.0 : 0.0;
}

double resize_weight(int64_t i, int64_t k, int64_t in, int64_t out, bool is_bilinear) {
  if (!is_bilinear) return i * in / out == k ? 1.0 : 0.0;
  const double last = static_cast<double>(in - 1);
  const double center =
      (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
  const double at = std::clamp(center, 0.0, last);
  return std::max(0.0, 1.0 - std::abs(at - static_cast<double>(k)));
}

/// f(input element, output element, weight) for every pair of pixels.
template <class WeightY, class WeightX, class F>
void each_pair(const ImageShape& s, const WeightY& weight_y, const WeightX& weight_x, const F& f) {
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t o = 0; o < s.out_h * s.out_w; ++o) {
      for (int64_t p = 0; p < s.in_h * s.in_w; ++p) {
        const double w = weight_y(o / s.out_w, p / s.in_w) * weight_x(o % s.out_w, p % s.in_w);
        if (w == 0.0) continue;
        for (int64_t c = 0; c < s.channels; ++c) {
          f((n * s.in_h * s.in_w + p) * s.channels + c,
            (n * s.out_h * s.out_w + o) * s.channels + c, w);
        }
      }
    }
  }
}

void clear(double* v, int64_t pixels, const ImageShape& s) {
  std::fill_n(v, s.batch * pixels * s.channels, 0.0);
}

template <class F>
void each_padded(const ImageShape& s, int64_t top, int64_t left, bool is_reflect, const F& f) {
  each_pair(
      s, [&](int64_t i, int64_t k) { return pad_weight(i, k, top, s.in_h, is_reflect); },
      [&](int64_t i, int64_t k) { return pad_weight(i, k, left, s.in_w, is_reflect); }, f);
}

template <class F>
void each_resized(const ImageShape& s, bool is_bilinear, const F& f) {
  each_pair(
      s, [&](int64_t i, int64_t k) { return resize_weight(i, k, s.in_h, s.out_h, is_bilinear); },
      [&](int64_t i, int64_t k) { return resize_weight(i, k, s.in_w, s.out_w, is_bilinear); }, f);
}

}  // namespace

void pad(const ImageShape& s, int64_t top, int64_t left, bool is_reflect, const double* x,
         double* y) {
  clear(y, s.out_h * s.out_w, s);
  each_padded(s, top, left, is_reflect, [&](int64_t i, int64_t o, double w) { y[o] += w * x[i]; });
}

void pad_grad(const ImageShape& s, int64_t top, int64_t left, bool is_reflect, const double* dy,
              double* dx) {
  clear(dx, s.in_h * s.in_w, s);
  each_padded(s, top, left, is_reflect,
              [&](int64_t i, int64_t o, double w) { dx[i] += w * dy[o]; });
}

void resize(const ImageShape& s, bool is_bilinear, const double* x, double* y) {
  clear(y, s.out_h * s.out_w, s);
  each_resized(s, is_bilinear, [&](int64_t i, int64_t o, double w) { y[o] += w * x[i]; });
}

void resize_grad(const ImageShape& s, bool is_bilinear, const double* dy, double* dx) {
  clear(dx, s.in_h * s.in_w, s);
  each_resized(s, is_bilinear, [&](int64_t i, int64_t o, double w) { dx[i] += w * dy[o]; });
}

}  // namespace ingot::kernels::reference
