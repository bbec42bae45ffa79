// SPDX-License-Identifier: Apache-2.0
// One step of tiled attention: up to 64 query rows against one tile of 64 keys, with online
// softmax. Shared by the training forward (attention.cpp) and inference over pages
// (paged_attention.cpp), which is why their bytes are equal. Every row carries its own range of
// keys [lo, hi); numbers outside that range never enter a row's arithmetic, not even times zero.
// Scores are in units of log2: q arrives scaled by scale * log2(e). Needs gemm_tile-inl.h's tiles.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/cpu/gemm_tile-inl.h"
#include "kernels/cpu/math-inl.h"

#if defined(INGOT_KERNELS_CPU_ATTENTION_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_ATTENTION_TILE_INL_H_
#undef INGOT_KERNELS_CPU_ATTENTION_TILE_INL_H_
#else
#define INGOT_KERNELS_CPU_ATTENTION_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE::attend {

namespace hn = hwy::HWY_NAMESPACE;
using tile::kDynamic;
using tile::kLanes;
using tile::kPanel;
using tile::Operands;
using tile::Target;
using tile::Vec;

constexpr int64_t kTile = 64;  // keys per tile, and most query rows per block
constexpr int kWide = HWY_TARGET == HWY_AVX3 ? 4 : 2;    // vectors per register tile
constexpr int kTall = HWY_TARGET == HWY_SCALAR ? 4 : 6;  // rows per register tile
constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLn2 = 0.6931471805599453F;

constexpr int64_t padded(int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

/// The state of one block of query rows, in scratch. Rows of q and o are padded(head_dim) apart.
struct RowBlock {
  float *q, *o;         // [64][padded]
  float* p;             // [64][64] scores, then weights
  float *max, *sum;     // [64] running maximum and sum
  float *next, *alpha;  // [64] new maximum, factor for what was summed before
  int32_t *lo, *hi;     // [64] keys a row sees, from the start of the sequence
  int64_t rows, head_dim, width;
};

constexpr int64_t row_block_floats(int64_t head_dim) {
  return 2 * kTile * padded(head_dim) + kTile * kTile + 6 * kTile;
}

HWY_INLINE RowBlock make_row_block(float* scratch, int64_t head_dim) {
  RowBlock b;
  b.head_dim = head_dim;
  b.width = padded(head_dim);
  b.rows = 0;
  b.q = scratch;
  b.o = b.q + kTile * b.width;
  b.p = b.o + kTile * b.width;
  b.max = b.p + kTile * kTile;
  b.sum = b.max + kTile;
  b.next = b.sum + kTile;
  b.alpha = b.next + kTile;
  b.lo = reinterpret_cast<int32_t*>(b.alpha + kTile);
  b.hi = b.lo + kTile;
  return b;
}

/// Appends a row: its query, scaled, and an empty state.
HWY_INLINE void add_row(RowBlock& b, const float* q, float scale, int64_t lo, int64_t hi) {
  const tile::D d;
  const int64_t r = b.rows++;
  const Vec factor = hn::Set(d, scale * kLog2E);
  for (int64_t i = 0; i < b.head_dim; i += kLanes) {
    const First lanes{static_cast<size_t>(std::min(kLanes, b.head_dim - i))};
    hn::StoreU(hn::Mul(load(q + i, lanes), factor), d, b.q + r * b.width + i);
  }
  for (int64_t i = 0; i < b.width; i += kLanes) hn::StoreU(hn::Zero(d), d, b.o + r * b.width + i);
  b.max[r] = -std::numeric_limits<float>::infinity();
  b.sum[r] = 0.0F;
  b.lo[r] = static_cast<int32_t>(lo);
  b.hi[r] = static_cast<int32_t>(hi);
}

/// Keys that query `i` of a sequence may see.
struct Range {
  int64_t begin, end;
};
template <class Args>
HWY_INLINE Range visible_keys(const Args& g, int64_t batch, int64_t i) {
  const int64_t at = batch * g.seq + i;
  const int64_t begin = g.doc_start == nullptr ? 0 : std::max(0, g.doc_start[at]);
  const int64_t end = g.doc_end == nullptr ? g.seq : g.doc_end[at];
  return {begin, g.causal ? std::min(end, i + 1) : end};
}

/// The part of tile `from` (its first key) that a row sees: [begin, end), empty when begin >= end.
struct Seen {
  int64_t begin, end;
};
HWY_INLINE Seen seen(const RowBlock& b, int64_t r, int64_t from) {
  return {std::max<int64_t>(0, b.lo[r] - from), std::min<int64_t>(kTile, b.hi[r] - from)};
}

/// What a run of rows sees together.
struct Overlap {
  int64_t first, all_begin, all_end,
      last;  // union [first, last), intersection [all_begin, all_end)
};
HWY_INLINE Overlap overlap(const RowBlock& b, int64_t row, int64_t rows, int64_t from) {
  Overlap o{kTile, 0, kTile, 0};
  for (int64_t r = row; r < row + rows; ++r) {
    const Seen s = seen(b, r, from);
    o.all_begin = std::max(o.all_begin, s.begin);
    o.all_end = std::min(o.all_end, s.end);
    if (s.begin >= s.end) continue;
    o.first = std::min(o.first, s.begin);
    o.last = std::max(o.last, s.end);
  }
  return o;
}

template <int R>
HWY_INLINE void score_rows(const RowBlock& b, int64_t row, const float* k_tile, const Overlap& o) {
  constexpr int64_t kStep = kWide * kLanes;
  for (int64_t t = o.first / kStep * kStep; t < o.last; t += kStep) {
    const Operands operands{b.q + row * b.width, k_tile + t, b.width, 1, kTile, kPanel, b.head_dim};
    tile::block_tile<R, kWide, false, kDynamic, 1, kTile>(
        operands, Target{b.p + row * kTile + t, kTile, kLanes, false});
  }
}

/// o[row ..] += p[row ..][begin, end) * V, one chain over keys.
template <int R, int V, bool kMasked>
HWY_INLINE void mix_tile(const RowBlock& b, int64_t row, const Operands& operands, int64_t column) {
  const tile::D d;
  const int64_t left = b.head_dim - column - (V - 1) * kLanes;
  float* o = b.o + row * b.width + column;
  Vec acc[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = hn::LoadU(d, o + r * b.width + v * kLanes);
  }
  tile::multiply<R, V, kMasked, kTile, 1, kDynamic>(operands, std::min(left, kLanes), acc);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) hn::StoreU(acc[r][v], d, o + r * b.width + v * kLanes);
  }
}

