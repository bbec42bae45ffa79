// SPDX-License-Identifier: Apache-2.0
// Pooling and its gradients, channels in vectors. Forward passes share output rows among the team,
// gradients share images and chunks of channels, because windows may overlap within an image. When
// windows tile the image, gradients are written without clearing first. See pool.h.
#include "kernels/pool.h"

#include <algorithm>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pool.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_POOL_WINDOW_
#define INGOT_KERNELS_CPU_POOL_WINDOW_
namespace ingot::kernels {
namespace {

/// Pixels [y_begin, y_end) x [x_begin, x_end) of an image of `width` pixels.
struct PoolWindow {
  int64_t y_begin, y_end, x_begin, x_end;
  int64_t width, channels;
  float count;  // what a mean divides by
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

using Di = hn::RebindToSigned<Df>;

/// f(pixel number, offset of its channels) for every pixel of the window, row by row.
template <class F>
HWY_INLINE void each_pixel(const PoolWindow& w, const F& f) {
  for (int64_t y = w.y_begin; y < w.y_end; ++y) {
    for (int64_t x = w.x_begin; x < w.x_end; ++x) {
      const int64_t pixel = y * w.width + x;
      f(pixel, pixel * w.channels);
    }
  }
}

/// The first NaN, else the first of the largest.
void pool_max(const PoolWindow& w, const float* image, float* out, int32_t* index) {
  const Di di;
  const auto first = static_cast<int32_t>(w.y_begin * w.width + w.x_begin);
  for_vectors(w.channels, [&](int64_t c, auto lanes) HWY_ATTR {
    Vf best = load(image + first * w.channels + c, lanes);
    auto at = hn::Set(di, first);
    each_pixel(w, [&](int64_t pixel, int64_t offset) HWY_ATTR {
      const Vf v = load(image + offset + c, lanes);
      const auto is_better = hn::And(hn::Not(hn::Le(v, best)), hn::Eq(best, best));
      best = hn::IfThenElse(is_better, v, best);
      at = hn::IfThenElse(hn::RebindMask(di, is_better), hn::Set(di, static_cast<int32_t>(pixel)),
                          at);
    });
    store(best, out + c, lanes);
    if (index != nullptr) store(at, index + c, lanes);
  });
}

/// Channels [0, n) of the window: dx (+)= dy where the pixel is the index.
void pool_max_grad(const PoolWindow& w, const float* dy, const int32_t* index, float* dx, int64_t n,
                   bool add) {
  const Di di;
  for_vectors(n, [&](int64_t c, auto lanes) HWY_ATTR {
    const Vf g = load(dy + c, lanes);
    const auto at = load(index + c, lanes);
    each_pixel(w, [&](int64_t pixel, int64_t offset) HWY_ATTR {
      const auto is_here = hn::Eq(at, hn::Set(di, static_cast<int32_t>(pixel)));
      write(hn::IfThenElseZero(hn::RebindMask(Df(), is_here), g), dx + offset + c, lanes, add);
    });
  });
}

void pool_mean(const PoolWindow& w, const float* image, float* out) {
  const Vf count = hn::Set(Df(), w.count);
  for_vectors(w.channels, [&](int64_t c, auto lanes) HWY_ATTR {
    Vf sum = hn::Zero(Df());
    each_pixel(w, [&](int64_t, int64_t offset)
                      HWY_ATTR { sum = hn::Add(sum, load(image + offset + c, lanes)); });
    store(hn::Div(sum, count), out + c, lanes);
  });
}

void pool_mean_grad(const PoolWindow& w, const float* dy, float* dx, int64_t n, bool add) {
  const Vf count = hn::Set(Df(), w.count);
  for_vectors(n, [&](int64_t c, auto lanes) HWY_ATTR {
    const Vf g = hn::Div(load(dy + c, lanes), count);
    each_pixel(w, [&](int64_t, int64_t offset) HWY_ATTR { write(g, dx + offset + c, lanes, add); });
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(pool_max);
HWY_EXPORT(pool_max_grad);
HWY_EXPORT(pool_mean);
HWY_EXPORT(pool_mean_grad);

namespace {

constexpr int64_t kChunk = 64;  // channels of a gradient's unit of work

/// [begin, end) inside the axis, and how many positions the window has with its padding.
struct Span {
  int64_t begin, end, padded;
};

Span span_of(const PoolAxis& a, int64_t i) {
  if (a.is_adaptive) {
    const int64_t begin = i * a.in / a.out, end = ((i + 1) * a.in + a.out - 1) / a.out;
    return {begin, end, end - begin};
  }
  const int64_t begin = i * a.stride - a.before;
  const int64_t end = std::min(begin + a.kernel, a.in + a.after);
  return {std::max<int64_t>(begin, 0), std::min(end, a.in), end - begin};
}

PoolWindow window_of(const PoolShape& s, int64_t i, int64_t j, bool counts_padding) {
  const Span y = span_of(s.y, i), x = span_of(s.x, j);
  const int64_t inside = (y.end - y.begin) * (x.end - x.begin);
  const int64_t count = counts_padding ? y.padded * x.padded : inside;
  return {y.begin, y.end, x.begin, x.end, s.x.in, s.channels, static_cast<float>(count)};
}

int64_t window_pixels(const PoolAxis& a) {
  return a.is_adaptive ? ceil_div(a.in, std::max<int64_t>(a.out, 1)) : a.kernel;
}

bool is_serial_pool(const PoolShape& s) {
  return is_serial(
      s.batch * s.channels * s.y.out * s.x.out * window_pixels(s.y) * window_pixels(s.x),
      kStreamCost);
}

/// body(window, offset of the image in x, offset of the window's output in y), by output rows.
template <class Body>
void each_window(const PoolShape& s, bool counts_padding, Team& team, const Body& body) {
  team.tiles(s.batch * s.y.out, is_serial_pool(s), [&](int64_t row) {
    const int64_t image = row / s.y.out * s.y.in * s.x.in * s.channels;
    for (int64_t j = 0; j < s.x.out; ++j) {
      body(window_of(s, row % s.y.out, j, counts_padding), image, (row * s.x.out + j) * s.channels);
    }
  });
}

/// Every pixel is in exactly one window.
bool is_tiled(const PoolAxis& a) {
  if (a.is_adaptive) return a.out > 0 && a.in % a.out == 0;
  return a.stride == a.kernel && a.out * a.stride - a.before >= a.in;
}

/// body(window, offset of the image and chunk in dx, the same in dy, channels, add): every window
/// of an image in order, for one chunk of its channels. Clears dx first when it must.
template <class Body>
void each_gradient(const PoolShape& s, float* dx, bool accumulate, bool counts_padding, Team& team,
                   const Body& body) {
  const int64_t chunks = ceil_div(s.channels, kChunk), pixels = s.y.in * s.x.in;
  const bool add = accumulate || !is_tiled(s.y) || !is_tiled(s.x);
  team.tiles(s.batch * chunks, is_serial_pool(s), [&](int64_t unit) {
    const int64_t from = unit % chunks * kChunk, n = std::min(kChunk, s.channels - from);
    const int64_t image = unit / chunks * pixels * s.channels + from;
    if (add && !accumulate) {
      for (int64_t p = 0; p < pixels; ++p) std::fill_n(dx + image + p * s.channels, n, 0.0F);
    }
    for (int64_t k = 0; k < s.y.out * s.x.out; ++k) {
      body(window_of(s, k / s.x.out, k % s.x.out, counts_padding), image,
           (unit / chunks * s.y.out * s.x.out + k) * s.channels + from, n, add);
    }
  });
}

}  // namespace

void max_pool(const MaxPoolArgs& a, Team& team) {
  each_window(a.shape, false, team, [&](const PoolWindow& w, int64_t image, int64_t out) {
    HWY_DYNAMIC_DISPATCH(pool_max)
    (w, a.x + image, a.y + out, a.index == nullptr ? nullptr : a.index + out);
  });
}

void max_pool_grad(const MaxPoolGradArgs& a, Team& team) {
  each_gradient(a.shape, a.dx, a.accumulate, false, team,
                [&](const PoolWindow& w, int64_t image, int64_t out, int64_t n, bool add) {
                  HWY_DYNAMIC_DISPATCH(pool_max_grad)
                  (w, a.dy + out, a.index + out, a.dx + image, n, add);
                });
}

void avg_pool(const AvgPoolArgs& a, Team& team) {
  each_window(a.shape, a.counts_padding, team,
              [&](const PoolWindow& w, int64_t image, int64_t out) {
                HWY_DYNAMIC_DISPATCH(pool_mean)(w, a.x + image, a.y + out);
              });
}

void avg_pool_grad(const AvgPoolGradArgs& a, Team& team) {
  each_gradient(a.shape, a.dx, a.accumulate, a.counts_padding, team,
                [&](const PoolWindow& w, int64_t image, int64_t out, int64_t n, bool add) {
                  HWY_DYNAMIC_DISPATCH(pool_mean_grad)(w, a.dy + out, a.dx + image, n, add);
                });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
