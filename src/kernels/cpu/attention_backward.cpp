// SPDX-License-Identifier: Apache-2.0
// Backward of attention.h. A worker takes whole (batch, kv head) pairs, so every sum has one owner
// and one order: tiles of keys outside, heads of the group and blocks of queries inside. Per pair
// of tiles: S = Q K', P = exp(S - lse), dP = dO V', dS = P (dP - D) scale, and
//   dV += P' dO,  dK += dS' Q,  dQ += dS K,   D = rowsum(dO * O)   (Dao et al. 2022, section 3).
// dK and dV stay in scratch until their tile is done; dQ is added to in memory. A transposed
// product is the same register tile with the strides of A exchanged. Called through attention.h.
#include <algorithm>

#include "kernels/attention.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_backward.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using attend::kTile;
using attend::kWide;
using attend::Seen;
using tile::kDynamic;
using tile::kLanes;
using tile::kPanel;
using tile::Operands;
using tile::Target;
using tile::Vec;
using Args = AttentionBackwardArgs;

constexpr int64_t kSerialCost = 1 << 20;  // multiply-adds: about 20 us

/// One worker's scratch: a tile of keys and values, a block of queries, the two squares.
struct Buffers {
  float *k_columns, *v_columns;  // [head_dim][64]
  float *k, *dk, *dv;            // [64][width]
  float *q, *dout;               // [64][width]
  float *p, *ds;                 // [64][64]
  float* delta;                  // [group][tiles * 64] rowsum(dO * O) of every row
  int64_t width;
};

int64_t buffer_floats(const Args& g) {
  const int64_t width = attend::padded(g.head_dim);
  const int64_t rows = (g.seq + kTile - 1) / kTile * kTile;
  return 2 * kTile * g.head_dim + 5 * kTile * width + 2 * kTile * kTile +
         g.heads / g.kv_heads * rows;
}

Buffers make_buffers(const Args& g, float* s) {
  Buffers b;
  b.width = attend::padded(g.head_dim);
  const auto take = [&s](int64_t floats) {
    float* from = s;
    s += floats;
    return from;
  };
  b.k_columns = take(kTile * g.head_dim);
  b.v_columns = take(kTile * g.head_dim);
  b.k = take(kTile * b.width);
  b.dk = take(kTile * b.width);
  b.dv = take(kTile * b.width);
  b.q = take(kTile * b.width);
  b.dout = take(kTile * b.width);
  b.p = take(kTile * kTile);
  b.ds = take(kTile * kTile);
  b.delta = s;
  return b;
}

/// C[rows, columns] (+)= A B over register tiles; columns of B and C are padded to whole vectors
/// except that C's last vector has `lanes` numbers.
template <int64_t kARow, int64_t kAStep>
void product(Operands o, int64_t rows, int64_t columns, Target c) {
  const float* b = o.b;
  float* to = c.c;
  attend::for_row_tiles(rows, [&](auto tall, int64_t row) HWY_ATTR {
    constexpr int kR = decltype(tall)::value;
    Operands part = o;
    part.a += row * (kARow == kDynamic ? o.a_row : kARow);
    for (int64_t j = 0; j < columns;) {
      const int64_t left = (columns - j + kLanes - 1) / kLanes;
      const int64_t vectors = left >= kWide ? kWide : (left >= 2 ? 2 : 1);
      part.b = b + j;
      const int64_t lanes = std::min(kLanes, columns - j - (vectors - 1) * kLanes);
      const Target target{to + row * c.row + j, c.row, lanes, c.add};
      if (vectors == kWide) {
        tile::block_tile<kR, kWide, false, kARow, kAStep, kDynamic>(part, target);
      } else if (vectors == 2) {
        tile::block_tile<kR, 2, false, kARow, kAStep, kDynamic>(part, target);
      } else {
        tile::block_tile<kR, 1, false, kARow, kAStep, kDynamic>(part, target);
      }
      j += vectors * kLanes;
    }
  });
}

/// The (batch, kv head) pair a worker is at.
struct Pair {
  int64_t batch, kv_head;
};

template <class T>
T* at(T* base, const AttentionStrides& s, int64_t batch, int64_t head, int64_t row) {
  return base + batch * s.batch + head * s.head + row * s.seq;
}

