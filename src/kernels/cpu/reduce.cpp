// SPDX-License-Identifier: Apache-2.0
// Sums, means, maxima and variances in an order fixed by the shape. Along a contiguous axis: blocks
// of kRowBlock elements, four vector chains each. Across rows: blocks of kColumnRows rows, eight
// rows per pass over the running sums. Block results are added in block order, in double for rows.
// See reduce.h for the contract; argmax and the gradients are in reduce_grad.cpp.
#include "kernels/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_REDUCE_PARTS_
#define INGOT_KERNELS_CPU_REDUCE_PARTS_
namespace ingot::kernels {
namespace {

/// What a block computes: sum x, max x, or sum (x - mean)^2.
enum class Part { kSum, kMax, kDeviation };

/// A block of rows of a column reduction; mean is per column, used by kDeviation.
struct ColumnBlock {
  const float* x;
  int64_t row_stride;
  int64_t rows;
  int64_t cols;
  const float* mean;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

float max_of(const float* x, int64_t n) {
  const Df d;
  const Vf low = hn::Neg(hn::Inf(d));
  Vf best = low;
  for_vectors(n, [&](int64_t i, auto lanes)
                     HWY_ATTR { best = max_nan(keep_or(load(x + i, lanes), low, lanes), best); });
  HWY_ALIGN float lane[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(best, d, lane);
  float result = lane[0];
  for (size_t i = 1; i < hn::Lanes(d); ++i) {
    result = lane[i] > result || lane[i] != lane[i] ? lane[i] : result;
  }
  return result;
}

float row_part(Part part, const float* x, int64_t n, float mean) {
  if (part == Part::kMax) return max_of(x, n);
  if (part == Part::kSum) {
    return sum_lanes(
        sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR { return load(x + i, lanes); }));
  }
  const Vf m = hn::Set(Df(), mean);
  return sum_lanes(sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf centred = keep(hn::Sub(load(x + i, lanes), m), lanes);
    return hn::Mul(centred, centred);
  }));
}

struct AddRows {
  HWY_INLINE Vf first(Vf v, Vf) const { return v; }
  HWY_INLINE Vf join(Vf a, Vf b) const { return hn::Add(a, b); }
};
struct MaxRows {
  HWY_INLINE Vf first(Vf v, Vf) const { return v; }
  HWY_INLINE Vf join(Vf a, Vf b) const { return max_nan(a, b); }
};
struct DeviationRows {
  HWY_INLINE Vf first(Vf v, Vf mean) const {
    const Vf centred = hn::Sub(v, mean);
    return hn::Mul(centred, centred);
  }
  HWY_INLINE Vf join(Vf a, Vf b) const { return hn::Add(a, b); }
};

/// out[c] = join over the block's rows, eight rows per pass.
template <class Op>
void columns_by(const ColumnBlock& b, float* out, const Op& op) {
  const int64_t s = b.row_stride;
  int64_t r = 0;
  for (; r + 8 <= b.rows; r += 8) {
    const float* x = b.x + r * s;
    const bool begin = r == 0;
    for_vectors(b.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf mean = b.mean == nullptr ? hn::Zero(Df()) : load(b.mean + i, lanes);
      const auto at = [&](int64_t k)
                          HWY_ATTR { return op.first(load(x + k * s + i, lanes), mean); };
      const Vf low = op.join(op.join(at(0), at(1)), op.join(at(2), at(3)));
      const Vf high = op.join(op.join(at(4), at(5)), op.join(at(6), at(7)));
      const Vf v = op.join(low, high);
      store(begin ? v : op.join(load(static_cast<const float*>(out) + i, lanes), v), out + i,
            lanes);
    });
  }
  for (; r < b.rows; ++r) {
    const float* x = b.x + r * s;
    const bool begin = r == 0;
    for_vectors(b.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf mean = b.mean == nullptr ? hn::Zero(Df()) : load(b.mean + i, lanes);
      const Vf v = op.first(load(x + i, lanes), mean);
      store(begin ? v : op.join(load(static_cast<const float*>(out) + i, lanes), v), out + i,
            lanes);
    });
  }
}

