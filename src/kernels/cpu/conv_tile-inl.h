// SPDX-License-Identifier: Apache-2.0
// The register tile of gemm_tile-inl.h for packed patch rows (conv_gather-inl.h): only the segments
// that are inside the image are multiplied, and the rows of the result lie anywhere. Included by
// conv.cpp, once per Highway target. Not a public interface.

#include <cstdint>

#include "kernels/cpu/patches.h"

#if defined(INGOT_KERNELS_CPU_CONV_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_CONV_TILE_INL_H_
#undef INGOT_KERNELS_CPU_CONV_TILE_INL_H_
#else
#define INGOT_KERNELS_CPU_CONV_TILE_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/cpu/conv_gather-inl.h"
#include "kernels/cpu/gemm_tile-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

/// What a tile multiplies: packed rows by the panel's rows of k, over the segments.
struct PatchOperands {
  const float* rows;
  const float* panel;
  const Segment* segments;
  int64_t segment_count;
};

/// Where a tile's rows go: c + at[r], `lanes` numbers in the last vector; and what is done to them
/// while they are in registers: c before is added, then the bias (null: none), then relu.
struct RowTarget {
  float* c;
  const int64_t* at;
  const float* bias;
  int64_t lanes;
  bool add, is_relu;
};

/// What RowTarget says, done to `rows` vectors of the last, incomplete column of vectors. A plain
/// loop over memory: unrolled into every tile it would be most of the code.
HWY_NOINLINE void finish_last(const float* last, int64_t rows, int64_t column, const RowTarget& c) {
  const tile::D d;
  const First lanes{static_cast<size_t>(c.lanes)};
  for (int64_t r = 0; r < rows; ++r) {
    float* to = c.c + c.at[r] + column;
    tile::Vec x = hn::Load(d, last + r * kLanes);
    if (c.add) x = hn::Add(load(static_cast<const float*>(to), lanes), x);
    if (c.bias != nullptr) x = hn::Add(x, load(c.bias + column, lanes));
    if (c.is_relu) x = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
    store(x, to, lanes);
  }
}

/// The same for kN whole vectors of every row, in registers.
template <int R, int V, int kN>
HWY_INLINE void finish_whole(tile::Vec (&acc)[R][V], const RowTarget& c) {
  const tile::D d;
  if (c.add) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kN; ++v) {
        acc[r][v] = hn::Add(hn::LoadU(d, c.c + c.at[r] + v * kLanes), acc[r][v]);
      }
    }
  }
  if (c.bias != nullptr) {
#pragma GCC unroll 8
    for (int v = 0; v < kN; ++v) {
      const tile::Vec bias = hn::LoadU(d, c.bias + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) acc[r][v] = hn::Add(acc[r][v], bias);
    }
  }
  if (c.is_relu) {  // a NaN stays: it is not below zero
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kN; ++v) {
        acc[r][v] = hn::IfThenElse(hn::Lt(acc[r][v], hn::Zero(d)), hn::Zero(d), acc[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kN; ++v) hn::StoreU(acc[r][v], d, c.c + c.at[r] + v * kLanes);
  }
}

/// One tile of packed patch rows by one packed panel: one chain over all segments, so leaving out
/// what is zero changes no byte (of finite weights).
template <int R, int V>
HWY_NOINLINE void patch_tile(const PatchOperands& o, const RowTarget& c) {
  const tile::D d;
  tile::Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) acc[r][v] = hn::Zero(d);
  }
  for (const Segment* s = o.segments; s < o.segments + o.segment_count; ++s) {
    const tile::Operands part{o.rows + s->p, o.panel + s->p * kPanel, kPatchRow, 1, kPanel, kPanel,
                              s->steps};
    tile::multiply<R, V, false, kPatchRow, 1, kPanel>(part, c.lanes, acc);
  }
  if (c.lanes == kLanes) return finish_whole<R, V, V>(acc, c);
  HWY_ALIGN float last[R * kLanes];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) hn::Store(acc[r][V - 1], d, last + r * kLanes);
  if constexpr (V > 1) finish_whole<R, V, V - 1>(acc, c);
  finish_last(last, R, (V - 1) * kLanes, c);
}

using PatchTile = void (*)(const PatchOperands&, const RowTarget&);

template <int V, int64_t... kR>
PatchTile patch_tile_of(int64_t rows, std::integer_sequence<int64_t, kR...>) {
  static constexpr PatchTile kTable[] = {patch_tile<static_cast<int>(kR) + 1, V>...};
  return kTable[rows - 1];
}

/// The tile of `rows` rows for a panel with `columns` columns.
inline PatchTile patch_tile_for(int64_t rows, int64_t columns) {
  const std::make_integer_sequence<int64_t, kRows> all;
  return columns > kLanes ? patch_tile_of<2>(rows, all) : patch_tile_of<1>(rows, all);
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
