// SPDX-License-Identifier: Apache-2.0
// Matrix products. linear fuses bias and activation into the product's epilogue. Both sum over k in
// an order that depends on k only (kernels/gemm.h), so a row's bytes do not depend on its
// neighbours.
#pragma once

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace ingot::ops {

/// a·b over the last two axes, leading axes equal or absent on one side (batched product).
/// a [..., m, k] (or [..., k, m] with trans_a), b [..., k, n] (or [..., n, k] with trans_b)
/// → [..., m, n]. Transposed views of either operand are absorbed without a copy.
/// Throws kShapeMismatch, kDtypeMismatch. Cost 2·batch·m·n·k FLOP.
[[nodiscard]] Tensor matmul(const Tensor& a, const Tensor& b, bool trans_a = false,
                            bool trans_b = false);

/// activation(x·weightᵀ + bias). x [..., in_features], weight [out_features, in_features]
/// (PyTorch's layout; or its packed panels), bias [out_features] or empty → [..., out_features].
/// Throws kShapeMismatch, kDtypeMismatch. Cost 2·rows·in·out FLOP.
[[nodiscard]] Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                            kernels::Activation activation = kernels::Activation::kNone);

/// weight [out_features, in_features] in the packed panels of this processor, for linear at
/// inference.
[[nodiscard]] Tensor pack_weight(const Tensor& weight);

}  // namespace ingot::ops
