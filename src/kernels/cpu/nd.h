// SPDX-License-Identifier: Apache-2.0
// Iteration over K strided operands of one shape: axes of size 1 are dropped and neighbours that
// every operand walks as one are merged, then the rest is visited as segments along the last axis.
// Segments are visited in any order by any worker; the body must not care. Used by broadcasting
// elementwise kernels, copies and reductions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/activation.h"
#include "kernels/cpu/tiles.h"

namespace ingot::kernels {

template <int K>
struct Nd {
  int64_t dims = 0;  ///< at least 1 after merge_axes
  int64_t total = 1;
  std::array<int64_t, kMaxDims> shape{};
  std::array<std::array<int64_t, kMaxDims>, K> stride{};
};

/// The same index space with as few axes as possible.
template <int K>
[[nodiscard]] Nd<K> merge_axes(int64_t dims, const int64_t* shape,
                               const std::array<const int64_t*, K>& stride) {
  Nd<K> nd;
  for (int64_t axis = 0; axis < dims; ++axis) {
    nd.total *= shape[axis];
    if (shape[axis] == 1) continue;
    const int64_t last = nd.dims - 1;
    bool merge = last >= 0;
    for (int k = 0; merge && k < K; ++k) {
      merge = nd.stride[k][last] == stride[k][axis] * shape[axis];
    }
    const int64_t slot = merge ? last : nd.dims++;
    nd.shape[slot] = merge ? nd.shape[slot] * shape[axis] : shape[axis];
    for (int k = 0; k < K; ++k) nd.stride[k][slot] = stride[k][axis];
  }
  if (nd.dims == 0) {
    nd.dims = 1;
    nd.shape[0] = 1;
  }
  return nd;
}

/// Offsets of one segment's first element, per operand.
template <int K>
using Offsets = std::array<int64_t, K>;

/// The offsets of row `row` of the axes before the last.
template <int K>
[[nodiscard]] Offsets<K> nd_offsets(const Nd<K>& nd, int64_t row) {
  Offsets<K> at{};
  for (int64_t axis = nd.dims - 2; axis >= 0; --axis) {
    const int64_t index = row % nd.shape[axis];
    row /= nd.shape[axis];
    for (int k = 0; k < K; ++k) at[k] += index * nd.stride[k][axis];
  }
  return at;
}

/// body(offsets, n) for segments along the last axis that together cover rows [begin, end).
template <int K, class Body>
void nd_rows(const Nd<K>& nd, int64_t begin, int64_t end, const Body& body) {
  const int64_t inner = nd.shape[nd.dims - 1];
  if (nd.dims == 1) {
    body(Offsets<K>{}, inner);
    return;
  }
  const int64_t axis = nd.dims - 2;
  int64_t row = begin;
  while (row < end) {
    Offsets<K> at = nd_offsets(nd, row);
    const int64_t left = nd.shape[axis] - row % nd.shape[axis];
    const int64_t stop = std::min(end, row + left);
    for (; row < stop; ++row) {
      body(at, inner);
      for (int k = 0; k < K; ++k) at[k] += nd.stride[k][axis];
    }
  }
}

/// body(offsets, n) over the whole space, shared by the team in tiles of about kTileElements.
template <int K, class Body>
void nd_tiles(Team& team, const Nd<K>& nd, double cost, const Body& body) {
  if (nd.total == 0) return;
  const int64_t inner = nd.shape[nd.dims - 1];
  const int64_t rows = nd.total / inner;
  if (is_serial(nd.total, cost) || team.size() == 1) {
    nd_rows(nd, 0, rows, body);
    return;
  }
  if (inner >= 2 * kTileElements) {
    const int64_t parts = ceil_div(inner, kTileElements);
    team.tiles(rows * parts, false, [&](int64_t tile) {
      Offsets<K> at = nd_offsets(nd, tile / parts);
      const int64_t from = tile % parts * kTileElements;
      for (int k = 0; k < K; ++k) at[k] += from * nd.stride[k][nd.dims - 1];
      body(at, std::min(kTileElements, inner - from));
    });
    return;
  }
  const int64_t step = std::max<int64_t>(1, kTileElements / inner);
  team.tiles(ceil_div(rows, step), false, [&](int64_t tile) {
    nd_rows(nd, tile * step, std::min(rows, (tile + 1) * step), body);
  });
}

}  // namespace ingot::kernels
