// SPDX-License-Identifier: Apache-2.0
// Row gather, and its gradient by sorting: a stable radix sort of (id, position), then one sum per
// run of equal ids in an order
// fixed by the positions. Work is shared by chunks of columns, so a frequent
// id does not unbalance the team. See embedding.h for the contract.
#include "kernels/embedding.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/embedding.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_EMBEDDING_PARTS_
#define INGOT_KERNELS_CPU_EMBEDDING_PARTS_
namespace ingot::kernels {
namespace {

struct SortedId {
  int64_t id;
  int64_t position;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// out (+)= sum of the rows `run[0 .. count)` of dy, columns [0, n) from dy and out; rows `cols`
/// apart.
void sum_run(const float* dy, int64_t cols, const SortedId* run, int64_t count, float* out,
             int64_t n, bool accumulate) {
  const auto row = [&](int64_t k) { return dy + run[k].position * cols; };
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    Vf s0 = hn::Zero(Df()), s1 = s0, s2 = s0, s3 = s0;  // four chains: faster and rounder
    int64_t k = 0;
    for (; k + 4 <= count; k += 4) {
      s0 = hn::Add(s0, load(row(k) + i, lanes));
      s1 = hn::Add(s1, load(row(k + 1) + i, lanes));
      s2 = hn::Add(s2, load(row(k + 2) + i, lanes));
      s3 = hn::Add(s3, load(row(k + 3) + i, lanes));
    }
    for (; k < count; ++k) s0 = hn::Add(s0, load(row(k) + i, lanes));
    write(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), out + i, lanes, accumulate);
  });
}

void add_row(const float* row, float* out, int64_t n) {
  for_vectors(n, [&](int64_t i, auto lanes)
                     HWY_ATTR { write(load(row + i, lanes), out + i, lanes, true); });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(sum_run);
HWY_EXPORT(add_row);

namespace {

constexpr int64_t kColumns = 64;  // columns one worker sums at a time
constexpr int kDigitBits = 11;    // of the radix sort
constexpr int64_t kDigits = int64_t{1} << kDigitBits;
constexpr int64_t kRunGroup = 64;  // runs that share a tile

int64_t id_at(const void* ids, IdType type, int64_t i) {
  if (type == IdType::kInt32) return static_cast<const int32_t*>(ids)[i];
  return static_cast<const int64_t*>(ids)[i];
}

/// The ids grouped: entries sorted by id then position, run r = entries [start[r], start[r + 1]).
struct Runs {
  const SortedId* entries;
  const int64_t* start;
  int64_t count;
};

/// Stable sort by id; returns whichever of the two buffers holds the result.
SortedId* radix_sort(SortedId* from, SortedId* to, int64_t n, int64_t largest) {
  for (int shift = 0; shift < 63 && (largest >> shift) != 0; shift += kDigitBits) {
    std::array<int64_t, kDigits + 1> place{};
    for (int64_t i = 0; i < n; ++i) ++place[((from[i].id >> shift) & (kDigits - 1)) + 1];
    for (int64_t d = 0; d < kDigits; ++d) place[d + 1] += place[d];
    for (int64_t i = 0; i < n; ++i) to[place[(from[i].id >> shift) & (kDigits - 1)]++] = from[i];
    std::swap(from, to);
  }
  return from;
}

Runs sort_ids(const void* ids, IdType type, int64_t count, int64_t padding, void* scratch) {
  auto* first = static_cast<SortedId*>(scratch);
  SortedId* second = first + count;
  auto* start = reinterpret_cast<int64_t*>(second + count);
  int64_t kept = 0;
  int64_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t id = id_at(ids, type, i);
    if (id == padding) continue;
    first[kept++] = {id, i};
    largest = std::max(largest, id);
  }
  const SortedId* entries = radix_sort(first, second, kept, largest);
  int64_t runs = 0;
  for (int64_t i = 0; i < kept; ++i) {
    if (i == 0 || entries[i].id != entries[i - 1].id) start[runs++] = i;
  }
  start[runs] = kept;
  return {entries, start, runs};
}

/// target(run) (+)= sum of each run, shared by (column chunk, group of runs).
template <class Target>
void sum_runs(const Runs& runs, const float* dy, int64_t cols, bool accumulate, Team& team,
              const Target& target) {
  const int64_t groups = ceil_div(runs.count, kRunGroup);
  const bool serial = is_serial(runs.start[runs.count] * cols, 2 * kStreamCost);
  team.tiles(ceil_div(cols, kColumns) * groups, serial, [&](int64_t tile) {
    const int64_t from = tile / groups * kColumns;
    const int64_t n = std::min(kColumns, cols - from);
    const int64_t end = std::min(runs.count, (tile % groups + 1) * kRunGroup);
    for (int64_t r = tile % groups * kRunGroup; r < end; ++r) {
      const SortedId* run = runs.entries + runs.start[r];
      HWY_DYNAMIC_DISPATCH(sum_run)
      (dy + from, cols, run, runs.start[r + 1] - runs.start[r], target(r, run->id) + from, n,
       accumulate);
    }
  });
}

}  // namespace

void embedding(const EmbeddingArgs& args, Team& team) {
  const auto bytes = static_cast<size_t>(args.cols) * sizeof(float);
  row_tiles(team, args.count, args.cols, kStreamCost, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t id = id_at(args.ids, args.id_type, i);
      std::memcpy(args.out + i * args.cols, args.table + id * args.cols, bytes);
    }
  });
}

int64_t embedding_grad_scratch_bytes(int64_t count) {
  return 2 * count * static_cast<int64_t>(sizeof(SortedId)) +
         (count + 1) * static_cast<int64_t>(sizeof(int64_t));
}

void embedding_grad(const EmbeddingGradArgs& args, Team& team) {
  if (!args.accumulate) {
    FillArgs zero;
    zero.dst = args.dtable;
    zero.n = args.vocab * args.cols;
    fill(zero, team);
  }
  const Runs runs = sort_ids(args.ids, args.id_type, args.count, args.padding_id, args.scratch);
  sum_runs(runs, args.dy, args.cols, args.accumulate, team,
           [&](int64_t, int64_t id) { return args.dtable + id * args.cols; });
}

void embedding_sparse_grad(const EmbeddingSparseGradArgs& args, Team& team) {
  const Runs runs = sort_ids(args.ids, args.id_type, args.count, args.padding_id, args.scratch);
  *args.unique_count = runs.count;
  for (int64_t r = 0; r < runs.count; ++r) args.unique_ids[r] = runs.entries[runs.start[r]].id;
  sum_runs(runs, args.dy, args.cols, false, team,
           [&](int64_t r, int64_t) { return args.rows + r * args.cols; });
}

void add_rows(const AddRowsArgs& args, Team& team) {
  row_tiles(team, *args.unique_count, args.cols, kStreamCost, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      HWY_DYNAMIC_DISPATCH(add_row)
      (args.rows + u * args.cols, args.dtable + args.unique_ids[u] * args.cols, args.cols);
    }
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
