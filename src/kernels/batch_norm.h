// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe and Szegedy 2015) of contiguous float32 [rows, cols], statistics per
// column:  y = act((x - mean) rstd weight + bias),  rstd = 1 / sqrt(var + eps).
// Mean and variance of the columns are taken in one pass over memory: two passes over a block of
// rows in cache, then blocks are joined in order and in double (Chan 1979). Blocks depend on cols
// only, so bytes depend on no team. Called by autograd/ops/batch_norm. cols at least 1.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// mean[c], rstd[c] of the batch (biased variance), and, unless null, the running values:
/// running = (1 - momentum) running + momentum batch, the variance times rows / (rows - 1) first
/// when `is_unbiased`. rows at least 1 (2 when is_unbiased).
struct BatchNormStatsArgs {
  static constexpr int kPointers = 6;
  const float* x = nullptr;
  float* mean = nullptr;
  float* rstd = nullptr;
  float* running_mean = nullptr;
  float* running_var = nullptr;
  float* scratch = nullptr;  // batch_norm_scratch_bytes
  int64_t rows = 0, cols = 0;
  float eps = 1e-5F;
  float momentum = 0.1F;
  bool is_unbiased = true;
};
void batch_norm_stats(const BatchNormStatsArgs& args, Team& team);

/// rstd[c] = 1 / sqrt(var[c] + eps).
struct BatchNormRstdArgs {
  static constexpr int kPointers = 2;
  const float* var = nullptr;
  float* rstd = nullptr;
  int64_t cols = 0;
  float eps = 1e-5F;
};
void batch_norm_rstd(const BatchNormRstdArgs& args, Team& team);

/// y from x and given mean and rstd; weight and bias may be null (1 and 0). y may be x.
struct BatchNormArgs {
  static constexpr int kPointers = 6;
  const float* x = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float* y = nullptr;
  int64_t rows = 0, cols = 0;
  bool is_relu = false;
};
void batch_norm(const BatchNormArgs& args, Team& team);

/// g = dy, 0 where relu cut (computed again from x). dbias = sum g, dweight = sum g xhat with
/// xhat = (x - mean) rstd, dx = weight rstd (g - (dbias + xhat dweight) / rows) when is_training
/// (mean and rstd are x's own), else weight rstd g. Results may be null; dx may be dy (when it is
/// not accumulated).
struct BatchNormGradArgs {
  static constexpr int kPointers = 10;
  const float* dy = nullptr;
  const float* x = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float* dx = nullptr;
  float* dweight = nullptr;
  float* dbias = nullptr;
  float* scratch = nullptr;  // batch_norm_scratch_bytes
  int64_t rows = 0, cols = 0;
  bool is_training = false, is_relu = false;
  bool accumulate_dx = false, accumulate_dweight = false, accumulate_dbias = false;
};
void batch_norm_grad(const BatchNormGradArgs& args, Team& team);

[[nodiscard]] int64_t batch_norm_scratch_bytes(int64_t rows, int64_t cols);

}  // namespace ingot::kernels
