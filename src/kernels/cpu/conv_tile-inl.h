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

/// The numbers of vector v of V: all, or `lanes` in the last one.
template <int V>
HWY_INLINE tile::Vec load_lanes(const float* p, int v, int64_t lanes) {
  if (v < V - 1 || lanes == kLanes) return hn::LoadU(tile::D(), p + v * kLanes);
  return load(p + v * kLanes, First{static_cast<size_t>(lanes)});
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
  if (c.add) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        acc[r][v] = hn::Add(load_lanes<V>(c.c + c.at[r], v, c.lanes), acc[r][v]);
      }
    }
  }
  if (c.bias != nullptr) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const tile::Vec bias = load_lanes<V>(c.bias, v, c.lanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) acc[r][v] = hn::Add(acc[r][v], bias);
    }
  }
  if (c.is_relu) {  // a NaN stays: it is not below zero
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        acc[r][v] = hn::IfThenElse(hn::Lt(acc[r][v], hn::Zero(d)), hn::Zero(d), acc[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    float* to = c.c + c.at[r];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v, to += kLanes) {
      if (v < V - 1 || c.lanes == kLanes) {
        hn::StoreU(acc[r][v], d, to);
      } else {
        store(acc[r][v], to, First{static_cast<size_t>(c.lanes)});
      }
    }
  }
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
