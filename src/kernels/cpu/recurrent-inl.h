// SPDX-License-Identifier: Apache-2.0
// What both directions of recurrent.h share: the product of a block of rows with packed weights at
// one step, and how the batch is shared. Included by recurrent.cpp and recurrent_grad.cpp, once
// per Highway target. Not a public interface.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernels/cpu/tiles.h"
#include "kernels/gemm.h"
#include "kernels/recurrent.h"

#if defined(INGOT_KERNELS_CPU_RECURRENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_RECURRENT_INL_H_
#undef INGOT_KERNELS_CPU_RECURRENT_INL_H_
#else
#define INGOT_KERNELS_CPU_RECURRENT_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/cpu/gemm_tile-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

constexpr int64_t kBlockRows = 4 * tile::kRows;  // that read a panel while it is in cache
constexpr int64_t kSerialProducts = 1 << 20;     // multiply-adds below: not worth a team

/// Where step number `step` lies, and the one before it in the order of time.
struct Moment {
  int64_t t, before;
  bool is_first;
  Moment(int64_t step, int64_t seq, bool is_reverse)
      : t(is_reverse ? seq - 1 - step : step),
        before(is_reverse ? t + 1 : t - 1),
        is_first(step == 0) {}
};

inline bool is_padding(const int32_t* ids, int64_t at) { return ids != nullptr && ids[at] == 0; }

inline bool all_padding(const int32_t* ids, int64_t seq, int64_t t, int64_t begin, int64_t end) {
  if (ids == nullptr) return false;
  for (int64_t r = begin; r < end; ++r) {
    if (ids[r * seq + t] != 0) return false;
  }
  return true;
}

/// c (+)= a · panels [k, n], as gemm_pack_b lays them out; row r of a and c at r times their row.
struct StepProduct {
  const float* a;
  int64_t a_row;
  const float* panels;
  int64_t n, k;
  float* c;
  int64_t c_row;
  bool add;
};

using RowTile = void (*)(const tile::Operands&, const tile::Target&);

template <int V, int64_t... kR>
RowTile row_tile_of(int64_t rows, std::integer_sequence<int64_t, kR...>) {
  static constexpr RowTile kTable[] = {
      tile::block_tile<static_cast<int>(kR) + 1, V, false, tile::kDynamic, 1, tile::kPanel>...};
  return kTable[rows - 1];
}

inline RowTile row_tile(int64_t rows, int64_t columns) {
  const std::make_integer_sequence<int64_t, tile::kRows> all;
  return columns > tile::kLanes ? row_tile_of<2>(rows, all) : row_tile_of<1>(rows, all);
}

inline void multiply_rows(const StepProduct& p, int64_t rows) {
  for (int64_t column = 0; column < p.n; column += tile::kPanel) {
    const int64_t columns = std::min(tile::kPanel, p.n - column);
    const int64_t lanes = columns > tile::kLanes ? columns - tile::kLanes : columns;
    for (int64_t p0 = 0; p0 < p.k; p0 += kGemmBlockK) {
      const int64_t steps = std::min(kGemmBlockK, p.k - p0);
      const float* panel = p.panels + column * p.k + p0 * tile::kPanel;
      for (int64_t i = 0; i < rows; i += tile::kRows) {
        const tile::Operands o{p.a + i * p.a_row + p0, panel,        p.a_row, 1,
                               tile::kPanel,           tile::kPanel, steps};
        row_tile(std::min<int64_t>(tile::kRows, rows - i), columns)(
            o, {p.c + i * p.c_row + column, p.c_row, lanes, p.add || p0 > 0});
      }
    }
  }
}

/// body(begin, end) over the rows of the batch; no row depends on another.
template <class Body>
void share_rows(Team& team, int64_t batch, int64_t products, const Body& body) {
  const int64_t share = ceil_div(batch, team.size());
  const int64_t rows = ceil_div(share, ceil_div(share, kBlockRows));
  team.tiles(ceil_div(batch, rows), products < kSerialProducts,
             [&](int64_t tile) { body(tile * rows, std::min(batch, (tile + 1) * rows)); });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