template <int R>
HWY_NOINLINE void mix_span(const RowBlock& b, int64_t row, const float* v_tile, int64_t v_step,
                           Seen keys) {
  if (keys.begin >= keys.end) return;
  int64_t column = 0;
  while (column < b.head_dim) {
    const Operands operands{b.p + row * kTile + keys.begin,
                            v_tile + keys.begin * v_step + column,
                            kTile,
                            1,
                            v_step,
                            kPanel,
                            keys.end - keys.begin};
    const int64_t left = b.head_dim - column;
    if (left >= kWide * kLanes) {
      mix_tile<R, kWide, false>(b, row, operands, column);
      column += kWide * kLanes;
    } else if (kWide > 2 && left > kLanes) {
      mix_tile<R, 2, true>(b, row, operands, column);
      column += 2 * kLanes;
    } else {
      mix_tile<R, 1, true>(b, row, operands, column);
      column += kLanes;
    }
  }
}

/// Keys that all R rows see in one go; the ragged ends row by row, in the order of keys.
template <int R>
HWY_INLINE void mix_rows(const RowBlock& b, int64_t row, const float* v_tile, int64_t v_step,
                         int64_t from, const Overlap& o) {
  const Seen common = o.all_begin < o.all_end ? Seen{o.all_begin, o.all_end} : Seen{kTile, kTile};
  for (int64_t r = row; r < row + R; ++r) {
    const Seen s = seen(b, r, from);
    mix_span<1>(b, r, v_tile, v_step, {s.begin, std::min(s.end, common.begin)});
  }
  mix_span<R>(b, row, v_tile, v_step, common);
  for (int64_t r = row; r < row + R; ++r) {
    const Seen s = seen(b, r, from);
    mix_span<1>(b, r, v_tile, v_step, {std::max(s.begin, common.end), s.end});
  }
}

/// Calls f(std::integral_constant<int, R>, first row) over the block's rows in register tiles.
template <class F>
HWY_INLINE void for_row_tiles(int64_t rows, const F& f) {
  int64_t r = 0;
  for (; r + kTall <= rows; r += kTall) f(std::integral_constant<int, kTall>(), r);
  switch (rows - r) {
    case 5:
      return f(std::integral_constant<int, 5>(), r);
    case 4:
      return f(std::integral_constant<int, 4>(), r);
    case 3:
      return f(std::integral_constant<int, 3>(), r);
    case 2:
      return f(std::integral_constant<int, 2>(), r);
    case 1:
      return f(std::integral_constant<int, 1>(), r);
    default:
      return;
  }
}

/// Lanes of vector t of the tile that lie in [s.begin, s.end).
HWY_INLINE hn::Mask<tile::D> visible(Seen s, int64_t t) {
  const tile::D d;
  const int64_t end = std::clamp<int64_t>(s.end - t, 0, kLanes);
  const int64_t begin = std::clamp<int64_t>(s.begin - t, 0, kLanes);
  return hn::AndNot(hn::FirstN(d, static_cast<size_t>(begin)),
                    hn::FirstN(d, static_cast<size_t>(end)));
}

