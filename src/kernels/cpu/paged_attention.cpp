// SPDX-License-Identifier: Apache-2.0
// paged_attention.h: writes new keys and values into pages, and attends over them. Rows of one
// sequence that follow each other form a run; a run times the heads that share a kv head is one
// block of attention_tile-inl.h, so a page is read once for all of them. Runs are handed to workers
// by cost (pages to visit); who computes a row never changes its bytes. Half pages are widened into
// scratch tile by tile. Called by serve/ and models/ through paged_attention.h.
#include "kernels/paged_attention.h"

#include <algorithm>

#include "kernels/attention.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/paged_attention.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using attend::kTile;
using attend::RowBlock;
using tile::kLanes;
using HalfTag = hn::Rebind<hwy::float16_t, tile::D>;

constexpr int64_t kSerialCost = 1 << 18;    // multiply-adds: about 20 us
constexpr int64_t kSerialAppend = 1 << 15;  // numbers copied, alike

static_assert(kTile == kAttentionTile, "a page is one tile");

// ---- Append --------------------------------------------------------------------------------

/// Which page and which slot in it a row's token lies in.
struct Place {
  int64_t page, slot;
};

template <class Args>
Place place_of(const Args& g, int64_t row) {
  const int64_t position = g.row_position[row];
  const int64_t page = g.page_table[g.row_sequence[row] * g.max_pages + position / kTile];
  return {page, position % kTile};
}

void append_float(const PagedAppendArgs& g, int64_t row) {
  const Place at = place_of(g, row);
  const int64_t page = at.page * g.kv_heads * g.head_dim * kTile;
  for (int64_t h = 0; h < g.kv_heads; ++h) {
    float* k = static_cast<float*>(g.k_pool) + page + h * g.head_dim * kTile + at.slot;
    float* v = static_cast<float*>(g.v_pool) + page + (h * kTile + at.slot) * g.head_dim;
    const float* from_k = g.k + row * g.k_row_stride + h * g.head_dim;
    const float* from_v = g.v + row * g.v_row_stride + h * g.head_dim;
    for (int64_t c = 0; c < g.head_dim; ++c) k[c * kTile] = from_k[c];
    std::copy_n(from_v, g.head_dim, v);
  }
}

/// Rounds `count` numbers to half precision, `step` apart.
void store_half(const float* from, int64_t count, hwy::float16_t* to, int64_t step) {
  const HalfTag half;
  HWY_ALIGN hwy::float16_t buffer[static_cast<size_t>(kLanes) + 8];
  for (int64_t c = 0; c < count; c += kLanes) {
    const int64_t lanes = std::min(kLanes, count - c);
    const auto x = load(from + c, First{static_cast<size_t>(lanes)});
    hn::StoreU(hn::DemoteTo(half, x), half, buffer);
    for (int64_t i = 0; i < lanes; ++i) to[(c + i) * step] = buffer[i];
  }
}

void append_half(const PagedAppendArgs& g, int64_t row) {
  const Place at = place_of(g, row);
  const int64_t page = at.page * g.kv_heads * g.head_dim * kTile;
  for (int64_t h = 0; h < g.kv_heads; ++h) {
    auto* k = static_cast<hwy::float16_t*>(g.k_pool) + page + h * g.head_dim * kTile + at.slot;
    auto* v = static_cast<hwy::float16_t*>(g.v_pool) + page + (h * kTile + at.slot) * g.head_dim;
    store_half(g.k + row * g.k_row_stride + h * g.head_dim, g.head_dim, k, kTile);
    store_half(g.v + row * g.v_row_stride + h * g.head_dim, g.head_dim, v, 1);
  }
}

void append_entry(const PagedAppendArgs& g, Team& team) {
  const bool serial = g.rows * g.kv_heads * g.head_dim < kSerialAppend;
  team.tiles(g.rows, serial, [&](int64_t row) {
    g.type == PageType::kFloat16 ? append_half(g, row) : append_float(g, row);
  });
}

// ---- Attention -----------------------------------------------------------------------------

/// Rows [begin, end) of one sequence; `cost` pages of its longest row.
struct Run {
  int64_t begin, end, cost;
};

Run next_run(const PagedAttentionArgs& g, int64_t begin) {
  const int64_t group = g.heads / g.kv_heads;
  const int64_t limit = std::min(g.rows, begin + std::max<int64_t>(1, kTile / group));
  Run run{begin, begin, 0};
  while (run.end < limit && g.row_sequence[run.end] == g.row_sequence[begin]) {
    run.cost = std::max(run.cost, g.row_position[run.end] / kTile + 1);
    ++run.end;
  }
  return run;
}

