// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention in float32, forward and backward, in tiles: the square of scores is
// never stored. Vaswani et al. 2017, eq. 1; online softmax: Milakov and Gimelshein 2018; tiles and
// recomputation: Dao et al., "FlashAttention" (2022).
//   out[i] = sum_j p[i][j] v[j],  p[i] = softmax_j(scale * q[i].k[j]) over the keys i may see
// Order of additions: scores are FMA chains over head_dim; keys go in tiles of kAttentionTile
// counted from the start of the sequence; a tile's sum is taken in fixed order; out is one FMA
// chain over keys. A key that a row may not see never touches that row's numbers, so the bytes of
// row i depend on keys up to i only, and paged_attention.h gives the same bytes from a cache.
// Called by autograd/ops/attention. Not here: the cache (paged_attention.h), dropout, score biases.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// Keys per tile; part of the definition of the result.
constexpr int64_t kAttentionTile = 64;
/// Largest head_dim.
constexpr int64_t kAttentionMaxHeadDim = 256;

/// Element strides of a [batch, seq, heads, head_dim] operand; head_dim is contiguous.
struct AttentionStrides {
  int64_t batch = 0, seq = 0, head = 0;
};

/// q, out: heads; k, v: kv_heads, heads % kv_heads == 0 (head h reads kv head h /
/// (heads/kv_heads)).
struct AttentionArgs {
  static constexpr int kPointers = 8;
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  const int32_t* doc_start = nullptr;  // [batch, seq]: first position of the token's document; null
  const int32_t* doc_end = nullptr;    // [batch, seq]: the position behind it; null
  float* out = nullptr;
  float* lse = nullptr;      // [batch, heads, seq], natural log of the softmax sum; may be null
  float* scratch = nullptr;  // attention_scratch_bytes(), 64-byte aligned
  int64_t batch = 0, seq = 0, heads = 0, kv_heads = 0, head_dim = 0;
  AttentionStrides q_stride, k_stride, v_stride, out_stride;
  bool causal = true;
  float scale = 1.0F;
};

/// Row i sees keys j with doc_start[i] <= j (0 when null or negative), j < doc_end[i] (seq when
/// null) and j <= i when causal. A row that sees no key gets zeros and lse = -infinity. out must
/// not overlap inputs. Accuracy: 1e-6 relative to max |v| for |score| <= 80. Cost 4 * batch * heads
/// * seq^2 * head_dim FLOP, half when causal.
void attention(const AttentionArgs& args, Team& team);
[[nodiscard]] int64_t attention_scratch_bytes(const AttentionArgs& args, int workers);

/// Gradient. dout has out's shape; dq, dk, dv those of q, k, v. Masked pairs contribute zero.
struct AttentionBackwardArgs {
  static constexpr int kPointers = 12;
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  const int32_t* doc_start = nullptr;  // may be null
  const int32_t* doc_end = nullptr;    // may be null
  const float* out = nullptr;
  const float* lse = nullptr;  // [batch, heads, seq] as the forward wrote it
  const float* dout = nullptr;
  float* dq = nullptr;
  float* dk = nullptr;
  float* dv = nullptr;
  float* scratch = nullptr;  // attention_backward_scratch_bytes(), 64-byte aligned
  int64_t batch = 0, seq = 0, heads = 0, kv_heads = 0, head_dim = 0;
  AttentionStrides q_stride, k_stride, v_stride, out_stride, dout_stride;
  AttentionStrides dq_stride, dk_stride, dv_stride;
  bool causal = true;
  bool accumulate = false;  // dq, dk, dv += instead of =
  float scale = 1.0F;
};

/// Same mask, scale and tiles as the forward; scores are recomputed. Same bytes for any team size.
/// A masked weight is zero but is still multiplied: a NaN in dout or k may reach its whole tile.
/// Cost 10 * batch * heads * seq^2 * head_dim FLOP, half when causal.
void attention_backward(const AttentionBackwardArgs& args, Team& team);
[[nodiscard]] int64_t attention_backward_scratch_bytes(const AttentionBackwardArgs& args,
                                                       int workers);

/// Bounds of the tokens of padded sequences, as doc_start and doc_end: the first id that is not 0
/// (a position before it: itself) and the position behind the last. 0 for padding alone.
struct TokenBoundsArgs {
  static constexpr int kPointers = 3;
  const int32_t* ids = nullptr;  // [batch, seq]
  int32_t* start = nullptr;
  int32_t* end = nullptr;
  int64_t batch = 0, seq = 0;
};
void token_bounds(const TokenBoundsArgs& args, Team& team);

}  // namespace ingot::kernels
