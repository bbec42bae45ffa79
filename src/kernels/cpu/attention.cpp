// SPDX-License-Identifier: Apache-2.0
// Forward of attention.h. Work is cut into blocks of 64 query rows of one head; a worker takes a
// run of them of equal cost (a causal block i costs i + 1 tiles) and copies the keys (transposed)
// and values of the current kv head into its own scratch when it first meets a tile, so each is
// copied once per worker and head and read many times. Arithmetic: attention_tile-inl.h.
#include "kernels/attention.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/tiles.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
// foreach_target.h must come before anything that includes highway.h.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on
#include "kernels/cpu/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using attend::kTile;
using attend::RowBlock;

constexpr int64_t kSerialCost = 1 << 21;  // multiply-adds: about 20 us

/// A worker's scratch: packed keys and values of one kv head, one row block, packed flags.
struct Scratch {
  int64_t tiles, k_floats, v_floats, flag_floats, total;
  explicit Scratch(const AttentionArgs& g) {
    tiles = (g.seq + kTile - 1) / kTile;
    k_floats = kTile * g.head_dim;
    v_floats = kTile * attend::padded(g.head_dim);
    flag_floats = (tiles + 63) / 64 * 16;  // one byte per tile, whole cache lines
    total = tiles * (k_floats + v_floats) + attend::row_block_floats(g.head_dim) + flag_floats;
  }
};

/// Packed tiles of the kv head a worker is at.
struct HeadTiles {
  float *k, *v;
  uint8_t* packed;
  int64_t current = -1;  // batch * kv_heads + kv_head
};

void pack_tile(const AttentionArgs& g, const Scratch& sizes, HeadTiles& head, int64_t j) {
  if (head.packed[j] != 0) return;
  head.packed[j] = 1;
  const int64_t batch = head.current / g.kv_heads;
  const int64_t kv_head = head.current % g.kv_heads;
  const int64_t count = std::min(kTile, g.seq - j * kTile);
  const float* k = g.k + batch * g.k_stride.batch + kv_head * g.k_stride.head;
  const float* v = g.v + batch * g.v_stride.batch + kv_head * g.v_stride.head;
  tile::pack_transposed(k + j * kTile * g.k_stride.seq, g.k_stride.seq, count, g.head_dim,
                        head.k + j * sizes.k_floats, kTile, kTile);
  const int64_t width = attend::padded(g.head_dim);
  tile::pack_straight(v + j * kTile * g.v_stride.seq, g.v_stride.seq, g.head_dim, count,
                      head.v + j * sizes.v_floats, width, width);
}

void store_lse(const RowBlock& b, float* lse) {
  const tile::D d;
  for (int64_t r = 0; r < b.rows; r += tile::kLanes) {
    const auto mask = hn::FirstN(d, static_cast<size_t>(std::min(tile::kLanes, b.rows - r)));
    const auto sum = hn::LoadU(d, b.sum + r);
    const auto max = hn::LoadU(d, b.max + r);
    auto y = hn::MulAdd(max, hn::Set(d, attend::kLn2), hn::Log(d, sum));
    y = hn::IfThenElse(hn::Eq(sum, hn::Zero(d)), hn::Neg(hn::Inf(d)), y);
    hn::BlendedStore(hn::IfThenElse(hn::IsNaN(sum), sum, y), mask, d, lse + r);
  }
}

