// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention over tiles of keys; the square of scores never exists.
#pragma once

#include "tensor/tensor.h"

namespace ingot::ops {

struct AttentionOptions {
  bool is_causal = true;
  float scale = 0.0F;  ///< 0: 1/√head_dim
  Tensor doc_end;      ///< int32 [batch, seq] or empty: the position behind the token's document
};

/// softmax(q·kᵀ·scale + mask)·v   (Vaswani 2017, eq. 1; tiles: Dao 2022).
/// q [batch, seq, heads, head_dim]; k, v [batch, seq, kv_heads, head_dim]; heads % kv_heads == 0
/// (grouped heads, Ainslie 2023). Any strides with dense head_dim. doc_start int32 [batch, seq] or
/// empty: first position of the token's document; a query sees no key before it, and none from
/// doc_end on. A query that sees no key gives zeros.
/// → [batch, seq, heads, head_dim]. Throws kShapeMismatch, kDtypeMismatch.
/// Cost 4·batch·heads·seq²·head_dim FLOP, half when causal; memory beside q, k, v, out: one float
/// per query and head.
[[nodiscard]] Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v,
                               const Tensor& doc_start = {}, const AttentionOptions& options = {});

/// The same on one packed projection qkv [batch, seq, (heads + 2·kv_heads)·head_dim] laid out as
/// all query heads, then key heads, then value heads (GPT-2's c_attn); its gradient is written in
/// place, without slices. → [batch, seq, heads·head_dim].
[[nodiscard]] Tensor attention_qkv(const Tensor& qkv, int64_t heads, int64_t kv_heads,
                                   const Tensor& doc_start = {},
                                   const AttentionOptions& options = {});

/// Where the tokens of a padded sequence begin and end, for attention that leaves padding out: ids
/// int32 [batch, seq], 0 is padding before or behind the tokens (zeros between them are tokens).
/// Every position has the bounds of its sequence, but padding before the tokens starts at itself.
/// A sequence of padding alone ends at 0.
struct TokenBounds {
  Tensor start, end;  // int32 [batch, seq]
};
[[nodiscard]] TokenBounds token_bounds(const Tensor& ids);

}  // namespace ingot::ops
