// SPDX-License-Identifier: Apache-2.0
// Losses in float32 with double accumulators for sums over rows; orders fixed by the shape.
// Cross entropy over logits [rows, classes]:
//   loss = lse - (1 - s) x[target] - s mean(x),  lse = log sum exp x,  s = label smoothing
// 0 for rows whose target is ignore_index. The gradient takes its factor through a pointer so that
// a recorded step can change it; mean over non-ignored tokens of the *global* batch is the caller's
// count. With class weights w (null: ones), as PyTorch:
//   loss = (1 - s) w[target] (lse - x[target]) + s / classes sum_c w[c] (lse - x[c])
// Losses between two arrays of one shape are in pair_loss.h, margins and focal factors in
// class_loss.h. Called by autograd/ops/loss.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// row_loss and lse: [rows]; either may be null. Row-invariant.
struct CrossEntropyArgs {
  static constexpr int kPointers = 5;
  const float* logits = nullptr;
  const void* targets = nullptr;  ///< [rows] of target_type, in [0, classes) or ignore_index
  float* row_loss = nullptr;
  float* lse = nullptr;
  const float* class_weight = nullptr;  ///< [classes]; or null
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t ignore_index = -100;
  float label_smoothing = 0.0F;
  IdType target_type = IdType::kInt32;
};
void cross_entropy(const CrossEntropyArgs& args, Team& team);

/// dlogits (+)= f d row_loss / d logits; without class weights
///   (exp(logits - lse) - (1 - s) onehot - s / classes) * f
/// 0 for ignored rows and those whose row_scale is 0, whatever their logits.
/// f = (scale ? *scale : 1) * (row_scale ? row_scale[r] : 1). dlogits may be logits.
struct CrossEntropyGradArgs {
  static constexpr int kPointers = 7;
  const float* logits = nullptr;
  const void* targets = nullptr;
  const float* lse = nullptr;
  const float* scale = nullptr;      ///< one element, e.g. upstream / count; or null
  const float* row_scale = nullptr;  ///< [rows]; or null
  float* dlogits = nullptr;
  const float* class_weight = nullptr;  ///< [classes]; or null
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t ignore_index = -100;
  float label_smoothing = 0.0F;
  IdType target_type = IdType::kInt32;
  bool accumulate = false;
};
void cross_entropy_grad(const CrossEntropyGradArgs& args, Team& team);

enum class LossReduction : int32_t { kNone, kSum, kMean };

/// *out (+)= sum or mean of row_loss over rows whose target is not ignored; *count (+)= their
/// number; *weight (+)= the sum of their weights row_weight[r] class_weight[target] (each of the
/// three may be null). row_loss is multiplied by row_weight[r]; a row of weight 0 adds 0 whatever
/// its loss. Mean divides by this call's count and is NaN for none, as PyTorch does.
/// scratch: loss_scratch_bytes(rows).
struct LossReduceArgs {
  static constexpr int kPointers = 8;
  const float* row_loss = nullptr;      ///< null: only count and weight
  const void* targets = nullptr;        ///< null: every row counts
  const float* row_weight = nullptr;    ///< [rows]; null: ones
  const float* class_weight = nullptr;  ///< by target, for *weight only; null: ones
  float* out = nullptr;
  int64_t* count = nullptr;
  float* weight = nullptr;
  void* scratch = nullptr;
  int64_t rows = 0;
  int64_t ignore_index = -100;
  IdType target_type = IdType::kInt32;
  LossReduction reduction = LossReduction::kMean;  ///< kSum or kMean
  bool accumulate = false;
};
[[nodiscard]] int64_t loss_scratch_bytes(int64_t n);
void loss_reduce(const LossReduceArgs& args, Team& team);

/// *out = alpha * (upstream ? *upstream : 1) / d: a sum made a mean, or the factor of a mean's
/// gradient. d is *count, an int64 or a float32 sum of weights; 1 when that is 0 or null.
struct LossScaleArgs {
  static constexpr int kPointers = 3;
  const float* upstream = nullptr;
  const void* count = nullptr;
  float* out = nullptr;
  float alpha = 1.0F;
  bool float_count = false;
};
void loss_scale(const LossScaleArgs& args, Team& team);

}  // namespace ingot::kernels
