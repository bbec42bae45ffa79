// SPDX-License-Identifier: Apache-2.0
// Padding, resizing and their gradients: an output pixel is a weighted sum of at most four input
// pixels, so every kernel is a walk over output pixels with channels in vectors. Gradients walk the
// same way, one image at a time per worker. See image.h for the contract.
#include "kernels/image.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/image.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_IMAGE_BLEND_
#define INGOT_KERNELS_CPU_IMAGE_BLEND_
namespace ingot::kernels {
namespace {

/// Where one output pixel comes from: pixels (y0, x0), (y0, x1), (y1, x0), (y1, x1) as offsets of
/// their channels, with weights (1 - fy | fy) x (1 - fx | fx).
struct Blend {
  int64_t at[4];
  float fy, fx;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// y = x when the weights are whole, else the four-pixel mean.
void blend_pixel(const float* x, const Blend& b, float* y, int64_t channels) {
  const Vf fy = hn::Set(Df(), b.fy), fx = hn::Set(Df(), b.fx);
  const Vf gy = hn::Set(Df(), 1.0F - b.fy), gx = hn::Set(Df(), 1.0F - b.fx);
  for_vectors(channels, [&](int64_t c, auto lanes) HWY_ATTR {
    const Vf top =
        hn::MulAdd(fx, load(x + b.at[1] + c, lanes), hn::Mul(gx, load(x + b.at[0] + c, lanes)));
    const Vf bottom =
        hn::MulAdd(fx, load(x + b.at[3] + c, lanes), hn::Mul(gx, load(x + b.at[2] + c, lanes)));
    store(hn::MulAdd(fy, bottom, hn::Mul(gy, top)), y + c, lanes);
  });
}

/// dx[the four pixels] += weights dy; the pixels may coincide.
void blend_pixel_grad(const float* dy, const Blend& b, float* dx, int64_t channels) {
  const float weight[4] = {(1.0F - b.fy) * (1.0F - b.fx), (1.0F - b.fy) * b.fx,
                           b.fy * (1.0F - b.fx), b.fy * b.fx};
  for (int k = 0; k < 4; ++k) {
    if (weight[k] == 0.0F) continue;
    const Vf w = hn::Set(Df(), weight[k]);
    float* to = dx + b.at[k];
    for_vectors(channels, [&](int64_t c, auto lanes) HWY_ATTR {
      store(hn::MulAdd(w, load(dy + c, lanes), load(static_cast<const float*>(to + c), lanes)),
            to + c, lanes);
    });
  }
}

/// y += x.
void add_pixel(const float* x, float* y, int64_t channels) {
  for_vectors(channels, [&](int64_t c, auto lanes)
                            HWY_ATTR { write(load(x + c, lanes), y + c, lanes, true); });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(blend_pixel);
HWY_EXPORT(blend_pixel_grad);
HWY_EXPORT(add_pixel);

namespace {

/// The source of padded position i, or -1 for a zero.
int64_t pad_source(int64_t i, int64_t before, int64_t size, bool is_reflect) {
  const int64_t at = i - before;
  if (at >= 0 && at < size) return at;
  if (!is_reflect) return -1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

/// One axis of a resized pixel: the two source positions and the weight of the second.
struct Mix {
  int64_t low, high;
  float weight;
};

Mix mix_of(int64_t i, int64_t in, int64_t out, bool is_bilinear) {
  if (!is_bilinear) return {i * in / out, i * in / out, 0.0F};
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double at = std::max((static_cast<double>(i) + 0.5) * scale - 0.5, 0.0);
  const int64_t low = std::min(static_cast<int64_t>(at), in - 1);
  return {low, std::min(low + 1, in - 1), static_cast<float>(at - static_cast<double>(low))};
}

template <class Args>
Blend blend_of(const Args& a, int64_t i, int64_t j) {
  const Mix y = mix_of(i, a.in_h, a.out_h, a.is_bilinear);
  const Mix x = mix_of(j, a.in_w, a.out_w, a.is_bilinear);
  const auto at = [&](int64_t row, int64_t column) { return (row * a.in_w + column) * a.channels; };
  return {{at(y.low, x.low), at(y.low, x.high), at(y.high, x.low), at(y.high, x.high)},
          y.weight,
          x.weight};
}

/// body(image) for every image, after clearing its gradient unless it is added to.
template <class Args, class Body>
void each_image(const Args& a, Team& team, const Body& body) {
  const int64_t size = a.in_h * a.in_w * a.channels;
  const int64_t work = std::max(size, a.out_h * a.out_w * a.channels);
  team.tiles(a.batch, is_serial(a.batch * work, 2 * kStreamCost), [&](int64_t image) {
    if (!a.accumulate) std::fill_n(a.dx + image * size, size, 0.0F);
    body(image);
  });
}

template <class Id>
void set_ones(const OneHotArgs& a, int64_t begin, int64_t end) {
  const auto* ids = static_cast<const Id*>(a.ids);
  for (int64_t i = begin; i < end; ++i) {
    const auto id = static_cast<int64_t>(ids[i]);
    if (id >= 0 && id < a.classes) a.out[i * a.classes + id] = 1.0F;
  }
}

}  // namespace

void pad(const PadArgs& a, Team& team) {
  row_tiles(team, a.batch * a.out_h, a.out_w * a.channels, kStreamCost,
            [&](int64_t begin, int64_t end) {
              for (int64_t row = begin; row < end; ++row) {
                const int64_t y = pad_source(row % a.out_h, a.top, a.in_h, a.is_reflect);
                float* to = a.y + row * a.out_w * a.channels;
                const float* from =
                    a.x + (row / a.out_h * a.in_h + std::max<int64_t>(y, 0)) * a.in_w * a.channels;
                for (int64_t j = 0; j < a.out_w; ++j, to += a.channels) {
                  const int64_t x = pad_source(j, a.left, a.in_w, a.is_reflect);
                  if (y < 0 || x < 0) {
                    std::fill_n(to, a.channels, 0.0F);
                  } else {
                    std::copy_n(from + x * a.channels, a.channels, to);
                  }
                }
              }
            });
}

void pad_grad(const PadGradArgs& a, Team& team) {
  each_image(a, team, [&](int64_t image) {
    for (int64_t k = 0; k < a.out_h * a.out_w; ++k) {
      const int64_t y = pad_source(k / a.out_w, a.top, a.in_h, a.is_reflect);
      const int64_t x = pad_source(k % a.out_w, a.left, a.in_w, a.is_reflect);
      if (y < 0 || x < 0) continue;
      HWY_DYNAMIC_DISPATCH(add_pixel)
      (a.dy + (image * a.out_h * a.out_w + k) * a.channels,
       a.dx + ((image * a.in_h + y) * a.in_w + x) * a.channels, a.channels);
    }
  });
}

void resize(const ResizeArgs& a, Team& team) {
  row_tiles(team, a.batch * a.out_h, a.out_w * a.channels, 2 * kStreamCost,
            [&](int64_t begin, int64_t end) {
              for (int64_t row = begin; row < end; ++row) {
                const float* image = a.x + row / a.out_h * a.in_h * a.in_w * a.channels;
                for (int64_t j = 0; j < a.out_w; ++j) {
                  const Blend b = blend_of(a, row % a.out_h, j);
                  float* to = a.y + (row * a.out_w + j) * a.channels;
                  if (a.is_bilinear) {
                    HWY_DYNAMIC_DISPATCH(blend_pixel)(image, b, to, a.channels);
                  } else {
                    std::copy_n(image + b.at[0], a.channels, to);
                  }
                }
              }
            });
}

void resize_grad(const ResizeGradArgs& a, Team& team) {
  each_image(a, team, [&](int64_t image) {
    float* dx = a.dx + image * a.in_h * a.in_w * a.channels;
    for (int64_t k = 0; k < a.out_h * a.out_w; ++k) {
      HWY_DYNAMIC_DISPATCH(blend_pixel_grad)
      (a.dy + (image * a.out_h * a.out_w + k) * a.channels, blend_of(a, k / a.out_w, k % a.out_w),
       dx, a.channels);
    }
  });
}

void one_hot(const OneHotArgs& a, Team& team) {
  row_tiles(team, a.count, a.classes, kStreamCost, [&](int64_t begin, int64_t end) {
    std::fill_n(a.out + begin * a.classes, (end - begin) * a.classes, 0.0F);
    if (a.id_type == IdType::kInt64) {
      set_ones<int64_t>(a, begin, end);
    } else {
      set_ones<int32_t>(a, begin, end);
    }
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
