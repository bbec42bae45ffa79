// SPDX-License-Identifier: Apache-2.0
#include "nn/attention.h"

#include <cmath>

#include "autograd/ops/attention.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/shape.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace ingot::nn {

Attention::Attention(const AttentionConfig& config, int64_t layer)
    : config_(config), layer_(layer) {
  const AttentionConfig& c = config_;
  const auto linear = [&](int64_t in, int64_t out, Init init) {
    return std::make_unique<Linear>(in, out, c.has_bias, init);
  };
  if (c.is_packed) {
    qkv_ = linear(c.dim, (c.heads + 2 * c.kv_heads) * c.head_dim, c.init);
  } else {
    q_ = linear(c.dim, c.heads * c.head_dim, c.init);
    k_ = linear(c.dim, c.kv_heads * c.head_dim, c.init);
    v_ = linear(c.dim, c.kv_heads * c.head_dim, c.init);
  }
  out_ = linear(c.heads * c.head_dim, c.dim, c.out_init);
  if (c.has_qk_norm) {
    q_norm_ = std::make_unique<RmsNorm>(c.head_dim, c.norm_eps);
    k_norm_ = std::make_unique<RmsNorm>(c.head_dim, c.norm_eps);
  }
}

void Attention::visit(Visitor& visitor) {
  visitor("c_attn", qkv_);
  visitor("q_proj", q_);
  visitor("k_proj", k_);
  visitor("v_proj", v_);
  visitor("q_norm", q_norm_);
  visitor("k_norm", k_norm_);
  visitor(config_.is_packed ? "c_proj" : "o_proj", out_);
}

Attention::Heads Attention::project(const Tensor& x) {
  const AttentionConfig& c = config_;
  const int64_t batch = x.dim(0);  // rows at inference
  const int64_t seq = x.rank() == 3 ? x.dim(1) : 1;
  const auto split = [&](const Tensor& t, int64_t heads) {
    return ops::reshape(t, {batch, seq, heads, c.head_dim});
  };
  if (!c.is_packed) {
    return {split(q_->forward(x), c.heads), split(k_->forward(x), c.kv_heads),
            split(v_->forward(x), c.kv_heads)};
  }
  const Tensor all = split(qkv_->forward(x), c.heads + 2 * c.kv_heads);
  return {ops::slice(all, 2, 0, c.heads), ops::slice(all, 2, c.heads, c.heads + c.kv_heads),
          ops::slice(all, 2, c.heads + c.kv_heads, c.heads + 2 * c.kv_heads)};
}

Tensor Attention::forward(const Tensor& x, const SequenceContext& context, const Rotary& rotary) {
  const AttentionConfig& c = config_;
  const ops::AttentionOptions options{context.is_causal, 0.0F, context.doc_end};
  if (can_stay_packed(context)) {
    return out_->forward(
        ops::attention_qkv(qkv_->forward(x), c.heads, c.kv_heads, context.doc_start, options));
  }
  Heads h = project(x);
  if (c.has_qk_norm) {
    h.q = q_norm_->forward(h.q);
    h.k = k_norm_->forward(h.k);
  }
  if (c.is_rotary) {
    h.q = ops::rope(h.q, rotary.cos, rotary.sin, context.positions);
    h.k = ops::rope(h.k, rotary.cos, rotary.sin, context.positions);
  }
  if (context.cache != nullptr) {
    const float scale = 1.0F / std::sqrt(static_cast<float>(c.head_dim));
    const Tensor y = context.cache->attend(layer_, h.q, h.k, h.v, scale);
    return out_->forward(ops::reshape(y, {x.dim(0), c.heads * c.head_dim}));
  }
  const Tensor y = ops::attention(h.q, h.k, h.v, context.doc_start, options);
  return out_->forward(ops::reshape(y, {x.dim(0), x.dim(1), c.heads * c.head_dim}));
}

}  // namespace ingot::nn
