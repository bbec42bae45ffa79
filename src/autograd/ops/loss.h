// SPDX-License-Identifier: Apache-2.0
// Losses, each a mean as one element. What a mean divides by is, in this order:
//   count     one int64 or float32: rows (or their summed weights) of the whole optimiser step,
//             over all its micro-batches; this is what makes accumulated micro-batches equal one
//             big batch, and a padded last batch equal an unpadded one;
//   weights   the sum of this call's weights (PyTorch's cross_entropy; its other losses divide by
//             the number of rows instead: give that as count);
//   neither   this call's number of rows that count.
// A row of weight 0 adds nothing to loss and gradient, whatever is in it. A divisor of 0 counts
// as 1. Targets, weights and counts carry no gradient. All throw kShapeMismatch, kDtypeMismatch,
// kInvalidArgument and kUnsupported naming the op.
#pragma once

#include "tensor/tensor.h"

namespace ingot::ops {

// ---- classes: logits [..., classes], targets int32 or int64 [...] -> []
// --------------------------

struct CrossEntropyOptions {
  int64_t ignore_index = -100;
  float label_smoothing = 0.0F;
  Tensor count = {};
  Tensor class_weights = {};  ///< float32 [classes]; a row's weight is also that of its target
  Tensor weights = {};        ///< float32, one per target
};

/// Mean of −log softmax(logits)[target] over the targets ≠ ignore_index (0 when there are none).
/// With smoothing s the target distribution is (1 − s)·onehot + s/classes, every class's term times
/// its class weight (PyTorch).
[[nodiscard]] Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                                   const CrossEntropyOptions& options = {});

/// cross_entropy(x·weightᵀ, targets) without ever holding all logits: rows are taken in chunks
/// whose logits fit a few megabytes, and while recording the gradients of x and weight are formed
/// in the same pass (Liger, Hsu 2024). x [..., in_features], weight [classes, in_features] → [].
/// Rows of x that do not count must be finite all the same.
/// Cost 2·rows·in·classes FLOP, 6 while recording.
[[nodiscard]] Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight,
                                          const Tensor& targets,
                                          const CrossEntropyOptions& options = {});

/// Loss of every row, no mean and no gradient: logits [rows, classes] → [rows], 0 where ignored.
[[nodiscard]] Tensor cross_entropy_rows(const Tensor& logits, const Tensor& targets,
                                        int64_t ignore_index = -100);

struct FocalOptions {
  float gamma = 2.0F;  ///< ≥ 0; 0 is cross entropy
  int64_t ignore_index = -100;
  Tensor count = {};
  Tensor class_weights = {};  ///< α by class; not part of the divisor
  Tensor weights = {};
};
/// Mean of −α[t]·(1 − p_t)^γ·log p_t, p = softmax(logits)   (Lin 2017).
[[nodiscard]] Tensor focal(const Tensor& logits, const Tensor& targets,
                           const FocalOptions& options = {});

struct MultiMarginOptions {
  float margin = 1.0F;
  int power = 1;  ///< 1 or 2
  int64_t ignore_index = -100;
  Tensor count = {};
  Tensor class_weights = {};  ///< of the target; not part of the divisor
  Tensor weights = {};
};
/// Hinge over classes: mean of w[t]/classes·Σ_{j≠t} max(0, margin − x_t + x_j)^power
/// (PyTorch's MultiMarginLoss).
[[nodiscard]] Tensor multi_margin(const Tensor& logits, const Tensor& targets,
                                  const MultiMarginOptions& options = {});

// ---- pairs: x and target of one shape -> [] -----------------------------------------------------

/// A row is what one weight covers: weights have the shape of x's first axes (all of them: a weight
/// per element). Without weights a row is an entry of the first axis. The mean goes over rows and
/// their elements.
struct LossOptions {
  Tensor weights = {};
  Tensor count = {};
};

/// mean((x − target)²).
[[nodiscard]] Tensor mse(const Tensor& x, const Tensor& target, const LossOptions& options = {});

/// mean|x − target|; the gradient is 0 where they are equal.
[[nodiscard]] Tensor mae(const Tensor& x, const Tensor& target, const LossOptions& options = {});

/// mean of d²/2 for |d| ≤ delta, else delta·(|d| − delta/2), with d = x − target   (Huber 1964).
[[nodiscard]] Tensor huber(const Tensor& x, const Tensor& target, float delta = 1.0F,
                           const LossOptions& options = {});

struct BceOptions {
  Tensor weights = {};
  Tensor count = {};
  Tensor pos_weight = {};  ///< float32 [last axis] or []: weight of the −log σ(x) term
};
/// mean(−t·log σ(x) − (1 − t)·log(1 − σ(x))) from logits x, targets in [0, 1].
[[nodiscard]] Tensor bce_with_logits(const Tensor& x, const Tensor& target,
                                     const BceOptions& options = {});

struct BinaryFocalOptions {
  float gamma = 2.0F;   ///< ≥ 0
  float alpha = 0.25F;  ///< weight of target 1, 1 − alpha that of 0; negative: both 1
  Tensor weights = {};
  Tensor count = {};
};
/// mean of −α·(1 − p)^γ·log p for target 1 and −(1 − α)·p^γ·log(1 − p) for target 0, p = σ(x);
/// targets between are mixed linearly   (Lin 2017).
[[nodiscard]] Tensor binary_focal(const Tensor& x, const Tensor& target,
                                  const BinaryFocalOptions& options = {});

/// Mean over rows of Σ t·(log t − x), rows along the last axis (PyTorch's "batchmean"):
/// x log-probabilities, t probabilities. weights have the shape of x without its last axis.
[[nodiscard]] Tensor kl_divergence(const Tensor& x, const Tensor& target,
                                   const LossOptions& options = {});

struct HingeOptions {
  float margin = 1.0F;
  int power = 1;  ///< 1, or 2: squared hinge
  Tensor weights = {};
  Tensor count = {};
};
/// mean of max(0, margin − t·x)^power, targets −1 or 1.
[[nodiscard]] Tensor hinge(const Tensor& x, const Tensor& target, const HingeOptions& options = {});

}  // namespace ingot::ops
