// SPDX-License-Identifier: Apache-2.0
// What the products of a convolution are made of: gathering parts of patches into rows of cache,
// run by run, and the register tile of gemm_tile-inl.h on rows that lie anywhere. Rows are packed
// as they are, not transposed: a run is copied with whole vectors, and the tile broadcasts from
// rows kPatchRow floats apart. Included by conv.cpp and conv_weight.cpp, once per Highway target.

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/patches.h"
#include "kernels/gemm.h"

#if defined(INGOT_KERNELS_CPU_CONV_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_CONV_TILE_INL_H_
#undef INGOT_KERNELS_CPU_CONV_TILE_INL_H_
#else
#define INGOT_KERNELS_CPU_CONV_TILE_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/cpu/gemm_tile-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

using tile::kLanes;
using tile::kPanel;
using tile::kRows;

/// Floats from one packed patch row to the next: a block of k and one odd cache line, so that the
/// rows of a tile do not fall on each other in the first cache level.
constexpr int64_t kPatchRow = kGemmBlockK + 16;

/// count rows of `length` floats; rows src_step and dst_step apart. src_step 0 and src null: zeros.
template <bool kZero>
HWY_INLINE void copy_rows(const float* HWY_RESTRICT src, int64_t src_step, float* HWY_RESTRICT dst,
                          int64_t dst_step, int64_t count, int64_t length) {
  const tile::D d;
  const int64_t whole = length / kLanes * kLanes;
  const First rest{static_cast<size_t>(length - whole)};
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t i = 0; i < whole; i += kLanes) {
      hn::StoreU(kZero ? hn::Zero(d) : hn::LoadU(d, src + i), d, dst + i);
    }
    if (rest.n > 0) store(kZero ? hn::Zero(d) : load(src + whole, rest), dst + whole, rest);
    if (!kZero) src += src_step;
    dst += dst_step;
  }
}

/// A run of the patch at grid position (i, j), zeros where it leaves the image; `row` is the source
/// row it reads.
HWY_INLINE void copy_edge(const Patches& p, const Run& run, const float* row, int64_t i, int64_t j,
                          float* dst) {
  const Inside inside = inside_of(p, run, i, j);
  const int64_t x0 = j * p.x.step + p.x.first;
  copy_rows<true>(nullptr, 0, dst, 0, 1, inside.begin);
  if (inside.end > inside.begin) {
    copy_rows<false>(row + x0 * p.channels + run.offset + inside.begin, 0, dst + inside.begin, 0, 1,
                     inside.end - inside.begin);
  }
  copy_rows<true>(nullptr, 0, dst + inside.end, 0, 1, run.length - inside.end);
}

/// Grid columns [j, j + count) of one grid row: dst[m * dst_step + run.at ...] for every run.
HWY_INLINE void gather_row(const Patches& p, const Run* runs, int64_t run_count, int64_t image,
                           int64_t i, int64_t j, int64_t count, float* dst, int64_t dst_step) {
  for (const Run* run = runs; run < runs + run_count; ++run) {
    const int64_t y = i * p.y.step + p.y.first + run->row * p.y.tap_step;
    float* to = dst + run->at;
    if (y < 0 || y >= p.y.source) {
      copy_rows<true>(nullptr, 0, to, dst_step, count, run->length);
      continue;
    }
    const float* row = p.source + (image * p.y.source + y) * p.x.source * p.channels;
    const int64_t begin = std::clamp(run->full_begin, j, j + count);
    const int64_t end = std::clamp(run->full_end, begin, j + count);
    for (int64_t k = j; k < begin; ++k) {
      copy_edge(p, *run, row, i, k, to + (k - j) * dst_step);
    }
    if (end > begin) {
      copy_rows<false>(row + (begin * p.x.step + p.x.first) * p.channels + run->offset,
                       p.x.step * p.channels, to + (begin - j) * dst_step, dst_step, end - begin,
                       run->length);
    }
    for (int64_t k = end; k < j + count; ++k) {
      copy_edge(p, *run, row, i, k, to + (k - j) * dst_step);
    }
  }
}

/// Grid pixels [first, first + count), counted over all images, into rows dst_step floats apart.
HWY_INLINE void gather(const Patches& p, const Run* runs, int64_t run_count, int64_t first,
                       int64_t count, float* dst, int64_t dst_step) {
  int64_t image = first / p.pixels(), i = first % p.pixels() / p.x.grid, j = first % p.x.grid;
  while (count > 0) {
    const int64_t n = std::min(count, p.x.grid - j);
    gather_row(p, runs, run_count, image, i, j, n, dst, dst_step);
    count -= n;
    dst += n * dst_step;
    j = 0;
    if (++i == p.y.grid) i = 0, ++image;
  }
}

/// The same grid position (i, j) of `count` images from `image` on, one row each. Only what is
/// inside the image is copied; that is listed in `segments`, whose number is returned.
HWY_INLINE int64_t gather_images(const Patches& p, const Run* runs, int64_t run_count,
                                 int64_t image, int64_t i, int64_t j, int64_t count, float* dst,
                                 Segment* segments) {
  const int64_t image_step = p.y.source * p.x.source * p.channels;
  int64_t n = 0;
  for (const Run* run = runs; run < runs + run_count; ++run) {
    const Inside inside = inside_of(p, *run, i, j);
    if (inside.end == inside.begin) continue;
    const int64_t y = i * p.y.step + p.y.first + run->row * p.y.tap_step;
    const int64_t x = j * p.x.step + p.x.first;
    const int64_t at = image * image_step + (y * p.x.source + x) * p.channels + run->offset;
    copy_rows<false>(p.source + at + inside.begin, image_step, dst + run->at + inside.begin,
                     kPatchRow, count, inside.end - inside.begin);
    const Segment next{run->at + inside.begin, inside.end - inside.begin};
    if (n > 0 && segments[n - 1].p + segments[n - 1].steps == next.p) {
      segments[n - 1].steps += next.steps;
    } else {
      segments[n++] = next;
    }
  }
  return n;
}

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
