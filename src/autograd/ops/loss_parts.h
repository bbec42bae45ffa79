// SPDX-License-Identifier: Apache-2.0
// What the loss ops share: checks of targets, weights and counts, and the division that turns a sum
// into a mean over the whole optimiser step. Included by the loss sources of autograd/ops only.
#pragma once

#include "autograd/op.h"
#include "kernels/loss.h"

namespace ingot::ops {

[[nodiscard]] kernels::IdType id_type(const Tensor& ids);

/// Throws unless targets are `rows` dense class numbers in [0, classes) or ignore_index (values are
/// looked at outside recordings only).
void check_targets(const char* op, const Tensor& targets, int64_t rows, int64_t classes,
                   int64_t ignore_index);

/// Throws unless `weights` is undefined or dense float32 of `size` elements without a gradient.
void check_weights(const char* op, const char* name, const Tensor& weights, int64_t size);

/// Throws unless `count` is undefined or one int64 or float32.
void check_count(const char* op, const Tensor& count);

/// Which rows a mean goes over.
struct MeanOver {
  Tensor targets;        ///< undefined: every row counts
  Tensor weights;        ///< float32 [rows]; undefined: ones
  Tensor class_weights;  ///< by target; undefined: ones
  Tensor count;          ///< given divisor; undefined: this call's
  int64_t rows = 0;
  int64_t ignore_index = -100;
};

/// The divisor as one element: the given one, else the sum of the weights (float32) or, without
/// weights, the number of rows that count (int64).
[[nodiscard]] Tensor divisor_of(const MeanOver& over, Engine& engine);

/// alpha * upstream / divisor as one element; undefined tensors are 1, and so is a divisor of 0.
[[nodiscard]] Tensor per_count(const Tensor& upstream, const Tensor& divisor, Engine& engine,
                               float alpha = 1.0F);

/// Sum of weights * row_loss, over `divisor`.
[[nodiscard]] Tensor mean_rows(const Tensor& row_loss, const Tensor& weights,
                               const Tensor& divisor);

}  // namespace ingot::ops