/// next[r] = max(max[r], scores the row sees). A dropped NaN comes back through its weight.
HWY_INLINE void new_maximum(const RowBlock& b, int64_t r, Seen s) {
  const tile::D d;
  const Vec low = hn::Set(d, b.max[r]);
  Vec best = low;
  const float* p = b.p + r * kTile;
  for (int64_t t = s.begin / kLanes * kLanes; t < s.end; t += kLanes) {
    best = hn::Max(best, hn::IfThenElse(visible(s, t), hn::LoadU(d, p + t), low));
  }
  b.next[r] = hn::GetLane(hn::MaxOfLanes(d, best));
}

/// Scores to weights 2^(s - max), exact zeros where unseen; running sum and output rescaled.
HWY_INLINE void weigh_row(const RowBlock& b, int64_t r, Seen s) {
  const tile::D d;
  constexpr int64_t kCount = kTile / kLanes;
  const Vec top = hn::Set(d, b.max[r]);
  float* p = b.p + r * kTile;
  Vec total[2] = {hn::Zero(d), hn::Zero(d)};
  for (int64_t i = s.begin / kLanes; i < kCount && i * kLanes < s.end; ++i) {
    const int64_t t = i * kLanes;
    const Vec w = hn::IfThenElseZero(visible(s, t), Exp2(d, hn::Sub(hn::LoadU(d, p + t), top)));
    hn::StoreU(w, d, p + t);
    total[i % 2] = hn::Add(total[i % 2], w);
  }
  const float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(total[0], total[1])));
  const float alpha = b.alpha[r];
  b.sum[r] = hn::GetLane(hn::MulAdd(hn::Set(d, b.sum[r]), hn::Set(d, alpha), hn::Set(d, sum)));
  if (alpha == 1.0F) return;
  float* o = b.o + r * b.width;
  for (int64_t i = 0; i < b.width; i += kLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, o + i), hn::Set(d, alpha)), d, o + i);
  }
}

/// alpha[r] = 2^(max[r] - next[r]), max = next, for all rows of the block at once.
HWY_INLINE void rescale_factors(const RowBlock& b) {
  const tile::D d;
  for (int64_t r = 0; r < b.rows; r += kLanes) {
    const Vec old_max = hn::LoadU(d, b.max + r);
    const Vec next = hn::LoadU(d, b.next + r);
    const Vec alpha = Exp2(d, hn::Sub(old_max, next));
    hn::StoreU(hn::IfThenElse(hn::Eq(old_max, next), hn::Set(d, 1.0F), alpha), d, b.alpha + r);
    hn::StoreU(next, d, b.max + r);
  }
}

/// All rows of the block against the tile whose first key is `from`. k_tile [head_dim][64],
/// v_tile [64] rows v_step apart.
HWY_INLINE void attend_tile(const RowBlock& b, int64_t from, const float* k_tile,
                            const float* v_tile, int64_t v_step) {
  for_row_tiles(b.rows, [&](auto tall, int64_t row) HWY_ATTR {
    constexpr int kR = decltype(tall)::value;
    const Overlap o = overlap(b, row, kR, from);
    if (o.first < o.last) score_rows<kR>(b, row, k_tile, o);
  });
  for (int64_t r = 0; r < b.rows; ++r) {
    const Seen s = seen(b, r, from);
    b.next[r] = b.max[r];
    if (s.begin < s.end) new_maximum(b, r, s);
  }
  rescale_factors(b);
  for (int64_t r = 0; r < b.rows; ++r) {
    const Seen s = seen(b, r, from);
    if (s.begin < s.end) weigh_row(b, r, s);
  }
  for_row_tiles(b.rows, [&](auto tall, int64_t row) HWY_ATTR {
    constexpr int kR = decltype(tall)::value;
    const Overlap o = overlap(b, row, kR, from);
    if (o.first < o.last) mix_rows<kR>(b, row, v_tile, v_step, from, o);
  });
}

/// out = o / sum; zeros for a row that saw nothing.
HWY_INLINE void finish_row(const RowBlock& b, int64_t r, float* out) {
  const tile::D d;
  const Vec sum = hn::Set(d, b.sum[r]);
  const Vec inverse =
      hn::IfThenElse(hn::Eq(sum, hn::Zero(d)), hn::Zero(d), hn::Div(hn::Set(d, 1.0F), sum));
  for (int64_t i = 0; i < b.head_dim; i += kLanes) {
    const auto mask = hn::FirstN(d, static_cast<size_t>(std::min(kLanes, b.head_dim - i)));
    const Vec o = hn::LoadU(d, b.o + r * b.width + i);
    hn::BlendedStore(hn::Mul(o, inverse), mask, d, out + i);
  }
}

}  // namespace ingot::kernels::HWY_NAMESPACE::attend
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
