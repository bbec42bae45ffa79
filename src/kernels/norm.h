// SPDX-License-Identifier: Apache-2.0
// Layer norm and RMS norm over the last axis of a contiguous float32 [rows, cols], and gradients.
//   layer: y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(mean((x - mean)^2) + eps)
//   rms:   y = x rstd weight,                 rstd = 1 / sqrt(mean(x^2) + eps)
// Row-invariant forward and dx; the variance takes a second pass over the row (in cache), so a
// large mean costs no digits. Parameter gradients: partial sums per fixed block of rows in scratch,
// then added in block order. Called by autograd/ops/norm. cols must be at least 1.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// weight, bias: [cols] or null (1 and 0). mean, rstd: [rows] or null when nothing is saved.
/// y may be x.
struct LayerNormArgs {
  static constexpr int kPointers = 6;
  const float* x = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float* y = nullptr;
  float* mean = nullptr;
  float* rstd = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  float eps = 1e-5F;
};
void layer_norm(const LayerNormArgs& args, Team& team);

/// dx, dweight, dbias may each be null (not wanted). dx may be dy (when not accumulating into dx).
/// scratch: norm_grad_scratch_bytes, null allowed when both parameter gradients are null.
struct LayerNormGradArgs {
  static constexpr int kPointers = 9;
  const float* dy = nullptr;
  const float* x = nullptr;
  const float* weight = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  float* dx = nullptr;
  float* dweight = nullptr;
  float* dbias = nullptr;
  float* scratch = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  bool accumulate_dx = false;
  bool accumulate_params = false;
};
[[nodiscard]] int64_t norm_grad_scratch_bytes(int64_t rows, int64_t cols, int team_size);
void layer_norm_grad(const LayerNormGradArgs& args, Team& team);

/// weight [cols] or null; rstd [rows] or null. y may be x.
struct RmsNormArgs {
  static constexpr int kPointers = 4;
  const float* x = nullptr;
  const float* weight = nullptr;
  float* y = nullptr;
  float* rstd = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  float eps = 1e-6F;
};
void rms_norm(const RmsNormArgs& args, Team& team);

/// As layer_norm_grad, without mean and bias.
struct RmsNormGradArgs {
  static constexpr int kPointers = 7;
  const float* dy = nullptr;
  const float* x = nullptr;
  const float* weight = nullptr;
  const float* rstd = nullptr;
  float* dx = nullptr;
  float* dweight = nullptr;
  float* scratch = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  bool accumulate_dx = false;
  bool accumulate_params = false;
};
void rms_norm_grad(const RmsNormGradArgs& args, Team& team);

}  // namespace ingot::kernels
