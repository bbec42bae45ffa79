// SPDX-License-Identifier: Apache-2.0
// How an optimiser's pass is cut: the whole slab in tiles, or, for a row-sparse gradient, its rows
// walked beside those of the parameter; rows without one take the same arithmetic with a gradient
// of zero. Included by optimizer.cpp and adaptive.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/tiles.h"

namespace ingot::kernels {

/// Elements [at, at + n) of the slabs; grad points at the first one's gradient, null for zero.
struct Span {
  int64_t at;
  int64_t n;
  const float* grad;
};

inline constexpr double kOptimizerCost = 1.5;  // nanoseconds per element: up to seven streams

/// update(span) over rows [begin, end), pairing sorted ids with rows; runs of rows without a
/// gradient become one span.
template <class Args, class Update>
void sparse_rows(const Args& a, int64_t begin, int64_t end, const Update& update) {
  const int64_t* last = a.unique_ids + *a.unique_count;
  const int64_t* next = std::lower_bound(a.unique_ids, last, begin);
  int64_t row = begin;
  while (row < end) {
    const int64_t stop = next == last ? end : std::min(end, *next);
    if (stop > row) update(Span{row * a.cols, (stop - row) * a.cols, nullptr});
    row = stop;
    if (row == end) break;
    update(Span{row * a.cols, a.cols, a.grad + (next - a.unique_ids) * a.cols});
    ++next;
    ++row;
  }
}

/// update(span) over the whole slab, dense or row-sparse.
template <class Args, class Update>
void for_spans(const Args& a, Team& team, const Update& update) {
  if (a.unique_ids != nullptr) {
    row_tiles(team, a.n / a.cols, a.cols, kOptimizerCost,
              [&](int64_t begin, int64_t end) { sparse_rows(a, begin, end, update); });
    return;
  }
  flat_tiles(team, a.n, kOptimizerCost, [&](int64_t begin, int64_t end) {
    update(Span{begin, end - begin, a.grad + begin});
  });
}

}  // namespace ingot::kernels