/// 64 query rows of one head.
void attend_block(const AttentionArgs& g, const Scratch& sizes, HeadTiles& head, int64_t h,
                  int64_t row) {
  const int64_t batch = head.current / g.kv_heads;
  const int64_t rows = std::min(kTile, g.seq - row);
  RowBlock b = attend::make_row_block(head.v + sizes.tiles * sizes.v_floats, g.head_dim);
  const float* q = g.q + batch * g.q_stride.batch + h * g.q_stride.head;
  int64_t first = g.seq, last = 0;
  for (int64_t i = row; i < row + rows; ++i) {
    const attend::Range keys = attend::visible_keys(g, batch, i);
    first = std::min(first, keys.begin);
    last = std::max(last, keys.end);
    attend::add_row(b, q + i * g.q_stride.seq, g.scale, keys.begin, keys.end);
  }
  for (int64_t j = first / kTile; j * kTile < last; ++j) {
    pack_tile(g, sizes, head, j);
    attend::attend_tile(b, j * kTile, head.k + j * sizes.k_floats, head.v + j * sizes.v_floats,
                        b.width);
  }
  float* out = g.out + batch * g.out_stride.batch + h * g.out_stride.head;
  for (int64_t r = 0; r < rows; ++r) attend::finish_row(b, r, out + (row + r) * g.out_stride.seq);
  if (g.lse != nullptr) store_lse(b, g.lse + (batch * g.heads + h) * g.seq + row);
}

/// Blocks whose cost starts within [begin, end), counted over all heads in order.
void attend_range(const AttentionArgs& g, float* scratch, int64_t begin, int64_t end) {
  const Scratch sizes(g);
  HeadTiles head{scratch, scratch + sizes.tiles * sizes.k_floats,
                 reinterpret_cast<uint8_t*>(scratch + sizes.total - sizes.flag_floats)};
  const int64_t tiles = sizes.tiles;
  const int64_t per_head = g.causal ? tiles * (tiles + 1) / 2 : tiles * tiles;
  for (int64_t unit = begin / per_head; unit < g.batch * g.heads && unit * per_head < end; ++unit) {
    const int64_t h = unit % g.heads;
    const int64_t kv = unit / g.heads * g.kv_heads + h / (g.heads / g.kv_heads);
    if (kv != head.current) {
      std::memset(head.packed, 0, static_cast<size_t>(tiles));
      head.current = kv;
    }
    int64_t cost = unit * per_head;
    for (int64_t i = 0; i < tiles; ++i) {
      if (cost >= begin && cost < end) attend_block(g, sizes, head, h, i * kTile);
      cost += g.causal ? i + 1 : tiles;
    }
  }
}

void attention_entry(const AttentionArgs& g, Team& team) {
  if (g.batch <= 0 || g.seq <= 0 || g.heads <= 0) return;
  const Scratch sizes(g);
  const int64_t tiles = sizes.tiles;
  const int64_t total = g.batch * g.heads * (g.causal ? tiles * (tiles + 1) / 2 : tiles * tiles);
  const bool serial = g.batch * g.heads * g.seq * g.seq * g.head_dim < kSerialCost;
  if (serial || team.size() == 1) {
    attend_range(g, g.scratch, 0, total);
    return;
  }
  const int64_t workers = team.size();
  team.run([&](int worker) {
    attend_range(g, g.scratch + worker * sizes.total, total * worker / workers,
                 total * (worker + 1) / workers);
  });
}

int64_t attention_scratch_entry(const AttentionArgs& g, int workers) {
  return Scratch(g).total * workers * static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(attention_entry);
HWY_EXPORT(attention_scratch_entry);

void attention(const AttentionArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(attention_entry)(args, team);
}

void token_bounds(const TokenBoundsArgs& args, Team& team) {
  row_tiles(team, args.batch, args.seq, kStreamCost, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int32_t* ids = args.ids + b * args.seq;
      int64_t first = 0, last = args.seq;
      while (last > 0 && ids[last - 1] == 0) --last;
      while (first < last && ids[first] == 0) ++first;
      for (int64_t i = 0; i < args.seq; ++i) {
        args.start[b * args.seq + i] = static_cast<int32_t>(std::min(first, i));
        args.end[b * args.seq + i] = static_cast<int32_t>(last);
      }
    }
  });
}

int64_t attention_scratch_bytes(const AttentionArgs& args, int workers) {
  return HWY_DYNAMIC_DISPATCH(attention_scratch_entry)(args, workers);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