void column_part(Part part, const ColumnBlock& b, float* out) {
  if (part == Part::kSum) return columns_by(b, out, AddRows());
  if (part == Part::kMax) return columns_by(b, out, MaxRows());
  columns_by(b, out, DeviationRows());
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(row_part);
HWY_EXPORT(column_part);

namespace {

constexpr int64_t kRowBlock = 4096;    // elements of a row summed in one go
constexpr int64_t kColumnRows = 128;   // rows summed in one go
constexpr int64_t kColumnChunk = 512;  // columns held on the stack at once

float row_dispatch(Part part, const float* x, int64_t n, float mean) {
  return HWY_DYNAMIC_DISPATCH(row_part)(part, x, n, mean);
}

/// The op's result from the sum (or maximum) of its parts.
float finish(const ReduceArgs& a, float part, float previous) {
  const auto n = static_cast<float>(a.reduce);
  switch (a.op) {
    case ReduceOp::kSum:
      return a.accumulate ? previous + part : part;
    case ReduceOp::kMean:
      return a.accumulate ? previous + part / n : part / n;
    case ReduceOp::kMax:
      return part;
    case ReduceOp::kVariance:
      return part / static_cast<float>(a.reduce - a.correction);
  }
  return part;
}

/// Adds (or maximises) the block results of one row.
float join_blocks(Part part, const float* blocks, int64_t count) {
  if (count == 1) return blocks[0];
  if (part == Part::kMax) return row_dispatch(Part::kMax, blocks, count, 0.0F);
  double sum = 0.0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(blocks[i]);
  return static_cast<float>(sum);
}

/// parts[o, block] = part of x[o, block].
void row_parts(const ReduceArgs& a, Part part, const float* means, float* parts, Team& team) {
  const int64_t blocks = ceil_div(a.reduce, kRowBlock);
  team.tiles(a.outer * blocks, is_serial(a.outer * a.reduce, kStreamCost), [&](int64_t tile) {
    const int64_t o = tile / blocks;
    const int64_t from = tile % blocks * kRowBlock;
    const int64_t n = std::min(kRowBlock, a.reduce - from);
    parts[tile] =
        row_dispatch(part, a.x + o * a.reduce + from, n, means == nullptr ? 0.0F : means[o]);
  });
}

/// Rows longer than a block: parts into scratch [outer, blocks], means behind them.
void reduce_long_rows(const ReduceArgs& a, Team& team) {
  const int64_t blocks = ceil_div(a.reduce, kRowBlock);
  auto* parts = static_cast<float*>(a.scratch);
  float* means = parts + a.outer * blocks;
  const Part part = a.op == ReduceOp::kMax ? Part::kMax : Part::kSum;
  row_parts(a, part, nullptr, parts, team);
  for (int64_t o = 0; o < a.outer; ++o) {
    const float joined = join_blocks(part, parts + o * blocks, blocks);
    if (a.op == ReduceOp::kVariance) {
      means[o] = joined / static_cast<float>(a.reduce);
    } else {
      a.out[o] = finish(a, joined, a.out[o]);
    }
  }
  if (a.op != ReduceOp::kVariance) return;
  row_parts(a, Part::kDeviation, means, parts, team);
  for (int64_t o = 0; o < a.outer; ++o) {
    a.out[o] = finish(a, join_blocks(Part::kDeviation, parts + o * blocks, blocks), 0.0F);
  }
}

void reduce_rows(const ReduceArgs& a, Team& team) {
  if (a.reduce > kRowBlock) return reduce_long_rows(a, team);
  row_tiles(team, a.outer, a.reduce, kStreamCost, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const float* x = a.x + o * a.reduce;
      const Part part = a.op == ReduceOp::kMax ? Part::kMax : Part::kSum;
      float value = row_dispatch(part, x, a.reduce, 0.0F);
      if (a.op == ReduceOp::kVariance) {
        const float mean = value / static_cast<float>(a.reduce);
        value = row_dispatch(Part::kDeviation, x, a.reduce, mean);
      }
      a.out[o] = finish(a, value, a.out[o]);
    }
  });
}

/// Sums over rows of `width` columns, `stride` apart; parts of more than one row block in scratch.
struct Columns {
  ReduceArgs args;  ///< inner = columns
  int64_t stride;
};

void column_tile(const Columns& c, int64_t tile, float* parts) {
  const ReduceArgs& a = c.args;
  const int64_t chunks = ceil_div(a.inner, kColumnChunk);
  const int64_t blocks = ceil_div(a.reduce, kColumnRows);
  const int64_t from = tile % chunks * kColumnChunk;
  const int64_t block = tile / chunks % blocks;
  const int64_t o = tile / chunks / blocks;
  const int64_t width = std::min(kColumnChunk, a.inner - from);
  const ColumnBlock b{a.x + (o * a.reduce + block * kColumnRows) * c.stride + from, c.stride,
                      std::min(kColumnRows, a.reduce - block * kColumnRows), width, nullptr};
  if (parts != nullptr) {
    float* to = parts + (o * blocks + block) * a.inner + from;
    return HWY_DYNAMIC_DISPATCH(column_part)(Part::kSum, b, to);
  }
  float local[kColumnChunk];
  HWY_DYNAMIC_DISPATCH(column_part)(Part::kSum, b, local);
  float* out = a.out + o * a.inner + from;
  for (int64_t i = 0; i < width; ++i) out[i] = finish(a, local[i], out[i]);
}

