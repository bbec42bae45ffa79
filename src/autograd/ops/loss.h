// SPDX-License-Identifier: Apache-2.0
// Losses. A mean over tokens divides by the number of targets that count, over the whole batch of
// the optimiser step when `count` is given: that is what makes accumulated micro-batches equal one
// big batch. All throw kShapeMismatch, kDtypeMismatch.
#pragma once

#include "tensor/tensor.h"

namespace ingot::ops {

struct CrossEntropyOptions {
  int64_t ignore_index = -100;
  float label_smoothing = 0.0F;
  /// int64 []: targets that count in the whole step; empty: those of this call.
  Tensor count = {};
};

/// Mean of −log softmax(logits)[target] over the targets ≠ ignore_index (0 when there are none).
/// logits [..., classes], targets int32 or int64 [...] → []. With smoothing s the target
/// distribution is (1 − s)·onehot + s/classes (PyTorch).
[[nodiscard]] Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                                   const CrossEntropyOptions& options = {});

/// cross_entropy(x·weightᵀ, targets) without ever holding all logits: rows are taken in chunks
/// whose logits fit a few megabytes, and while recording the gradients of x and weight are formed
/// in the same pass (Liger, Hsu 2024). x [..., in_features], weight [classes, in_features] → [].
/// Cost 2·rows·in·classes FLOP, 6 while recording.
[[nodiscard]] Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight,
                                          const Tensor& targets,
                                          const CrossEntropyOptions& options = {});

/// Loss of every row, no mean and no gradient: logits [rows, classes] → [rows], 0 where ignored.
[[nodiscard]] Tensor cross_entropy_rows(const Tensor& logits, const Tensor& targets,
                                        int64_t ignore_index = -100);

/// mean((x − target)²); equal shapes → [].
[[nodiscard]] Tensor mse(const Tensor& x, const Tensor& target);

/// mean(−t·log σ(x) − (1 − t)·log(1 − σ(x))) from logits x; equal shapes → [].
[[nodiscard]] Tensor bce_with_logits(const Tensor& x, const Tensor& target);

}  // namespace ingot::ops