/// A worker's scratch: the block's state, then room to widen one page of keys and one of values.
int64_t worker_floats(const PagedAttentionArgs& g) {
  const int64_t page = g.type == PageType::kFloat16 ? 2 * kTile * g.head_dim : 0;
  return attend::row_block_floats(g.head_dim) + page;
}

const float* widen(const hwy::float16_t* from, int64_t count, float* to) {
  const tile::D d;
  const HalfTag half;
  for (int64_t i = 0; i < count; i += kLanes) {  // count is a multiple of 64
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(half, from + i)), d, to + i);
  }
  return to;
}

/// Keys or values of one kv head in a page, as floats.
const float* page_tile(const PagedAttentionArgs& g, const void* pool, int64_t page, int64_t kv_head,
                       float* room) {
  const int64_t size = kTile * g.head_dim;
  const int64_t at = (page * g.kv_heads + kv_head) * size;
  if (g.type == PageType::kFloat32) return static_cast<const float*>(pool) + at;
  return widen(static_cast<const hwy::float16_t*>(pool) + at, size, room);
}

/// Heads [head, head + heads) of the rows of a run; all share kv_head.
void attend_run(const PagedAttentionArgs& g, const Run& run, int64_t kv_head, int64_t head,
                int64_t heads, float* scratch) {
  RowBlock b = attend::make_row_block(scratch, g.head_dim);
  float* room = scratch + attend::row_block_floats(g.head_dim);
  for (int64_t row = run.begin; row < run.end; ++row) {
    const float* q = g.q + row * g.q_row_stride + head * g.head_dim;
    for (int64_t h = 0; h < heads; ++h) {
      attend::add_row(b, q + h * g.head_dim, g.scale, 0, g.row_position[row] + int64_t{1});
    }
  }
  const int32_t* table = g.page_table + g.row_sequence[run.begin] * g.max_pages;
  for (int64_t j = 0; j < run.cost; ++j) {
    const float* k = page_tile(g, g.k_pool, table[j], kv_head, room);
    const float* v = page_tile(g, g.v_pool, table[j], kv_head, room + kTile * g.head_dim);
    attend::attend_tile(b, j * kTile, k, v, g.head_dim);
  }
  for (int64_t r = 0; r < b.rows; ++r) {
    float* out = g.out + (run.begin + r / heads) * g.out_row_stride;
    attend::finish_row(b, r, out + (head + r % heads) * g.head_dim);
  }
}

/// (run, kv head) units whose cost starts within [begin, end).
void attend_units(const PagedAttentionArgs& g, int64_t begin, int64_t end, float* scratch) {
  const int64_t group = g.heads / g.kv_heads;
  int64_t cost = 0;
  for (int64_t row = 0; row < g.rows && cost < end;) {
    const Run run = next_run(g, row);
    for (int64_t kv = 0; kv < g.kv_heads; ++kv, cost += run.cost) {
      if (cost < begin || cost >= end) continue;
      for (int64_t h = 0; h < group; h += kTile) {
        attend_run(g, run, kv, kv * group + h, std::min(kTile, group - h), scratch);
      }
    }
    row = run.end;
  }
}

void paged_entry(const PagedAttentionArgs& g, Team& team) {
  int64_t total = 0;
  int64_t visits = 0;  // rows times pages
  for (int64_t row = 0; row < g.rows;) {
    const Run run = next_run(g, row);
    total += run.cost * g.kv_heads;
    visits += run.cost * (run.end - run.begin);
    row = run.end;
  }
  if (team.size() == 1 || visits * kTile * g.heads * g.head_dim < kSerialCost) {
    attend_units(g, 0, total, g.scratch);
    return;
  }
  const int64_t workers = team.size();
  const int64_t floats = worker_floats(g);
  team.run([&](int worker) {
    attend_units(g, total * worker / workers, total * (worker + 1) / workers,
                 g.scratch + worker * floats);
  });
}

int64_t paged_scratch_entry(const PagedAttentionArgs& g, int workers) {
  return worker_floats(g) * workers * static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(append_entry);
HWY_EXPORT(paged_entry);
HWY_EXPORT(paged_scratch_entry);

int64_t paged_page_elements(int64_t kv_heads, int64_t head_dim) {
  return kv_heads * head_dim * kAttentionTile;
}

void paged_append(const PagedAppendArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(append_entry)(args, team);
}

void paged_attention(const PagedAttentionArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(paged_entry)(args, team);
}

int64_t paged_attention_scratch_bytes(const PagedAttentionArgs& args, int workers) {
  return HWY_DYNAMIC_DISPATCH(paged_scratch_entry)(args, workers);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
