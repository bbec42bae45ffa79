// SPDX-License-Identifier: Apache-2.0
// A recipe's activations: which of them a matrix product applies itself, and the others as ops.
#pragma once

#include "kernels/activation.h"
#include "models/network/layer_config.h"
#include "tensor/tensor.h"

namespace ingot::models {

/// The activation as an epilogue of linear and conv2d; kNone when it must be an op of its own.
[[nodiscard]] kernels::Activation fused(ActivationName name);
/// The function as an op.
[[nodiscard]] Tensor activate(const Tensor& x, ActivationName name);
/// What is left to do after an epilogue: activate, unless it was fused.
[[nodiscard]] Tensor activate_rest(const Tensor& x, ActivationName name);

}  // namespace ingot::models