/// Sum or mean over rows.
void sum_columns(const Columns& c, float* scratch, Team& team) {
  const ReduceArgs& a = c.args;
  const int64_t chunks = ceil_div(a.inner, kColumnChunk);
  const int64_t blocks = ceil_div(a.reduce, kColumnRows);
  float* parts = blocks > 1 ? scratch : nullptr;
  const bool serial = is_serial(a.outer * a.reduce * a.inner, kStreamCost);
  team.tiles(a.outer * blocks * chunks, serial, [&](int64_t tile) { column_tile(c, tile, parts); });
  if (blocks == 1) return;
  team.tiles(
      a.outer * chunks, is_serial(a.outer * blocks * a.inner, kStreamCost), [&](int64_t tile) {
        const int64_t o = tile / chunks;
        const int64_t from = tile % chunks * kColumnChunk;
        const int64_t width = std::min(kColumnChunk, a.inner - from);
        const ColumnBlock b{parts + o * blocks * a.inner + from, a.inner, blocks, width, nullptr};
        float local[kColumnChunk];
        HWY_DYNAMIC_DISPATCH(column_part)(Part::kSum, b, local);
        float* out = a.out + o * a.inner + from;
        for (int64_t i = 0; i < width; ++i) out[i] = finish(a, local[i], out[i]);
      });
}

/// Max or variance over rows: one worker takes all rows of a chunk of columns.
void reduce_columns(const ReduceArgs& a, Team& team) {
  const int64_t chunks = ceil_div(a.inner, kColumnChunk);
  const bool serial = is_serial(a.outer * a.reduce * a.inner, kStreamCost);
  team.tiles(a.outer * chunks, serial, [&](int64_t tile) {
    const int64_t o = tile / chunks;
    const int64_t from = tile % chunks * kColumnChunk;
    const int64_t width = std::min(kColumnChunk, a.inner - from);
    ColumnBlock b{a.x + o * a.reduce * a.inner + from, a.inner, a.reduce, width, nullptr};
    float* out = a.out + o * a.inner + from;
    float local[kColumnChunk];
    HWY_DYNAMIC_DISPATCH(column_part)(a.op == ReduceOp::kMax ? Part::kMax : Part::kSum, b, local);
    if (a.op == ReduceOp::kVariance) {
      float mean[kColumnChunk];
      for (int64_t i = 0; i < width; ++i) mean[i] = local[i] / static_cast<float>(a.reduce);
      b.mean = mean;
      HWY_DYNAMIC_DISPATCH(column_part)(Part::kDeviation, b, local);
    }
    for (int64_t i = 0; i < width; ++i) out[i] = finish(a, local[i], out[i]);
  });
}

/// The results of reducing nothing.
void reduce_nothing(const ReduceArgs& a, Team& team) {
  if (a.op == ReduceOp::kSum && a.accumulate) return;
  FillArgs f;
  f.dst = a.out;
  f.n = a.outer * a.inner;
  f.value = std::numeric_limits<float>::quiet_NaN();
  if (a.op == ReduceOp::kSum) f.value = 0.0F;
  if (a.op == ReduceOp::kMax) f.value = -std::numeric_limits<float>::infinity();
  fill(f, team);
}

}  // namespace

int64_t reduce_scratch_bytes(int64_t outer, int64_t reduce, int64_t inner, int) {
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  if (inner == 1) {
    return reduce > kRowBlock ? outer * (ceil_div(reduce, kRowBlock) + 1) * kFloat : 0;
  }
  return reduce > kColumnRows ? outer * ceil_div(reduce, kColumnRows) * inner * kFloat : 0;
}

void reduce(const ReduceArgs& args, Team& team) {
  if (args.outer == 0 || args.inner == 0) return;
  if (args.reduce == 0) return reduce_nothing(args, team);
  if (args.inner == 1) return reduce_rows(args, team);
  const bool sums = args.op == ReduceOp::kSum || args.op == ReduceOp::kMean;
  if (!sums) return reduce_columns(args, team);
  sum_columns({args, args.inner}, static_cast<float*>(args.scratch), team);
}

int64_t column_sum_scratch_bytes(int64_t rows, int64_t cols, int) {
  if (rows <= kColumnRows) return 0;
  return ceil_div(rows, kColumnRows) * cols * static_cast<int64_t>(sizeof(float));
}

void column_sum(const ColumnSumArgs& args, Team& team) {
  ReduceArgs a;
  a.x = args.x;
  a.out = args.out;
  a.reduce = args.rows;
  a.inner = args.cols;
  a.accumulate = args.accumulate;
  if (args.cols == 0) return;
  if (args.rows == 0) return reduce_nothing(a, team);
  sum_columns({a, args.row_stride}, args.scratch, team);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
