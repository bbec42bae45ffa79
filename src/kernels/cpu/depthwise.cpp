// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution and its gradients, channels in vectors. Weights are turned once to [tap,
// channel] so that a vector of channels reads them in place. The weight gradient keeps one partial
// sum per block of output pixels and joins them in block order. See depthwise.h for the contract.
#include "kernels/cpu/depthwise.h"

#include <algorithm>

#include "kernels/cpu/patches.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/depthwise.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/epilogue-inl.h"
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_DEPTHWISE_WINDOW_
#define INGOT_KERNELS_CPU_DEPTHWISE_WINDOW_
namespace ingot::kernels {
namespace {

/// The part of a window that is inside the image: tap (u, v) of [0, taps_y) x [0, taps_x) lies at
/// source + u * row + v * pixel, its weights at weight + u * weight_row + v * weight_pixel.
struct InnerWindow {
  const float* source;
  const float* weight;
  int64_t taps_y, taps_x;
  int64_t row, pixel;
  int64_t weight_row, weight_pixel;
};

/// One tap of the weight gradient over a block of pixels: pixel m reads in + at[m] (negative:
/// outside).
struct TapSum {
  const float* dout;
  const float* in;
  const int64_t* at;
  float* sums;  // [channels]
  int64_t pixels, channels;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// result[c] (+)= chain over the window's taps.
void depthwise_pixel(const InnerWindow& w, float* result, int64_t channels, bool accumulate) {
  for_vectors(channels, [&](int64_t c, auto lanes) HWY_ATTR {
    Vf sum = hn::Zero(Df());
    for (int64_t u = 0; u < w.taps_y; ++u) {
      const float* source = w.source + u * w.row + c;
      const float* weight = w.weight + u * w.weight_row + c;
      for (int64_t v = 0; v < w.taps_x; ++v) {
        sum = hn::MulAdd(load(source + v * w.pixel, lanes),
                         load(weight + v * w.weight_pixel, lanes), sum);
      }
    }
    write(sum, result + c, lanes, accumulate);
  });
}

void depthwise_finish(const ConvArgs& a, int64_t at, int64_t channels) {
  finish_row(a.result + at, a.pre == nullptr ? nullptr : a.pre + at, a.bias, channels,
             a.activation);
}

/// sums[c] = chain over the block's pixels of dout[m, c] * in[at(m) + c]; four chains at a time.
void depthwise_tap_sum(const TapSum& t) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  int64_t c = 0;
  for (; c + 4 * width <= t.channels; c += 4 * width) {
    Vf s0 = hn::Zero(Df()), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t m = 0; m < t.pixels; ++m) {
      if (t.at[m] < 0) continue;
      const float* dout = t.dout + m * t.channels + c;
      const float* in = t.in + t.at[m] + c;
      s0 = hn::MulAdd(load(dout, All()), load(in, All()), s0);
      s1 = hn::MulAdd(load(dout + width, All()), load(in + width, All()), s1);
      s2 = hn::MulAdd(load(dout + 2 * width, All()), load(in + 2 * width, All()), s2);
      s3 = hn::MulAdd(load(dout + 3 * width, All()), load(in + 3 * width, All()), s3);
    }
    store(s0, t.sums + c, All());
    store(s1, t.sums + c + width, All());
    store(s2, t.sums + c + 2 * width, All());
    store(s3, t.sums + c + 3 * width, All());
  }
  for_vectors(t.channels - c, [&](int64_t i, auto lanes) HWY_ATTR {
    Vf sum = hn::Zero(Df());
    for (int64_t m = 0; m < t.pixels; ++m) {
      if (t.at[m] < 0) continue;
      sum = hn::MulAdd(load(t.dout + m * t.channels + c + i, lanes),
                       load(t.in + t.at[m] + c + i, lanes), sum);
    }
    store(sum, t.sums + c + i, lanes);
  });
}

/// sums[i] += part[i].
void depthwise_join(const float* part, float* sums, int64_t n) {
  for_vectors(n, [&](int64_t i, auto lanes)
                     HWY_ATTR { write(load(part + i, lanes), sums + i, lanes, true); });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(depthwise_pixel);
HWY_EXPORT(depthwise_finish);
HWY_EXPORT(depthwise_tap_sum);
HWY_EXPORT(depthwise_join);

namespace {

constexpr int64_t kFloatBytes = static_cast<int64_t>(sizeof(float));

/// Taps [begin, end) of a window that are inside when its first reads `at`.
struct Taps {
  int64_t begin, end;
};
Taps inside_taps(const WindowAxis& x, int64_t at) {
  const int64_t begin = at >= 0 ? 0 : (-at + x.tap_step - 1) / x.tap_step;
  const int64_t end = at >= x.source ? 0 : (x.source - 1 - at) / x.tap_step + 1;
  return {std::min(begin, x.taps), std::clamp(end, std::min(begin, x.taps), x.taps)};
}

/// turned[tap, channel] of weight [channel, tap].
void turn_weights(const float* weight, int64_t taps, int64_t channels, float* turned, Team& team) {
  flat_tiles(team, taps * channels, kMathCost, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) turned[i] = weight[i % channels * taps + i / channels];
  });
}

/// One row of the phase's grid.
void depthwise_row(const ConvArgs& a, const WindowAxis& y, const WindowAxis& x, int64_t row,
                   bool is_transposed) {
  const ConvGeometry& s = a.shape;
  const int64_t channels = s.groups, image = row / y.grid, i = row % y.grid;
  const int64_t result_h = is_transposed ? s.in_h : s.out_h;
  const int64_t result_w = is_transposed ? s.in_w : s.out_w;
  const int64_t y0 = i * y.step + y.first;
  const Taps rows = inside_taps(y, y0);
  const bool is_finished =
      a.bias != nullptr || a.pre != nullptr || a.activation != Activation::kNone;
  const int64_t out_row =
      (image * result_h + y.out_first + i * y.out_step) * result_w + x.out_first;
  for (int64_t j = 0; j < x.grid; ++j) {
    const int64_t x0 = j * x.step + x.first;
    const Taps cols = inside_taps(x, x0);
    const int64_t tap = (y.tap_first + rows.begin * y.tap_stride) * s.kernel_w + x.tap_first +
                        cols.begin * x.tap_stride;
    InnerWindow w{};
    w.taps_y = rows.end - rows.begin;
    w.taps_x = cols.end - cols.begin;
    if (w.taps_y > 0 && w.taps_x > 0) {
      w.source = a.source + ((image * y.source + y0 + rows.begin * y.tap_step) * x.source + x0 +
                             cols.begin * x.tap_step) *
                                channels;
      w.weight = a.scratch + tap * channels;
    }
    w.row = y.tap_step * x.source * channels;
    w.pixel = x.tap_step * channels;
    w.weight_row = y.tap_stride * s.kernel_w * channels;
    w.weight_pixel = x.tap_stride * channels;
    if (w.taps_x == 0) w.taps_y = 0;
    const int64_t at = (out_row + j * x.out_step) * channels;
    HWY_DYNAMIC_DISPATCH(depthwise_pixel)(w, a.result + at, channels, a.accumulate);
    if (is_finished) HWY_DYNAMIC_DISPATCH(depthwise_finish)(a, at, channels);
  }
}

/// Where tap (u, v) of output pixels [first, first + pixels) reads its channels; negative: outside.
void locate_tap(const ConvGeometry& s, int64_t u, int64_t v, int64_t first, int64_t pixels,
                int64_t* at) {
  int64_t image = first / (s.out_h * s.out_w), i = first / s.out_w % s.out_h, j = first % s.out_w;
  for (int64_t m = 0; m < pixels; ++m) {
    const int64_t y = i * s.stride_h - s.pad_top + u * s.dilation_h;
    const int64_t x = j * s.stride_w - s.pad_left + v * s.dilation_w;
    const bool is_inside = y >= 0 && y < s.in_h && x >= 0 && x < s.in_w;
    at[m] = is_inside ? ((image * s.in_h + y) * s.in_w + x) * s.in_channels : -1;
    if (++j < s.out_w) continue;
    j = 0;
    if (++i == s.out_h) i = 0, ++image;
  }
}

struct GradSizes {
  int64_t pixels, blocks, taps, sums;  // sums: floats of one block's partial sum

