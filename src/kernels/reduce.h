// SPDX-License-Identifier: Apache-2.0
// Reductions of float32 in an order fixed by the shape and the instruction set, never by the team.
// A contiguous tensor is seen as [outer, reduce, inner]; the axis reduced is the middle one. Long
// sums are cut into blocks of fixed size, each summed in vector lanes; blocks are added in order,
// in double along a row, so the error does not grow with the length of a row. Called by
// autograd/ops/reduce, by bias gradients and by the gradients of broadcasting. Scratch: float,
// 64-byte aligned, may be null when the companion function returns 0.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// kVariance divides by reduce - correction (0 population, 1 sample) and computes in two passes.
enum class ReduceOp : int32_t { kSum, kMean, kMax, kVariance };

/// out[o, i] (+)= reduction over r of x[o, r, i]. max of a row with a NaN is NaN. `accumulate` is
/// for kSum and kMean. reduce == 0 gives 0 for sum, NaN for mean and variance, -inf for max.
struct ReduceArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;
  int64_t outer = 1;
  int64_t reduce = 1;
  int64_t inner = 1;
  int64_t correction = 0;
  ReduceOp op = ReduceOp::kSum;
  bool accumulate = false;
};
[[nodiscard]] int64_t reduce_scratch_bytes(int64_t outer, int64_t reduce, int64_t inner,
                                           int team_size);
void reduce(const ReduceArgs& args, Team& team);

/// dx[o, r, i] (+)= g(dy[o, i]): sum dy; mean dy / reduce; max dy where r == index[o, i], else 0;
/// variance 2 (x - mean) dy / (reduce - correction), mean computed again from x.
struct ReduceGradArgs {
  static constexpr int kPointers = 4;
  const float* dy = nullptr;
  const float* x = nullptr;        ///< variance only, else null
  const int64_t* index = nullptr;  ///< max only (from argmax), else null
  float* dx = nullptr;
  int64_t outer = 1;
  int64_t reduce = 1;
  int64_t inner = 1;
  int64_t correction = 0;
  ReduceOp op = ReduceOp::kSum;
  bool accumulate = false;
};
void reduce_grad(const ReduceGradArgs& args, Team& team);

/// index[o, i] = smallest r with the largest x[o, r, i]; the first NaN wins over everything.
/// value[o, i] = that x, unless null. reduce must be at least 1.
struct ArgmaxArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  int64_t* index = nullptr;
  float* value = nullptr;
  int64_t outer = 1;
  int64_t reduce = 1;
  int64_t inner = 1;
};
void argmax(const ArgmaxArgs& args, Team& team);

/// out[c] (+)= sum over r of x[r * row_stride + c]: the bias gradient.
struct ColumnSumArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  float* out = nullptr;
  float* scratch = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t row_stride = 0;  ///< at least cols
  bool accumulate = false;
};
[[nodiscard]] int64_t column_sum_scratch_bytes(int64_t rows, int64_t cols, int team_size);
void column_sum(const ColumnSumArgs& args, Team& team);

/// The gradient of broadcasting: out (contiguous, shape out_shape, where each out_shape[k] is
/// shape[k] or 1) (+)= sum of x over the axes where out_shape[k] is 1. x is contiguous of `shape`
/// (pad leading axes with 1 on the out side). out must not alias x, except when the shapes are
/// equal.
struct SumToArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  float* out = nullptr;
  float* scratch = nullptr;
  int64_t dims = 0;
  int64_t shape[kMaxDims] = {};
  int64_t out_shape[kMaxDims] = {};
  bool accumulate = false;
};
[[nodiscard]] int64_t sum_to_scratch_bytes(int64_t dims, const int64_t* shape,
                                           const int64_t* out_shape, int team_size);
void sum_to(const SumToArgs& args, Team& team);

}  // namespace ingot::kernels
