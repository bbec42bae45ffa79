// SPDX-License-Identifier: Apache-2.0
#include "models/transformer.h"

#include <cmath>
#include <numeric>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/shape.h"
#include "nn/norm.h"
#include "text/tokenizer.h"

namespace ingot::models {
namespace {

using nn::Init;
using nn::InitKind;

// Largest values: with them every number of elements stays far inside 64 bits.
constexpr int64_t kMaxContext = 1 << 24;
constexpr int64_t kMaxLayers = 1 << 12;
constexpr int64_t kMaxDim = 1 << 20;
constexpr float kMaxInitStd = 100.0F;  // weights beyond it overflow in a few layers

bool is_llama(const TransformerConfig& c) { return c.layout == ModelLayout::kLlama; }

std::unique_ptr<nn::Layer> make_norm(const TransformerConfig& c, int64_t dim) {
  if (is_llama(c)) return std::make_unique<nn::RmsNorm>(dim, c.norm_eps);
  return std::make_unique<nn::LayerNorm>(dim, c.norm_eps);
}

/// GPT-2 scales the layers that write into the residual stream by 1/√(2·layers).
Init out_init(const TransformerConfig& c) {
  return {InitKind::kNormal, c.init_std / std::sqrt(2.0F * static_cast<float>(c.layers))};
}

nn::AttentionConfig attention_config(const TransformerConfig& c) {
  nn::AttentionConfig a;
  a.dim = c.dim;
  a.heads = c.heads;
  a.kv_heads = c.kv();
  a.head_dim = c.head_dim();
  a.has_bias = a.is_packed = !is_llama(c);
  a.is_rotary = is_llama(c);
  a.init = {InitKind::kNormal, c.init_std};
  a.out_init = out_init(c);
  return a;
}

std::vector<int64_t> dims_of(const Shape& shape) {
  std::vector<int64_t> dims;
  for (int i = 0; i < shape.rank(); ++i) dims.push_back(shape[i]);
  return dims;
}

std::unique_ptr<nn::Layer> make_mlp(const TransformerConfig& c) {
  nn::MlpConfig m;
  m.dim = c.dim;
  m.hidden = c.mlp_width();
  m.is_gated = is_llama(c);
  m.has_bias = !is_llama(c);
  m.activation = is_llama(c) ? kernels::Activation::kSilu : kernels::Activation::kGeluTanh;
  m.init = {InitKind::kNormal, c.init_std};
  m.out_init = out_init(c);
  return std::make_unique<nn::Mlp>(m);
}

}  // namespace

int64_t TransformerConfig::mlp_width() const {
  if (hidden > 0) return hidden;
  return layout == ModelLayout::kLlama ? (dim * 8 / 3 + 63) / 64 * 64 : 4 * dim;
}

void TransformerConfig::check() const {
  const auto positive = [](const char* key, int64_t value, int64_t suggestion) {
    require(value > 0, Code::kInvalidArgument, "model.{}: {} must be positive, for example {}", key,
            value, suggestion);
  };
  positive("vocab", vocab, 32000);
  positive("context", context, 256);
  positive("layers", layers, 4);
  positive("heads", heads, 4);
  positive("dim", dim, 256);
  require(kv_heads >= 0 && hidden >= 0, Code::kInvalidArgument,
          "model: kv_heads {} and hidden {} must not be negative; 0 picks the usual size", kv_heads,
          hidden);
  const auto at_most = [](const char* key, int64_t value, int64_t most) {
    require(value <= most, Code::kInvalidArgument,
            "model.{}: {} is too large, at most {} is possible", key, value, most);
  };
  at_most("vocab", vocab, text::kMaxVocab);
  at_most("context", context, kMaxContext);
  at_most("layers", layers, kMaxLayers);
  at_most("dim", dim, kMaxDim);
  at_most("heads", heads, kMaxDim);
  at_most("hidden", hidden, 4 * kMaxDim);
  const int64_t step = layout == ModelLayout::kLlama ? 2 * heads : heads;  // of what dim may be
  const int64_t fitting = (dim + step - 1) / step * step;
  require(dim % heads == 0, Code::kInvalidArgument,
          "model.dim: {} is not a multiple of model.heads {}. model.dim={} would be", dim, heads,
          fitting);
  require(heads % kv() == 0, Code::kInvalidArgument,
          "model.kv_heads: {} does not divide model.heads {}. model.kv_heads={} does", kv(), heads,
          heads);
  require(
      layout != ModelLayout::kLlama || head_dim() % 2 == 0, Code::kInvalidArgument,
      "model.dim: {} over {} heads gives an odd head size {}; rotary positions need an even one. "
      "model.dim={} would do",
      dim, heads, head_dim(), fitting);
  require(head_dim() <= 256, Code::kInvalidArgument,
          "model.heads: {} heads of size {}; at most 256 is available. model.heads={} would do",
          heads, head_dim(), (dim + 255) / 256);
  require(dropout >= 0.0F && dropout < 1.0F, Code::kInvalidArgument,
          "model.dropout: {} is not in [0, 1); 0.1 is usual", dropout);
  require(norm_eps > 0.0F, Code::kInvalidArgument,
          "model.norm_eps: {} must be positive; 1e-5 is usual", norm_eps);
  require(init_std >= 0.0F && init_std <= kMaxInitStd, Code::kInvalidArgument,
          "model.init_std: {} must be from 0 to {}; 0.02 is usual", init_std, kMaxInitStd);
  require(rope_theta > 1.0, Code::kInvalidArgument,
          "model.rope_theta: {} must be above 1; 10000 is usual", rope_theta);
}

Block::Block(const TransformerConfig& c, int64_t layer)
    : dropout_(c.dropout),
      attn_norm_name_(is_llama(c) ? "input_layernorm" : "ln_1"),
      attn_name_(is_llama(c) ? "self_attn" : "attn"),
      mlp_norm_name_(is_llama(c) ? "post_attention_layernorm" : "ln_2"),
      attn_norm_(make_norm(c, c.dim)),
      mlp_norm_(make_norm(c, c.dim)),
      mlp_(make_mlp(c)),
      attn_(attention_config(c), layer) {}

Tensor Block::forward(const Tensor& x, const nn::SequenceContext& context,
                      const nn::Rotary& rotary) {
  const float p = context.is_training ? dropout_ : 0.0F;
  const Tensor h =
      ops::add(x, ops::dropout(attn_.forward(attn_norm_->forward(x), context, rotary), p));
  return ops::add(h, ops::dropout(mlp_->forward(mlp_norm_->forward(h)), p));
}

void Block::visit(nn::Visitor& visitor) {
  visitor(attn_norm_name_, attn_norm_);
  visitor.child(attn_name_, attn_);
  visitor(mlp_norm_name_, mlp_norm_);
  visitor("mlp", mlp_);
}

Transformer::Transformer(Engine& engine, const TransformerConfig& config) : config_(config) {
  const TransformerConfig& c = config_;
  c.check();
  const Init init{InitKind::kNormal, c.init_std};
  tokens_ = std::make_unique<nn::Embedding>(c.vocab, c.dim, init, !c.tie_embeddings);
  if (is_llama(c)) {
    const ops::RopeTables t = ops::rope_tables(engine, c.context, c.head_dim(), c.rope_theta);
    rotary_ = {t.cos, t.sin};
  } else {
    positions_ = std::make_unique<nn::Embedding>(c.context, c.dim,
                                                 Init{InitKind::kNormal, c.init_std / 2}, false);
    std::vector<int32_t> counting(static_cast<size_t>(c.context));
    std::iota(counting.begin(), counting.end(), 0);
    counting_ = Tensor::from<int32_t>(engine, counting, {c.context});
  }
  for (int64_t i = 0; i < c.layers; ++i) blocks_.push_back(std::make_unique<Block>(c, i));
  norm_ = make_norm(c, c.dim);
  if (!c.tie_embeddings) head_ = std::make_unique<nn::Linear>(c.dim, c.vocab, false, init);
}

Tensor Transformer::forward(const Tensor& ids, const nn::SequenceContext& context) {
  ids.engine().scope = {"the embedding", -1};
  Tensor x = tokens_->forward(ids);  // [batch, seq, dim], or [rows, dim] with a cache
  if (positions_ != nullptr) {
    const Tensor where = context.positions.defined()
                             ? ops::reshape(context.positions, dims_of(ids.shape()))
                             : first_positions(ids.dim(-1));
    x = ops::add(x, positions_->forward(where));
  }
  x = ops::dropout(x, context.is_training ? config_.dropout : 0.0F);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    x.engine().scope = {"layer", static_cast<int64_t>(i)};
    x = blocks_[i]->forward(x, context, rotary_);
  }
  x.engine().scope = {"the final norm and head", -1};
  return norm_->forward(x);
}

