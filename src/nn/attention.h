// SPDX-License-Identifier: Apache-2.0
// Multi-head self-attention with grouped key heads and, beside it, the interface of the KV cache.
// Projections are replaceable layers. Training runs whole sequences [batch, seq, dim]; inference
// runs rows [rows, dim] of many sequences against a cache, with the same bytes per row.
#pragma once

#include <memory>

#include "nn/module.h"

namespace ingot::nn {

/// Keys and values of earlier tokens. Implemented by models/paged_decoder.
class KvCache {
 public:
  virtual ~KvCache() = default;
  /// Stores the rows' keys and values in `layer`, then attends: q [rows, heads, head_dim], k and v
  /// [rows, kv_heads, head_dim] → [rows, heads, head_dim].
  virtual Tensor attend(int64_t layer, const Tensor& q, const Tensor& k, const Tensor& v,
                        float scale) = 0;
};

/// What the forward pass of a sequence model knows beside its input.
struct SequenceContext {
  Tensor doc_start;  ///< int32 [batch, seq]: first position of each token's document; or empty
  Tensor doc_end;    ///< int32 [batch, seq]: the position behind it; or empty
  Tensor positions;  ///< int32 [batch·seq], or empty: 0 … seq−1
  KvCache* cache = nullptr;  ///< set at inference: input is [rows, dim]
  bool is_training = false;  ///< dropout is on
  bool is_causal = true;     ///< no token sees a later one
};

struct AttentionConfig {
  int64_t dim = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  bool has_bias = false;
  bool is_packed = false;  ///< one projection for q, k and v (GPT-2's c_attn)
  bool is_rotary = false;
  bool has_qk_norm = false;  ///< RMS norm of each head's q and k (Henry 2020)
  float norm_eps = 1e-6F;
  Init init, out_init;
};

/// Rotary tables shared by the layers of a model.
struct Rotary {
  Tensor cos, sin;
};

class Attention : public Module {
 public:
  Attention(const AttentionConfig& config, int64_t layer);

  /// x [batch, seq, dim] (or [rows, dim] with a cache) → the same shape.
  [[nodiscard]] Tensor forward(const Tensor& x, const SequenceContext& context,
                               const Rotary& rotary);
  void visit(Visitor& visitor) override;

 private:
  struct Heads {
    Tensor q, k, v;  // [batch, seq, heads | kv_heads, head_dim]
  };
  [[nodiscard]] Heads project(const Tensor& x);
  [[nodiscard]] bool can_stay_packed(const SequenceContext& context) const {
    return config_.is_packed && !config_.is_rotary && !config_.has_qk_norm &&
           context.cache == nullptr;
  }

  AttentionConfig config_;
  int64_t layer_;
  std::unique_ptr<Layer> qkv_, q_, k_, v_, out_;
  std::unique_ptr<Layer> q_norm_, k_norm_;
};

}  // namespace ingot::nn