/// delta[i] = dout[i] . out[i]
void row_products(const Args& g, int64_t batch, int64_t h, float* delta) {
  const tile::D d;
  for (int64_t i = 0; i < g.seq; ++i) {
    const float* out = at(g.out, g.out_stride, batch, h, i);
    const float* dout = at(g.dout, g.dout_stride, batch, h, i);
    Vec sum = hn::Zero(d);
    for (int64_t c = 0; c < g.head_dim; c += kLanes) {
      const First lanes{static_cast<size_t>(std::min(kLanes, g.head_dim - c))};
      sum = hn::MulAdd(load(out + c, lanes), load(dout + c, lanes), sum);
    }
    delta[i] = hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

void load_rows(const float* from, int64_t stride, int64_t rows, const Args& g, const Buffers& b,
               float* to) {
  tile::pack_straight(from, stride, g.head_dim, rows, to, b.width, b.width);
}

/// Query block `row`, head h against the key tile `from`: fills p and ds (zeros where masked).
void weights_and_slopes(const Args& g, const Buffers& b, int64_t batch, int64_t h, int64_t row,
                        int64_t from) {
  const tile::D d;
  const int64_t rows = std::min(kTile, g.seq - row);
  const Vec scale = hn::Set(d, g.scale);
  const Vec log_scale = hn::Set(d, g.scale * attend::kLog2E);
  const float* lse = g.lse + (batch * g.heads + h) * g.seq + row;
  const float* delta = b.delta + h % (g.heads / g.kv_heads) * ((g.seq + 63) / 64 * 64) + row;
  for (int64_t r = 0; r < rows; ++r) {
    const attend::Range keys = attend::visible_keys(g, batch, row + r);
    const Seen s{std::max<int64_t>(0, keys.begin - from),
                 std::min<int64_t>(kTile, keys.end - from)};
    const Vec top = hn::Set(d, lse[r] * attend::kLog2E);
    const Vec mean = hn::Set(d, delta[r]);
    float* p = b.p + r * kTile;
    float* ds = b.ds + r * kTile;
    for (int64_t t = 0; t < kTile; t += kLanes) {
      const auto mask = attend::visible(s, t);
      const Vec w =
          hn::IfThenElseZero(mask, Exp2(d, hn::MulSub(hn::LoadU(d, p + t), log_scale, top)));
      const Vec slope = hn::Mul(hn::Mul(w, hn::Sub(hn::LoadU(d, ds + t), mean)), scale);
      hn::StoreU(w, d, p + t);
      hn::StoreU(hn::IfThenElseZero(mask, slope), d, ds + t);
    }
  }
}

/// One block of queries against the current tile of keys.
void backward_block(const Args& g, const Buffers& b, Pair pair, int64_t h, int64_t row,
                    int64_t from) {
  const int64_t rows = std::min(kTile, g.seq - row);
  const int64_t keys = std::min(kTile, g.seq - from);
  load_rows(at(g.q, g.q_stride, pair.batch, h, row), g.q_stride.seq, rows, g, b, b.q);
  load_rows(at(g.dout, g.dout_stride, pair.batch, h, row), g.dout_stride.seq, rows, g, b, b.dout);
  const int64_t w = b.width;
  // Scores and dP: rows of the block times columns of keys and values.
  Operands o{b.q, b.k_columns, w, 1, kTile, kPanel, g.head_dim};
  product<kDynamic, 1>(o, rows, kTile, Target{b.p, kTile, kLanes, false});
  o.a = b.dout;
  o.b = b.v_columns;
  product<kDynamic, 1>(o, rows, kTile, Target{b.ds, kTile, kLanes, false});
  weights_and_slopes(g, b, pair.batch, h, row, from);
  // dV += P' dO, dK += dS' Q: rows are keys, the sum runs over queries.
  Operands t{b.p, b.dout, 1, kTile, w, kPanel, rows};
  product<1, kTile>(t, keys, w, Target{b.dv, w, kLanes, true});
  t.a = b.ds;
  t.b = b.q;
  product<1, kTile>(t, keys, w, Target{b.dk, w, kLanes, true});
  const Operands back{b.ds, b.k, kTile, 1, w, kPanel, keys};
  float* dq = at(g.dq, g.dq_stride, pair.batch, h, row);
  product<kTile, 1>(back, rows, g.head_dim, Target{dq, g.dq_stride.seq, kLanes, true});
}

void clear(float* to, int64_t count) {
  const tile::D d;
  for (int64_t i = 0; i < count; i += kLanes) {
    const auto mask = hn::FirstN(d, static_cast<size_t>(std::min(kLanes, count - i)));
    hn::BlendedStore(hn::Zero(d), mask, d, to + i);
  }
}

/// dst rows = (or +=) src rows of the tile buffer.
void write_rows(const Args& g, const Buffers& b, const float* from, float* to, int64_t stride,
                int64_t rows) {
  const tile::D d;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < g.head_dim; c += kLanes) {
      const First lanes{static_cast<size_t>(std::min(kLanes, g.head_dim - c))};
      float* cell = to + r * stride + c;
      Vec x = hn::LoadU(d, from + r * b.width + c);
      if (g.accumulate) x = hn::Add(load(cell, lanes), x);
      store(x, cell, lanes);
    }
  }
}