Tensor Transformer::first_positions(int64_t seq) const {
  require(seq <= config_.context, Code::kInvalidArgument,
          "model: a sequence of {} tokens is longer than model.context {}", seq, config_.context);
  return ops::slice(counting_, 0, 0, seq);
}

Tensor Transformer::logits(const Tensor& hidden) {
  if (head_ != nullptr) return head_->forward(hidden);
  return ops::linear(hidden, embedding().weight.value);
}

Tensor Transformer::loss(const Tensor& ids, const Tensor& targets, const Tensor& count,
                         const nn::SequenceContext& context) {
  ops::CrossEntropyOptions options;
  options.count = count;
  options.ignore_index = kIgnoredTarget;
  const Tensor hidden = forward(ids, context);
  const auto* head = dynamic_cast<const nn::Linear*>(head_.get());
  if (head_ != nullptr && head == nullptr) {  // packed or quantised: no plain weight to stream
    return ops::cross_entropy(logits(hidden), targets, options);
  }
  const Tensor& weight = head != nullptr ? head->weight.value : embedding().weight.value;
  return ops::linear_cross_entropy(hidden, weight, targets, options);
}

nn::Embedding& Transformer::embedding() { return dynamic_cast<nn::Embedding&>(*tokens_); }

void Transformer::prepare_inference() {
  struct Packer : nn::Visitor {
    void parameter(const std::string& /*name*/, nn::Parameter& /*p*/) override {}
    bool layer(const std::string& /*name*/, std::unique_ptr<nn::Layer>& slot) override {
      if (auto* linear = dynamic_cast<nn::Linear*>(slot.get())) {
        slot = std::make_unique<nn::PackedLinear>(*linear);
        return true;
      }
      return false;
    }
  };
  if (head_ == nullptr && dynamic_cast<nn::Embedding*>(tokens_.get()) != nullptr) {
    auto tied = std::make_unique<nn::Linear>(config_.dim, config_.vocab, false, nn::Init{});
    tied->weight.value = embedding().weight.value;
    head_ = std::move(tied);
  }
  Packer packer;
  visit(packer);
}

void Transformer::visit(nn::Visitor& visitor) {
  const bool llama = is_llama(config_);
  struct Body : nn::Module {
    explicit Body(Transformer& owner, bool llama) : t(owner), is_llama(llama) {}
    void visit(nn::Visitor& v) override {
      v(is_llama ? "embed_tokens" : "wte", t.tokens_);
      v("wpe", t.positions_);
      for (size_t i = 0; i < t.blocks_.size(); ++i) {
        v.child((is_llama ? "layers." : "h.") + std::to_string(i), *t.blocks_[i]);
      }
      v(is_llama ? "norm" : "ln_f", t.norm_);
    }
    Transformer& t;
    bool is_llama;
  };
  Body body(*this, llama);
  visitor.child(llama ? "model" : "transformer", body);
  visitor("lm_head", head_);
}

}  // namespace ingot::models
