// SPDX-License-Identifier: Apache-2.0
// Losses in float32 with double accumulators for sums over rows; orders fixed by the shape.
// Cross entropy over logits [rows, classes]:
//   loss = lse - (1 - s) x[target] - s mean(x),  lse = log sum exp x,  s = label smoothing
// 0 for rows whose target is ignore_index. The gradient takes its factor through a pointer so that
// a recorded step can change it; mean over non-ignored tokens of the *global* batch is the caller's
// count. mse = (a - b)^2; bce = max(x, 0) - x t + log(1 + exp(-|x|)). Called by autograd/ops/loss.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// row_loss and lse: [rows]; either may be null. Row-invariant.
struct CrossEntropyArgs {
  static constexpr int kPointers = 4;
  const float* logits = nullptr;
  const void* targets = nullptr;  ///< [rows] of target_type, in [0, classes) or ignore_index
  float* row_loss = nullptr;
  float* lse = nullptr;
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t ignore_index = -100;
  float label_smoothing = 0.0F;
  IdType target_type = IdType::kInt32;
};
void cross_entropy(const CrossEntropyArgs& args, Team& team);

/// dlogits (+)= (exp(logits - lse) - (1 - s) onehot - s / classes) * f, 0 for ignored rows;
/// f = (scale ? *scale : 1) * (row_scale ? row_scale[r] : 1). dlogits may be logits.
struct CrossEntropyGradArgs {
  static constexpr int kPointers = 6;
  const float* logits = nullptr;
  const void* targets = nullptr;
  const float* lse = nullptr;
  const float* scale = nullptr;      ///< one element, e.g. upstream / count; or null
  const float* row_scale = nullptr;  ///< [rows]; or null
  float* dlogits = nullptr;
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
/// number (each may be null). Mean divides by this call's count and is NaN for none, as PyTorch
/// does. scratch: loss_scratch_bytes(rows).
struct LossReduceArgs {
  static constexpr int kPointers = 5;
  const float* row_loss = nullptr;  ///< null: only count
  const void* targets = nullptr;    ///< null: every row counts
  float* out = nullptr;
  int64_t* count = nullptr;
  void* scratch = nullptr;
  int64_t rows = 0;
  int64_t ignore_index = -100;
  IdType target_type = IdType::kInt32;
  LossReduction reduction = LossReduction::kMean;  ///< kSum or kMean
  bool accumulate = false;
};
[[nodiscard]] int64_t loss_scratch_bytes(int64_t n);
void loss_reduce(const LossReduceArgs& args, Team& team);

/// *out = alpha * (upstream ? *upstream : 1) / max(*count, 1): the factor of a mean loss's
/// gradient.
struct LossScaleArgs {
  static constexpr int kPointers = 3;
  const float* upstream = nullptr;
  const int64_t* count = nullptr;
  float* out = nullptr;
  float alpha = 1.0F;
};
void loss_scale(const LossScaleArgs& args, Team& team);

enum class PairLoss : int32_t { kMse, kBceWithLogits };

/// out (one element; [n] for kNone) = reduction of loss(x[i], target[i]). scratch:
/// loss_scratch_bytes(n), null allowed for kNone.
struct PairLossArgs {
  static constexpr int kPointers = 4;
  const float* x = nullptr;
  const float* target = nullptr;
  float* out = nullptr;
  void* scratch = nullptr;
  int64_t n = 0;
  PairLoss loss = PairLoss::kMse;
  LossReduction reduction = LossReduction::kMean;
};
void pair_loss(const PairLossArgs& args, Team& team);

/// dx (+)= upstream * dloss/dx (/ n for kMean); upstream is one element, [n] for kNone.
/// mse: 2 (x - t); bce: sigmoid(x) - t. dx may be x when not accumulating.
struct PairLossGradArgs {
  static constexpr int kPointers = 4;
  const float* x = nullptr;
  const float* target = nullptr;
  const float* upstream = nullptr;
  float* dx = nullptr;
  int64_t n = 0;
  PairLoss loss = PairLoss::kMse;
  LossReduction reduction = LossReduction::kMean;
  bool accumulate = false;
};
void pair_loss_grad(const PairLossGradArgs& args, Team& team);

}  // namespace ingot::kernels
