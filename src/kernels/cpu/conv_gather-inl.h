// SPDX-License-Identifier: Apache-2.0
// Gathering parts of patches into rows of cache, run by run. Rows are packed as they are, not
// transposed: a run is copied with whole vectors, and the tiles broadcast from rows kPatchRow
// floats apart. Included by conv.cpp and conv_weight.cpp, once per Highway target. Not a public
// interface.

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/cpu/patches.h"
#include "kernels/gemm.h"

#if defined(INGOT_KERNELS_CPU_CONV_GATHER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_CONV_GATHER_INL_H_
#undef INGOT_KERNELS_CPU_CONV_GATHER_INL_H_
#else
#define INGOT_KERNELS_CPU_CONV_GATHER_INL_H_
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

/// Columns of one grid row: dst[m * dst_step + run.at ...] for every run.
HWY_INLINE void gather_row(const Patches& p, std::span<const Run> runs, const GridRows& at,
                           float* dst, int64_t dst_step) {
  const int64_t columns_end = at.j + at.count;
  for (const Run& run : runs) {
    const int64_t y = at.i * p.y.step + p.y.first + run.row * p.y.tap_step;
    float* to = dst + run.at;
    if (y < 0 || y >= p.y.source) {
      copy_rows<true>(nullptr, 0, to, dst_step, at.count, run.length);
      continue;
    }
    const float* row = p.source + (at.image * p.y.source + y) * p.x.source * p.channels;
    const int64_t begin = std::clamp(run.full_begin, at.j, columns_end);
    const int64_t end = std::clamp(run.full_end, begin, columns_end);
    for (int64_t k = at.j; k < begin; ++k) {
      copy_edge(p, run, row, at.i, k, to + (k - at.j) * dst_step);
    }
    if (end > begin) {
      copy_rows<false>(row + (begin * p.x.step + p.x.first) * p.channels + run.offset,
                       p.x.step * p.channels, to + (begin - at.j) * dst_step, dst_step, end - begin,
                       run.length);
    }
    for (int64_t k = end; k < columns_end; ++k) {
      copy_edge(p, run, row, at.i, k, to + (k - at.j) * dst_step);
    }
  }
}

/// Grid pixels [first, first + count), counted over all images, into rows dst_step floats apart.
HWY_INLINE void gather(const Patches& p, std::span<const Run> runs, int64_t first, int64_t count,
                       float* dst, int64_t dst_step) {
  GridRows at{first / p.pixels(), first % p.pixels() / p.x.grid, first % p.x.grid, 0};
  for (; count > 0; count -= at.count, dst += at.count * dst_step, at.j = 0) {
    at.count = std::min(count, p.x.grid - at.j);
    gather_row(p, runs, at, dst, dst_step);
    if (++at.i == p.y.grid) at.i = 0, ++at.image;
  }
}

/// The same grid position of images next to each other, one row each. Only what is inside the image
/// is copied; that is listed in `segments`, whose number is returned.
HWY_INLINE int64_t gather_images(const Patches& p, std::span<const Run> runs, const GridRows& at,
                                 float* dst, Segment* segments) {
  const int64_t image_step = p.y.source * p.x.source * p.channels;
  int64_t n = 0;
  for (const Run& run : runs) {
    const Inside inside = inside_of(p, run, at.i, at.j);
    if (inside.end == inside.begin) continue;
    const int64_t y = at.i * p.y.step + p.y.first + run.row * p.y.tap_step;
    const int64_t x = at.j * p.x.step + p.x.first;
    const int64_t from = at.image * image_step + (y * p.x.source + x) * p.channels + run.offset;
    copy_rows<false>(p.source + from + inside.begin, image_step, dst + run.at + inside.begin,
                     kPatchRow, at.count, inside.end - inside.begin);
    const Segment next{run.at + inside.begin, inside.end - inside.begin};
    if (n > 0 && segments[n - 1].p + segments[n - 1].steps == next.p) {
      segments[n - 1].steps += next.steps;
    } else {
      segments[n++] = next;
    }
  }
  return n;
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
