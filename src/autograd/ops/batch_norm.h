// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe and Szegedy 2015) over all axes but the last, for images [batch,
// height, width, channels] and rows [batch, channels] alike. Called by nn/batch_norm.h.
#pragma once

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace ingot::ops {

/// Learned and running values, each [channels]. weight and bias may be empty (1 and 0).
struct BatchNormState {
  Tensor weight, bias;
  Tensor running_mean, running_var;  ///< training: updated in place, or both empty
};

struct BatchNormOptions {
  float eps = 1e-5F;
  /// running ← (1 − momentum)·running + momentum·batch. PyTorch's default 0.1; Keras writes the
  /// other factor, so its momentum 0.99 is 0.01 here.
  float momentum = 0.1F;
  /// The running variance takes n/(n − 1) of the batch's (PyTorch) or the biased one (Keras).
  bool is_running_var_unbiased = true;
  bool is_training = false;
  /// kNone or kRelu, applied to the result in the same pass.
  kernels::Activation activation = kernels::Activation::kNone;
};

/// y = (x − mean)/√(var + eps)·weight + bias. Training: mean and biased variance of the batch over
/// all axes but the last, and the running values are updated when the step runs (each replay of a
/// recorded step too). Inference: the running values; a row's bytes then depend on that row only.
/// Throws kShapeMismatch (training needs more than one value per channel), kDtypeMismatch,
/// kInvalidArgument. Cost 2 passes over x (inference 1).
[[nodiscard]] Tensor batch_norm(const Tensor& x, const BatchNormState& state,
                                const BatchNormOptions& options = {});

}  // namespace ingot::ops
