// SPDX-License-Identifier: Apache-2.0
// Softmax, norms, dropout and rotary positions: ops over the last axis of float32 tensors.
// Row-invariant: a row's bytes depend on that row only. Throw kShapeMismatch, kDtypeMismatch.
#pragma once

#include "tensor/tensor.h"

namespace ingot::ops {

/// e^(x − max) / Σ e^(x − max) over the last axis.
[[nodiscard]] Tensor softmax(const Tensor& x);
/// log softmax(x) over the last axis.
[[nodiscard]] Tensor log_softmax(const Tensor& x);

/// (x − mean)/√(variance + eps)·weight + bias over the last axis, biased variance (Ba 2016).
/// weight, bias [dim] or empty.
[[nodiscard]] Tensor layer_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {},
                                float eps = 1e-5F);
/// x/√(mean(x²) + eps)·weight over the last axis (Zhang 2019). weight [dim] or empty.
[[nodiscard]] Tensor rms_norm(const Tensor& x, const Tensor& weight = {}, float eps = 1e-6F);

/// Zeroes each element with probability p and scales the others by 1/(1 − p). The mask is a pure
/// function of the engine's seed, step counter and the op's number in the step. p = 0 returns x.
[[nodiscard]] Tensor dropout(const Tensor& x, float p);

/// Rotary positions (Su 2021). x [batch, seq, heads, head_dim]; cos, sin [max_pos, rotary_dim/2]
/// from rope_tables; positions int32 [batch·seq], or empty for 0 … seq−1. Pairs are (i, i + half),
/// as in Hugging Face, or neighbours when `is_interleaved`.
[[nodiscard]] Tensor rope(const Tensor& x, const Tensor& cos, const Tensor& sin,
                          const Tensor& positions = {}, bool is_interleaved = false);

struct RopeTables {
  Tensor cos, sin;  // [max_pos, rotary_dim / 2]
};
[[nodiscard]] RopeTables rope_tables(Engine& engine, int64_t max_pos, int64_t rotary_dim,
                                     double theta = 10000.0);

}  // namespace ingot::ops
