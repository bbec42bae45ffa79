// SPDX-License-Identifier: Apache-2.0
// Rotary embedding over strided [batch, seq, head] views: one row of cosines and sines serves all
// heads of a position. Interleaved pairs are split by de-interleaving loads. See rope.h.
#include "kernels/rope.h"

#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rope.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// (x0, x1) rotated; the sine already carries the direction.
HWY_INLINE void rotate(Vf& x0, Vf& x1, Vf c, Vf s) {
  const Vf y0 = hn::NegMulAdd(x1, s, hn::Mul(x0, c));
  x1 = hn::MulAdd(x0, s, hn::Mul(x1, c));
  x0 = y0;
}

template <class Lanes>
HWY_INLINE Vf directed(const float* sin, Lanes lanes, bool inverse) {
  const Vf s = load(sin, lanes);
  return inverse ? hn::Neg(s) : s;
}

void half_head(const RopeArgs& a, const float* x, float* y, const float* cos, const float* sin) {
  const int64_t half = a.rotary_dim / 2;
  for_vectors(half, [&](int64_t i, auto lanes) HWY_ATTR {
    Vf x0 = load(x + i, lanes);
    Vf x1 = load(x + half + i, lanes);
    rotate(x0, x1, load(cos + i, lanes), directed(sin + i, lanes, a.inverse));
    write(x0, y + i, lanes, a.accumulate);
    write(x1, y + half + i, lanes, a.accumulate);
  });
}

/// One vector of interleaved pairs, all there.
HWY_INLINE void pairs(const float* x, float* y, Vf c, Vf s, bool accumulate) {
  const Df d;
#if HWY_TARGET == HWY_SCALAR
  Vf x0 = hn::Load(d, x);
  Vf x1 = hn::Load(d, x + 1);
  rotate(x0, x1, c, s);
  write(x0, y, All(), accumulate);
  write(x1, y + 1, All(), accumulate);
#else
  Vf x0, x1;
  hn::LoadInterleaved2(d, x, x0, x1);
  rotate(x0, x1, c, s);
  if (accumulate) {
    Vf y0, y1;
    hn::LoadInterleaved2(d, y, y0, y1);
    x0 = hn::Add(y0, x0);
    x1 = hn::Add(y1, x1);
  }
  hn::StoreInterleaved2(x0, x1, d, y);
#endif
}

void interleaved_head(const RopeArgs& a, const float* x, float* y, const float* cos,
                      const float* sin) {
  const int64_t half = a.rotary_dim / 2;
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  int64_t i = 0;
  for (; i + width <= half; i += width) {
    pairs(x + 2 * i, y + 2 * i, load(cos + i, All()), directed(sin + i, All(), a.inverse),
          a.accumulate);
  }
  if (i == half) return;
  const First lanes{static_cast<size_t>(half - i)};
  HWY_ALIGN float in[2 * HWY_MAX_BYTES / sizeof(float)] = {};
  HWY_ALIGN float out[2 * HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(in, x + 2 * i, 2 * lanes.n * sizeof(float));
  std::memcpy(out, y + 2 * i, 2 * lanes.n * sizeof(float));
  pairs(in, out, load(cos + i, lanes), directed(sin + i, lanes, a.inverse), a.accumulate);
  std::memcpy(y + 2 * i, out, 2 * lanes.n * sizeof(float));
}

void rope_tokens(const RopeArgs& a, int64_t begin, int64_t end) {
  const int64_t half = a.rotary_dim / 2;
  const int64_t rest = a.head_dim - a.rotary_dim;
  for (int64_t token = begin; token < end; ++token) {
    const int64_t b = token / a.seq;
    const int64_t s = token % a.seq;
    const int64_t position = a.positions == nullptr ? s : a.positions[token];
    const float* cos = a.cos + position * half;
    const float* sin = a.sin + position * half;
    for (int64_t h = 0; h < a.heads; ++h) {
      const float* x = a.x + b * a.x_stride[0] + s * a.x_stride[1] + h * a.x_stride[2];
      float* y = a.y + b * a.y_stride[0] + s * a.y_stride[1] + h * a.y_stride[2];
      if (a.style == RopeStyle::kHalf) {
        half_head(a, x, y, cos, sin);
      } else {
        interleaved_head(a, x, y, cos, sin);
      }
      if (rest == 0 || (x == y && !a.accumulate)) continue;
      for_vectors(rest, [&](int64_t i, auto lanes) HWY_ATTR {
        write(load(x + a.rotary_dim + i, lanes), y + a.rotary_dim + i, lanes, a.accumulate);
      });
    }
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(rope_tokens);

void rope(const RopeArgs& args, Team& team) {
  row_tiles(team, args.batch * args.seq, args.heads * args.head_dim, kStreamCost,
            [&](int64_t begin, int64_t end) {
              HWY_DYNAMIC_DISPATCH(rope_tokens)(args, begin, end);
            });
}

void rope_tables(int64_t max_pos, int64_t rotary_dim, double theta, float* cos, float* sin) {
  const int64_t half = rotary_dim / 2;
  for (int64_t i = 0; i < half; ++i) {
    const double frequency =
        std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(rotary_dim));
    for (int64_t p = 0; p < max_pos; ++p) {
      const double angle = static_cast<double>(p) * frequency;
      cos[p * half + i] = static_cast<float>(std::cos(angle));
      sin[p * half + i] = static_cast<float>(std::sin(angle));
    }
  }
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
