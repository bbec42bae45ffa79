// SPDX-License-Identifier: Apache-2.0
// The geometry of convolutions, without arithmetic on numbers: which pixels a window reads, which
// output pixels share their taps, and how a part of a patch splits into runs that are contiguous in
// memory. A strided convolution's gradient falls into stride_h * stride_w phases: input pixels that
// are reached by the same taps; each phase is a convolution of stride 1 with the taps in reverse.
// Included by the convolution sources of kernels/cpu.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "kernels/conv.h"

namespace ingot::kernels {

/// One axis of a window that slides: grid position i reads source i * step + first + u * tap_step
/// for 0 <= u < taps, which is tap tap_first + u * tap_stride of the kernel.
struct WindowAxis {
  int64_t source, grid;  // sizes
  int64_t step, first;
  int64_t taps, tap_step;
  int64_t tap_first, tap_stride;
  int64_t out_first, out_step;  // grid position i is output position out_first + i * out_step
};

/// Patches of a channels-last image. A patch is taps_y * taps_x * depth numbers; along x it is one
/// run of memory per tap row when the taps are neighbours and all channels are taken.
struct Patches {
  const float* source;  // first channel of the group
  int64_t channels;     // floats from pixel to pixel
  int64_t depth;        // channels of a tap
  WindowAxis y, x;

  [[nodiscard]] bool is_dense() const { return x.tap_step == 1 && depth == channels; }
  [[nodiscard]] int64_t run_length() const { return is_dense() ? x.taps * depth : depth; }
  [[nodiscard]] int64_t size() const { return y.taps * x.taps * depth; }
  [[nodiscard]] int64_t pixels() const { return y.grid * x.grid; }  // of one image
};

/// Rows to gather: `count` neighbours on the grid from position (i, j) of `image` on, along the
/// grid row or, where a function says so, across images.
struct GridRows {
  int64_t image, i, j, count;
};

/// A contiguous part of every patch: `length` numbers at `at` of the packed row, from tap row
/// `row`, `offset` floats behind the window's first pixel. Columns [full_begin, full_end) of the
/// grid have all of it inside the image.
struct Run {
  int64_t at, length, row, offset;
  int64_t skip;  // numbers of the tap row before it
  int64_t full_begin, full_end;
};

constexpr int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

/// Grid columns whose taps [low, high] (in source pixels from the window's first) are all inside.
inline void set_full_columns(const WindowAxis& x, int64_t low, int64_t high, Run& run) {
  const int64_t begin = -floor_div(x.first + low, x.step);  // ceil(-(..)/step)
  const int64_t end = floor_div(x.source - 1 - x.first - high, x.step) + 1;
  run.full_begin = std::clamp<int64_t>(begin, 0, x.grid);
  run.full_end = std::clamp<int64_t>(end, run.full_begin, x.grid);
}

/// Splits elements [p0, p0 + steps) of a patch into runs; returns how many.
inline int64_t split_runs(const Patches& p, int64_t p0, int64_t steps, Run* runs) {
  if (steps == 0) return 0;
  const int64_t length = p.run_length(), per_row = p.is_dense() ? 1 : p.x.taps;
  int64_t count = 0, at = 0, index = p0 / length, skip = p0 % length;
  while (at < steps) {
    const int64_t v = index % per_row;  // 0 when a run is a whole tap row
    Run& run = runs[count++];
    run.at = at;
    run.length = std::min(length - skip, steps - at);
    run.row = index / per_row;
    run.skip = skip;
    run.offset = v * p.x.tap_step * p.channels + skip;
    const int64_t low = p.is_dense() ? skip / p.depth : v * p.x.tap_step;
    const int64_t high = p.is_dense() ? (skip + run.length - 1) / p.depth : low;
    set_full_columns(p.x, low, high, run);
    at += run.length;
    skip = 0;
    ++index;
  }
  return count;
}

/// Numbers [p, p + steps) of a block's patch rows that are inside the image.
struct Segment {
  int64_t p, steps;
};

/// The part of a run that is inside the image for the window at grid position (i, j), as numbers
/// [begin, end) of the run; empty when none is.
struct Inside {
  int64_t begin, end;
};
inline Inside inside_of(const Patches& p, const Run& run, int64_t i, int64_t j) {
  const int64_t y = i * p.y.step + p.y.first + run.row * p.y.tap_step;
  if (y < 0 || y >= p.y.source) return {0, 0};
  if (j >= run.full_begin && j < run.full_end) return {0, run.length};
  if (!p.is_dense()) return {0, 0};  // the run is one tap, and that is outside
  const int64_t x0 = j * p.x.step + p.x.first, end = run.skip + run.length;
  const int64_t lo = std::clamp(-x0 * p.depth, run.skip, end);
  const int64_t hi = std::clamp((p.x.source - x0) * p.depth, lo, end);
  return {lo - run.skip, hi - run.skip};
}

/// The share of an axis' taps, over all its grid positions, that are inside the image.
inline double inside_share(const WindowAxis& a) {
  int64_t inside = 0;
  for (int64_t i = 0; i < a.grid; ++i) {
    for (int64_t u = 0; u < a.taps; ++u) {
      const int64_t at = i * a.step + a.first + u * a.tap_step;
      inside += at >= 0 && at < a.source ? 1 : 0;
    }
  }
  const int64_t all = std::max<int64_t>(a.grid * a.taps, 1);
  return static_cast<double>(inside) / static_cast<double>(all);
}

/// Every output pixel reads exactly its own input pixel.
inline bool is_plain_product(const ConvGeometry& s) {
  return s.kernel_h == 1 && s.kernel_w == 1 && s.stride_h == 1 && s.stride_w == 1 &&
         s.pad_top == 0 && s.pad_left == 0 && s.groups == 1 && s.in_h == s.out_h &&
         s.in_w == s.out_w;
}

/// Every channel by itself.
inline bool is_depthwise(const ConvGeometry& s) {
  return s.groups > 1 && s.groups == s.in_channels && s.groups == s.out_channels;
}

/// The forward window of one axis.
inline WindowAxis forward_axis(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad,
                               int64_t dilation) {
  return {in, out, stride, -pad, kernel, dilation, 0, 1, 0, 1};
}

/// Phase `phase` of the gradient's window: input positions i with (i + pad) % stride == phase read
/// the output's gradient at (i + pad - u * dilation) / stride for the taps u where that is whole.
/// in and out are those of the convolution; here out is the source.
inline WindowAxis backward_axis(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                                int64_t pad, int64_t dilation, int64_t phase) {
  const int64_t common = std::gcd(stride, dilation), period = stride / common;
  int64_t tap = 0;  // the first that fits
  while (tap < std::min(kernel, period) && (phase - tap * dilation) % stride != 0) ++tap;
  const int64_t taps = tap < std::min(kernel, period) ? (kernel - 1 - tap) / period + 1 : 0;
  const int64_t last = tap + (taps - 1) * period;
  const int64_t begin = ((phase - pad) % stride + stride) % stride;  // first input position
  const int64_t grid = in > begin ? (in - 1 - begin) / stride + 1 : 0;
  const int64_t first = taps > 0 ? (begin + pad - last * dilation) / stride : 0;
  return {out, grid, 1, first, taps, dilation / common, last, -period, begin, stride};
}

}  // namespace ingot::kernels
