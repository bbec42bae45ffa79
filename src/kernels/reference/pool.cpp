// SPDX-License-Identifier: Apache-2.0
// A pixel belongs to a window when the definition of pool.h says so; every window asks every pixel.
#include "kernels/reference/pool.h"

#include <cmath>
#include <vector>

namespace ingot::kernels::reference {
namespace {

bool is_in_window(const PoolAxis& a, int64_t output, int64_t pixel) {
  if (a.is_adaptive) {
    const auto ratio = static_cast<double>(a.in) / static_cast<double>(a.out);
    return static_cast<double>(pixel) >= std::floor(static_cast<double>(output) * ratio + 1e-9) &&
           static_cast<double>(pixel) < std::ceil(static_cast<double>(output + 1) * ratio - 1e-9);
  }
  const int64_t begin = output * a.stride - a.before;
  return pixel >= begin && pixel < begin + a.kernel;
}

/// Positions of the window on an axis that has its padding.
int64_t padded_length(const PoolAxis& a, int64_t output) {
  int64_t count = 0;
  for (int64_t pixel = -a.before; pixel < a.in + a.after; ++pixel) {
    count += is_in_window(a, output, pixel) ? 1 : 0;
  }
  return count;
}

/// f(output element, input element, pixel) for every pair in a window, in row-major order of both.
template <class F>
void each_pair(const PoolShape& s, const F& f) {
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t o = 0; o < s.y.out * s.x.out; ++o) {
      for (int64_t p = 0; p < s.y.in * s.x.in; ++p) {
        if (!is_in_window(s.y, o / s.x.out, p / s.x.in)) continue;
        if (!is_in_window(s.x, o % s.x.out, p % s.x.in)) continue;
        for (int64_t c = 0; c < s.channels; ++c) {
          f((n * s.y.out * s.x.out + o) * s.channels + c,
            (n * s.y.in * s.x.in + p) * s.channels + c, p);
        }
      }
    }
  }
}

int64_t outputs(const PoolShape& s) { return s.batch * s.y.out * s.x.out * s.channels; }
int64_t inputs(const PoolShape& s) { return s.batch * s.y.in * s.x.in * s.channels; }

std::vector<double> counts(const PoolShape& s, bool counts_padding) {
  std::vector<double> count(static_cast<size_t>(outputs(s)), 0.0);
  each_pair(s, [&](int64_t o, int64_t, int64_t) { count[static_cast<size_t>(o)] += 1.0; });
  if (!counts_padding) return count;
  for (int64_t i = 0; i < outputs(s); ++i) {
    const int64_t o = i / s.channels % (s.y.out * s.x.out);
    count[static_cast<size_t>(i)] =
        static_cast<double>(padded_length(s.y, o / s.x.out) * padded_length(s.x, o % s.x.out));
  }
  return count;
}

}  // namespace

void max_pool(const PoolShape& s, const double* x, double* y, int32_t* index) {
  std::vector<bool> has(static_cast<size_t>(outputs(s)), false);
  each_pair(s, [&](int64_t o, int64_t i, int64_t pixel) {
    const bool is_first = !has[static_cast<size_t>(o)];
    has[static_cast<size_t>(o)] = true;
    if (!is_first && (std::isnan(y[o]) || !(x[i] > y[o] || std::isnan(x[i])))) return;
    y[o] = x[i];
    if (index != nullptr) index[o] = static_cast<int32_t>(pixel);
  });
}

void max_pool_grad(const PoolShape& s, const double* dy, const int32_t* index, double* dx) {
  for (int64_t i = 0; i < inputs(s); ++i) dx[i] = 0.0;
  each_pair(s, [&](int64_t o, int64_t i, int64_t pixel) {
    if (index[o] == pixel) dx[i] += dy[o];
  });
}

void avg_pool(const PoolShape& s, bool counts_padding, const double* x, double* y) {
  const std::vector<double> count = counts(s, counts_padding);
  for (int64_t o = 0; o < outputs(s); ++o) y[o] = 0.0;
  each_pair(s,
            [&](int64_t o, int64_t i, int64_t) { y[o] += x[i] / count[static_cast<size_t>(o)]; });
}

void avg_pool_grad(const PoolShape& s, bool counts_padding, const double* dy, double* dx) {
  const std::vector<double> count = counts(s, counts_padding);
  for (int64_t i = 0; i < inputs(s); ++i) dx[i] = 0.0;
  each_pair(s,
            [&](int64_t o, int64_t i, int64_t) { dx[i] += dy[o] / count[static_cast<size_t>(o)]; });
}

}  // namespace ingot::kernels::reference