/// True when a row of the block may see a key of the tile.
bool block_sees_tile(const Args& g, int64_t batch, int64_t row, int64_t from) {
  if (g.doc_start == nullptr && g.doc_end == nullptr) return true;
  for (int64_t i = row; i < std::min(row + kTile, g.seq); ++i) {
    const attend::Range keys = attend::visible_keys(g, batch, i);
    if (keys.begin < from + kTile && keys.end > from) return true;
  }
  return false;
}

void backward_tile(const Args& g, const Buffers& b, Pair pair, int64_t from) {
  const int64_t keys = std::min(kTile, g.seq - from);
  const int64_t group = g.heads / g.kv_heads;
  const float* k = at(g.k, g.k_stride, pair.batch, pair.kv_head, from);
  const float* v = at(g.v, g.v_stride, pair.batch, pair.kv_head, from);
  tile::pack_transposed(k, g.k_stride.seq, keys, g.head_dim, b.k_columns, kTile, kTile);
  tile::pack_transposed(v, g.v_stride.seq, keys, g.head_dim, b.v_columns, kTile, kTile);
  load_rows(k, g.k_stride.seq, keys, g, b, b.k);
  clear(b.dk, kTile * b.width);
  clear(b.dv, kTile * b.width);
  for (int64_t h = pair.kv_head * group; h < (pair.kv_head + 1) * group; ++h) {
    for (int64_t row = g.causal ? from : 0; row < g.seq; row += kTile) {
      if (block_sees_tile(g, pair.batch, row, from)) backward_block(g, b, pair, h, row, from);
    }
  }
  write_rows(g, b, b.dk, at(g.dk, g.dk_stride, pair.batch, pair.kv_head, from), g.dk_stride.seq,
             keys);
  write_rows(g, b, b.dv, at(g.dv, g.dv_stride, pair.batch, pair.kv_head, from), g.dv_stride.seq,
             keys);
}

void backward_pair(const Args& g, float* scratch, int64_t index) {
  const Buffers b = make_buffers(g, scratch);
  const Pair pair{index / g.kv_heads, index % g.kv_heads};
  const int64_t group = g.heads / g.kv_heads;
  for (int64_t i = 0; i < group; ++i) {
    const int64_t h = pair.kv_head * group + i;
    row_products(g, pair.batch, h, b.delta + i * ((g.seq + 63) / 64 * 64));
    for (int64_t row = 0; !g.accumulate && row < g.seq; ++row) {
      clear(at(g.dq, g.dq_stride, pair.batch, h, row), g.head_dim);
    }
  }
  for (int64_t from = 0; from < g.seq; from += kTile) backward_tile(g, b, pair, from);
}

void backward_entry(const Args& g, Team& team) {
  if (g.batch <= 0 || g.seq <= 0 || g.heads <= 0) return;
  const int64_t pairs = g.batch * g.kv_heads;
  const int64_t floats = buffer_floats(g);
  const bool serial = g.batch * g.heads * g.seq * g.seq * g.head_dim < kSerialCost;
  const int64_t workers = serial ? 1 : team.size();
  const auto body = [&](int worker) {
    const int64_t end = pairs * (worker + 1) / workers;
    for (int64_t i = pairs * worker / workers; i < end; ++i) {
      backward_pair(g, g.scratch + worker * floats, i);
    }
  };
  if (workers == 1) {
    body(0);
  } else {
    team.run(body);
  }
}

int64_t backward_scratch_entry(const Args& g, int workers) {
  return buffer_floats(g) * workers * static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(backward_entry);
HWY_EXPORT(backward_scratch_entry);

void attention_backward(const AttentionBackwardArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(backward_entry)(args, team);
}

int64_t attention_backward_scratch_bytes(const AttentionBackwardArgs& args, int workers) {
  return HWY_DYNAMIC_DISPATCH(backward_scratch_entry)(args, workers);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
