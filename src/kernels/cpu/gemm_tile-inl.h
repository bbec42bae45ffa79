// SPDX-License-Identifier: Apache-2.0
// The register tile of every float32 product here, and the copies that feed it. A tile is R rows
// by V vectors of accumulators: one step over k loads V vectors of B, broadcasts R numbers of A and
// does R * V FMAs, so each element of C is one FMA chain over k whatever R and V are. Chains start
// from zero or from given values. Used by gemm.cpp and the attention sources; included once per
// Highway target, after hwy/highway.h. Not a public interface.

#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/cpu/simd-inl.h"

#if defined(INGOT_KERNELS_CPU_GEMM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_GEMM_TILE_INL_H_
#undef INGOT_KERNELS_CPU_GEMM_TILE_INL_H_
#else
#define INGOT_KERNELS_CPU_GEMM_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE::tile {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using Vec = hn::Vec<D>;
constexpr int64_t kLanes = HWY_TARGET == HWY_SCALAR ? 1 : HWY_MAX_BYTES / sizeof(float);

// Two vectors per row; as many rows as leave two registers for B and one for A.
constexpr int kVectors = 2;
constexpr int64_t kPanel = kVectors * kLanes;
#if HWY_TARGET == HWY_AVX3
constexpr int kRows = 14;
#elif HWY_TARGET == HWY_NEON
constexpr int kRows = 12;
#elif HWY_TARGET == HWY_AVX2
constexpr int kRows = 6;
#else
constexpr int kRows = 4;
#endif

/// Where a tile's operands lie: A element (row, p) at a[row * a_row + p * a_step], B row p at
/// b + p * b_step. Compile-time strides replace the members when not kDynamic.
struct Operands {
  const float* a;
  const float* b;
  int64_t a_row, a_step, b_step;
  int64_t b_panel;  // from one panel of kVectors vectors to the next; kPanel when B is contiguous
  int64_t steps;
};

/// Where a tile's result goes: rows c + r * row, `lanes` numbers in the last vector.
struct Target {
  float* c;
  int64_t row;
  int64_t lanes;
  bool add;
};
constexpr int64_t kDynamic = -1;
constexpr int64_t kAhead = 32;  // steps of k between a prefetch and its use

/// acc[r][v] = FMA chain over p of A(r, p) * B(p, v), starting from acc. Vector v of B lies in
/// panel v / kVectors. When kMasked, the last vector has `lanes` valid numbers and no more are
/// read.
template <int R, int V, bool kMasked, int64_t kARow, int64_t kAStep, int64_t kBStep>
HWY_INLINE void multiply(const Operands& o, int64_t lanes, Vec (&acc)[R][V]) {
  const D d;
  const float* HWY_RESTRICT a = o.a;
  const float* HWY_RESTRICT b = o.b;
  const int64_t a_row = kARow == kDynamic ? o.a_row : kARow;
  const int64_t a_step = kAStep == kDynamic ? o.a_step : kAStep;
  const int64_t b_step = kBStep == kDynamic ? o.b_step : kBStep;
  const First last{static_cast<size_t>(lanes)};
  for (int64_t p = 0; p < o.steps; ++p) {
    Vec bv[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const float* from = b + (v / kVectors) * o.b_panel + (v % kVectors) * kLanes;
      // In place, B may come from memory: ask for it a few hundred cycles ahead. Never behind its
      // last step: where the next page is not mapped, every such request walks the page table.
      if constexpr (kMasked) {
        if (p + kAhead < o.steps) hwy::Prefetch(from + kAhead * b_step);
      }
      bv[v] = kMasked && v == V - 1 ? load(from, last) : hn::LoadU(d, from);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec av = hn::Set(d, a[r * a_row]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) acc[r][v] = hn::MulAdd(av, bv[v], acc[r][v]);
    }
    a += a_step;
    b += b_step;
  }
}

template <int R, int V, bool kAdd, bool kWhole>
HWY_INLINE void store_tile(const Vec (&acc)[R][V], const Target& c) {
  const D d;
  const First last{static_cast<size_t>(c.lanes)};
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      float* to = c.c + r * c.row + v * kLanes;
      if (v < V - 1 || kWhole) {
        hn::StoreU(kAdd ? hn::Add(hn::LoadU(d, to), acc[r][v]) : acc[r][v], d, to);
      } else {
        store(kAdd ? hn::Add(load(to, last), acc[r][v]) : acc[r][v], to, last);
      }
    }
  }
}

