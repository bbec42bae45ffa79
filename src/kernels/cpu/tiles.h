// SPDX-License-Identifier: Apache-2.0
// How elementwise and row-wise kernels share work: tiles of a fixed number of elements, whatever
// the team. Only for bodies whose results do not depend on tile borders; kernels that add partial
// sums cut their own blocks. Called by every source in kernels/cpu.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// Elements of a tile: 32 KiB of float32, small enough to share among a few workers.
inline constexpr int64_t kTileElements = 8192;
/// Below this much estimated work the team is not woken.
inline constexpr double kSerialNanoseconds = 50000.0;
/// Costs per element of one core, in nanoseconds: a stream of two or three arrays, and arithmetic
/// with an exponential in it.
inline constexpr double kStreamCost = 0.25;
inline constexpr double kMathCost = 0.6;

[[nodiscard]] inline bool is_serial(int64_t n, double cost) {
  return static_cast<double>(n) * cost < kSerialNanoseconds;
}

[[nodiscard]] constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// body(begin, end) over [0, n).
template <class Body>
void flat_tiles(Team& team, int64_t n, double cost, const Body& body) {
  if (n <= 0) return;
  if (is_serial(n, cost) || team.size() == 1) {
    body(int64_t{0}, n);
    return;
  }
  team.tiles(ceil_div(n, kTileElements), false, [&](int64_t tile) {
    body(tile * kTileElements, std::min(n, (tile + 1) * kTileElements));
  });
}

/// body(begin_row, end_row) over [0, rows), rows of `cols` elements.
template <class Body>
void row_tiles(Team& team, int64_t rows, int64_t cols, double cost, const Body& body) {
  if (rows <= 0) return;
  const int64_t width = std::max<int64_t>(cols, 1);
  if (is_serial(rows * width, cost) || team.size() == 1) {
    body(int64_t{0}, rows);
    return;
  }
  const int64_t step = std::max<int64_t>(1, kTileElements / width);
  team.tiles(ceil_div(rows, step), false,
             [&](int64_t tile) { body(tile * step, std::min(rows, (tile + 1) * step)); });
}

}  // namespace ingot::kernels
