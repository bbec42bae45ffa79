// SPDX-License-Identifier: Apache-2.0
// argmax and the gradients of reductions. A row's argmax finds the maximum with vectors, then the
// first place that holds it. Gradients write every element once. See reduce.h for the contract.
#include <algorithm>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce_grad.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// The first index of the largest element; the first NaN wins.
int64_t argmax_row(const float* x, int64_t n) {
  const Df d;
  const Vf low = hn::Neg(hn::Inf(d));
  Vf best = low;
  for_vectors(n, [&](int64_t i, auto lanes)
                     HWY_ATTR { best = max_nan(keep_or(load(x + i, lanes), low, lanes), best); });
  HWY_ALIGN float lane[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(best, d, lane);
  float top = lane[0];
  for (size_t i = 1; i < hn::Lanes(d); ++i) {
    top = lane[i] > top || lane[i] != lane[i] ? lane[i] : top;
  }
  const bool nan = top != top;
  const Vf wanted = hn::Set(d, top);
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + width <= n; i += width) {
    const Vf v = hn::LoadU(d, x + i);
    const intptr_t hit = hn::FindFirstTrue(d, nan ? hn::IsNaN(v) : hn::Eq(v, wanted));
    if (hit >= 0) return i + hit;
  }
  for (; i < n; ++i) {
    if (nan ? x[i] != x[i] : x[i] == top) return i;
  }
  return 0;
}

/// dx[i] (+)= dy[i] * scale, or dy[0] * scale when `fixed`.
void spread(const float* dy, bool fixed, float scale, float* dx, int64_t n, bool accumulate) {
  const Vf s = hn::Set(Df(), scale);
  const Vf constant = hn::Mul(hn::Set(Df(), dy[0]), s);
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    write(fixed ? constant : hn::Mul(load(dy + i, lanes), s), dx + i, lanes, accumulate);
  });
}

/// dx[i] (+)= (x[i] - mean) * factor, both constant along the row.
void spread_deviation(const float* x, float mean, float factor, float* dx, int64_t n,
                      bool accumulate) {
  const Vf m = hn::Set(Df(), mean);
  const Vf f = hn::Set(Df(), factor);
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    write(hn::Mul(hn::Sub(load(x + i, lanes), m), f), dx + i, lanes, accumulate);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(argmax_row);
HWY_EXPORT(spread);
HWY_EXPORT(spread_deviation);

namespace {

constexpr int64_t kChunk = 256;  // columns held on the stack at once

void argmax_columns(const ArgmaxArgs& a, int64_t o, int64_t from, int64_t width) {
  float best[kChunk];
  int64_t index[kChunk] = {};
  const float* x = a.x + o * a.reduce * a.inner + from;
  std::copy_n(x, width, best);
  for (int64_t r = 1; r < a.reduce; ++r) {
    const float* row = x + r * a.inner;
    for (int64_t i = 0; i < width; ++i) {
      const bool better = row[i] > best[i] || (row[i] != row[i] && best[i] == best[i]);
      best[i] = better ? row[i] : best[i];
      index[i] = better ? r : index[i];
    }
  }
  std::copy_n(index, width, a.index + o * a.inner + from);
  if (a.value != nullptr) std::copy_n(best, width, a.value + o * a.inner + from);
}

/// Mean of each row (inner 1) by the forward kernel's blocks would need scratch; here in double.
float mean_of(const float* x, int64_t n, int64_t stride) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i * stride]);
  return static_cast<float>(sum / static_cast<double>(n));
}

void variance_grad(const ReduceGradArgs& a, Team& team) {
  const float scale = 2.0F / static_cast<float>(a.reduce - a.correction);
  row_tiles(team, a.outer * a.inner, a.reduce, 4 * kStreamCost, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t at = k / a.inner * a.reduce * a.inner + k % a.inner;
      const float mean = mean_of(a.x + at, a.reduce, a.inner);
      const float factor = a.dy[k] * scale;
      if (a.inner == 1) {
        HWY_DYNAMIC_DISPATCH(spread_deviation)
        (a.x + at, mean, factor, a.dx + at, a.reduce, a.accumulate);
        continue;
      }
      for (int64_t r = 0; r < a.reduce; ++r) {
        float& dx = a.dx[at + r * a.inner];
        const float g = (a.x[at + r * a.inner] - mean) * factor;
        dx = a.accumulate ? dx + g : g;
      }
    }
  });
}

void max_grad(const ReduceGradArgs& a, Team& team) {
  if (!a.accumulate) {
    FillArgs f;
    f.dst = a.dx;
    f.n = a.outer * a.reduce * a.inner;
    fill(f, team);
  }
  flat_tiles(team, a.outer * a.inner, kMathCost, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t row = k / a.inner * a.reduce + a.index[k];
      a.dx[row * a.inner + k % a.inner] += a.dy[k];
    }
  });
}

}  // namespace

void argmax(const ArgmaxArgs& args, Team& team) {
  if (args.inner == 1) {
    row_tiles(team, args.outer, args.reduce, kStreamCost, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        const float* x = args.x + o * args.reduce;
        args.index[o] = HWY_DYNAMIC_DISPATCH(argmax_row)(x, args.reduce);
        if (args.value != nullptr) args.value[o] = x[args.index[o]];
      }
    });
    return;
  }
  const int64_t chunks = ceil_div(args.inner, kChunk);
  const bool serial = is_serial(args.outer * args.reduce * args.inner, kStreamCost);
  team.tiles(args.outer * chunks, serial, [&](int64_t tile) {
    const int64_t from = tile % chunks * kChunk;
    argmax_columns(args, tile / chunks, from, std::min(kChunk, args.inner - from));
  });
}

void reduce_grad(const ReduceGradArgs& args, Team& team) {
  if (args.outer == 0 || args.reduce == 0 || args.inner == 0) return;
  if (args.op == ReduceOp::kVariance) return variance_grad(args, team);
  if (args.op == ReduceOp::kMax) return max_grad(args, team);
  const float scale = args.op == ReduceOp::kMean ? 1.0F / static_cast<float>(args.reduce) : 1.0F;
  // Rows of constant dy when inner is 1, else rows that each repeat dy[o, :].
  const bool fixed = args.inner == 1;
  const int64_t rows = fixed ? args.outer : args.outer * args.reduce;
  const int64_t width = fixed ? args.reduce : args.inner;
  const int64_t parts = ceil_div(width, kTileElements);
  row_tiles(team, rows * parts, std::min(width, kTileElements), kStreamCost,
            [&](int64_t begin, int64_t end) {
              for (int64_t k = begin; k < end; ++k) {
                const int64_t row = k / parts;
                const int64_t from = k % parts * kTileElements;
                const float* dy = args.dy + (fixed ? row : row / args.reduce * width + from);
                HWY_DYNAMIC_DISPATCH(spread)
                (dy, fixed, scale, args.dx + row * width + from,
                 std::min(kTileElements, width - from), args.accumulate);
              }
            });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