/// C = acc, or C += acc when `add`; the last vector of a row has `lanes` numbers.
template <int R, int V>
HWY_INLINE void store_tile(const Vec (&acc)[R][V], const Target& c) {
  if (c.lanes == kLanes) {
    c.add ? store_tile<R, V, true, true>(acc, c) : store_tile<R, V, false, true>(acc, c);
  } else {
    c.add ? store_tile<R, V, true, false>(acc, c) : store_tile<R, V, false, false>(acc, c);
  }
}

/// One tile: chains from zero over o.steps, then stored or added.
template <int R, int V, bool kMasked, int64_t kARow, int64_t kAStep, int64_t kBStep>
HWY_NOINLINE void block_tile(const Operands& o, const Target& c) {
  const D d;
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) hwy::Prefetch(c.c + r * c.row + v * kLanes);
  }
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) acc[r][v] = hn::Zero(d);
  }
  multiply<R, V, kMasked, kARow, kAStep, kBStep>(o, c.lanes, acc);
  store_tile<R, V>(acc, c);
}

/// Four rows of four numbers into four columns of four: dst[p * width + i] = src[i * ld + p].
HWY_INLINE void transpose4x4(const float* HWY_RESTRICT src, int64_t ld, float* HWY_RESTRICT dst,
                             int64_t width) {
#if HWY_TARGET == HWY_SCALAR
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t p = 0; p < 4; ++p) dst[p * width + i] = src[i * ld + p];
  }
#else
  const hn::FixedTag<float, 4> d4;
  const hn::FixedTag<double, 2> d2;
  const auto r0 = hn::LoadU(d4, src);
  const auto r1 = hn::LoadU(d4, src + ld);
  const auto r2 = hn::LoadU(d4, src + 2 * ld);
  const auto r3 = hn::LoadU(d4, src + 3 * ld);
  const auto lo01 = hn::BitCast(d2, hn::InterleaveLower(d4, r0, r1));
  const auto lo23 = hn::BitCast(d2, hn::InterleaveLower(d4, r2, r3));
  const auto hi01 = hn::BitCast(d2, hn::InterleaveUpper(d4, r0, r1));
  const auto hi23 = hn::BitCast(d2, hn::InterleaveUpper(d4, r2, r3));
  hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, lo01, lo23)), d4, dst);
  hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, lo01, lo23)), d4, dst + width);
  hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, hi01, hi23)), d4, dst + 2 * width);
  hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, hi01, hi23)), d4, dst + 3 * width);
#endif
}

/// dst[p * width + i] = src[i * ld + p] for i < count, p < steps; 0 for count <= i < fill.
HWY_INLINE void pack_transposed(const float* HWY_RESTRICT src, int64_t ld, int64_t count,
                                int64_t steps, float* HWY_RESTRICT dst, int64_t width,
                                int64_t fill) {
  int64_t p = 0;
  for (; p + 4 <= steps; p += 4) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
      transpose4x4(src + i * ld + p, ld, dst + p * width + i, width);
    }
    for (; i < count; ++i) {
      for (int64_t q = p; q < p + 4; ++q) dst[q * width + i] = src[i * ld + q];
    }
  }
  for (; p < steps; ++p) {
    for (int64_t i = 0; i < count; ++i) dst[p * width + i] = src[i * ld + p];
  }
  if (fill <= count) return;
  for (p = 0; p < steps; ++p) {
    for (int64_t i = count; i < fill; ++i) dst[p * width + i] = 0.0F;
  }
}

/// dst[p * width + i] = src[p * ld + i] for i < count, p < steps; 0 for count <= i < fill.
HWY_INLINE void pack_straight(const float* HWY_RESTRICT src, int64_t ld, int64_t count,
                              int64_t steps, float* HWY_RESTRICT dst, int64_t width, int64_t fill) {
  const D d;
  for (int64_t p = 0; p < steps; ++p) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      hn::StoreU(hn::LoadU(d, src + p * ld + i), d, dst + p * width + i);
    }
    if (i < count) {
      const First last{static_cast<size_t>(count - i)};
      store(load(src + p * ld + i, last), dst + p * width + i, last);
    }
    for (i = count; i < fill; ++i) dst[p * width + i] = 0.0F;
  }
}

}  // namespace ingot::kernels::HWY_NAMESPACE::tile
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