  explicit GradSizes(const ConvGeometry& s)
      : pixels(s.batch * s.out_h * s.out_w),
        blocks(ceil_div(pixels, kGemmBlockK)),
        taps(s.kernel_h * s.kernel_w),
        sums(taps * s.groups) {}
};

}  // namespace

int64_t depthwise_scratch_bytes(const ConvGeometry& s) {
  return s.kernel_h * s.kernel_w * s.groups * kFloatBytes;
}

int64_t depthwise_weight_grad_scratch_bytes(const ConvGeometry& s) {
  const GradSizes z(s);
  return z.blocks * z.sums * kFloatBytes;
}

void depthwise(const ConvArgs& a, bool is_transposed, Team& team) {
  const ConvGeometry& s = a.shape;
  turn_weights(a.weight, s.kernel_h * s.kernel_w, s.groups, a.scratch, team);
  const int64_t phases = is_transposed ? s.stride_h * s.stride_w : 1;
  for (int64_t phase = 0; phase < phases; ++phase) {
    const WindowAxis y = is_transposed ? backward_axis(s.in_h, s.out_h, s.kernel_h, s.stride_h,
                                                       s.pad_top, s.dilation_h, phase / s.stride_w)
                                       : forward_axis(s.in_h, s.out_h, s.kernel_h, s.stride_h,
                                                      s.pad_top, s.dilation_h);
    const WindowAxis x = is_transposed ? backward_axis(s.in_w, s.out_w, s.kernel_w, s.stride_w,
                                                       s.pad_left, s.dilation_w, phase % s.stride_w)
                                       : forward_axis(s.in_w, s.out_w, s.kernel_w, s.stride_w,
                                                      s.pad_left, s.dilation_w);
    const int64_t rows = x.grid == 0 ? 0 : s.batch * y.grid;
    const bool serial = is_serial(rows * x.grid * s.groups * y.taps * x.taps, kStreamCost / 4);
    team.tiles(rows, serial, [&](int64_t row) { depthwise_row(a, y, x, row, is_transposed); });
  }
}

