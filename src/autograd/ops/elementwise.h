// SPDX-License-Identifier: Apache-2.0
// Elementwise arithmetic and functions. Two operands broadcast by NumPy's rules. float32 in,
// float32 out; NaN in gives NaN out. Each gradient is written beside its forward in
// elementwise.cpp. All throw kDtypeMismatch for other dtypes and kShapeMismatch for shapes that do
// not broadcast. Cost: one pass over the output.
#pragma once

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace ingot::ops {

[[nodiscard]] Tensor add(const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor sub(const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor mul(const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor div(const Tensor& a, const Tensor& b);
/// alpha·x
[[nodiscard]] Tensor scale(const Tensor& x, float alpha);

[[nodiscard]] Tensor neg(const Tensor& x);
[[nodiscard]] Tensor exp(const Tensor& x);
[[nodiscard]] Tensor log(const Tensor& x);
[[nodiscard]] Tensor sqrt(const Tensor& x);
[[nodiscard]] Tensor abs(const Tensor& x);
[[nodiscard]] Tensor tanh(const Tensor& x);
/// 1 / (1 + e^−x)
[[nodiscard]] Tensor sigmoid(const Tensor& x);
[[nodiscard]] Tensor relu(const Tensor& x);
/// x for x > 0, else slope·x
[[nodiscard]] Tensor leaky_relu(const Tensor& x, float slope = 0.01F);
/// x·Φ(x) with the error function (Hendrycks 2016)
[[nodiscard]] Tensor gelu(const Tensor& x);
/// ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
[[nodiscard]] Tensor gelu_tanh(const Tensor& x);
/// x·sigmoid(x)
[[nodiscard]] Tensor silu(const Tensor& x);
[[nodiscard]] Tensor pow(const Tensor& x, float exponent);
/// min(max(x, lo), hi); the gradient passes for lo ≤ x ≤ hi
[[nodiscard]] Tensor clamp(const Tensor& x, float lo, float hi);

/// cond ≠ 0 ? a : b; cond is uint8; all three broadcast.
[[nodiscard]] Tensor where(const Tensor& cond, const Tensor& a, const Tensor& b);

/// activation(gate)·up, the gated MLP's middle (SwiGLU with kSilu; Shazeer 2020). Same shapes.
[[nodiscard]] Tensor gated(const Tensor& gate, const Tensor& up,
                           kernels::Activation activation = kernels::Activation::kSilu);

}  // namespace ingot::ops