void depthwise_weight_grad(const ConvWeightGradArgs& a, Team& team) {
  const ConvGeometry& s = a.shape;
  const GradSizes z(s);
  team.tiles(z.blocks, is_serial(z.pixels * z.sums, kStreamCost / 4), [&](int64_t block) {
    const int64_t first = block * kGemmBlockK, count = std::min(kGemmBlockK, z.pixels - first);
    int64_t at[kGemmBlockK];
    for (int64_t tap = 0; tap < z.taps; ++tap) {
      locate_tap(s, tap / s.kernel_w, tap % s.kernel_w, first, count, at);
      HWY_DYNAMIC_DISPATCH(depthwise_tap_sum)
      (TapSum{a.dout + first * s.groups, a.in, at, a.scratch + block * z.sums + tap * s.groups,
              count, s.groups});
    }
  });
  team.tiles(ceil_div(z.sums, kTileElements), is_serial(z.sums * z.blocks, kStreamCost),
             [&](int64_t tile) {
               const int64_t from = tile * kTileElements;
               const int64_t count = std::min(kTileElements, z.sums - from);
               for (int64_t block = 1; block < z.blocks; ++block) {
                 HWY_DYNAMIC_DISPATCH(depthwise_join)
                 (a.scratch + block * z.sums + from, a.scratch + from, count);
               }
             });
  for (int64_t i = 0; i < z.sums; ++i) {  // back to [channel, tap]
    float& to = a.dweight[i % s.groups * z.taps + i / s.groups];
    to = a.accumulate ? to + a.scratch[i] : a.scratch[i];
  }
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
