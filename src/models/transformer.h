// SPDX-License-Identifier: Apache-2.0
// A decoder-only transformer in pre-norm blocks: x + attention(norm(x)), then x + mlp(norm(x)).
// GPT-2 (Radford 2019) and Llama (Touvron 2023) are two sets of options; what differs between them
// is here as a field, and their names and config.json live in models/hugging_face.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/config_fields.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/mlp.h"

namespace ingot::models {

enum class ModelLayout : uint8_t { kGpt2, kLlama };
inline constexpr EnumName kLayoutNames[] = {{"gpt2", ModelLayout::kGpt2},
                                            {"llama", ModelLayout::kLlama}};
constexpr std::span<const EnumName> enum_names(ModelLayout /*tag*/) { return kLayoutNames; }

struct TransformerConfig {
  ModelLayout layout = ModelLayout::kLlama;
  int64_t vocab = 0;
  int64_t context = 256;
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t kv_heads = 0;
  int64_t dim = 256;
  int64_t hidden = 0;
  float dropout = 0.0F;
  float norm_eps = 1e-5F;
  double rope_theta = 10000.0;
  bool tie_embeddings = true;
  float init_std = 0.02F;

  void visit(auto& field) {
    field("layout", layout,
          "gpt2 (learned positions, LayerNorm, GELU) or llama (rope, RMSNorm, SwiGLU)");
    field("vocab", vocab, "tokens; 0: the tokenizer's");
    field("context", context, "longest sequence in tokens");
    field("layers", layers, "transformer blocks");
    field("heads", heads, "query heads; must divide dim");
    field("kv_heads", kv_heads, "key and value heads; 0: as many as heads");
    field("dim", dim, "width of the residual stream");
    field("hidden", hidden,
          "width inside the MLP; 0: 4 dim (gpt2), 8/3 dim rounded up to 64 (llama)");
    field("dropout", dropout, "after embeddings, attention and MLP, in [0, 1)");
    field("norm_eps", norm_eps, "added to the variance in norms");
    field("rope_theta", rope_theta, "llama: base of the rotary frequencies");
    field("tie_embeddings", tie_embeddings, "output layer shares the embedding table");
    field("init_std", init_std, "standard deviation of initial weights");
  }

  [[nodiscard]] int64_t kv() const { return kv_heads > 0 ? kv_heads : heads; }
  [[nodiscard]] int64_t head_dim() const { return dim / heads; }
  [[nodiscard]] int64_t mlp_width() const;
  /// Throws kInvalidArgument naming model.<key> and a value that works.
  void check() const;
};

class Block : public nn::Module {
 public:
  Block(const TransformerConfig& config, int64_t layer);
  [[nodiscard]] Tensor forward(const Tensor& x, const nn::SequenceContext& context,
                               const nn::Rotary& rotary);
  void visit(nn::Visitor& visitor) override;

 private:
  float dropout_;
  const char *attn_norm_name_, *attn_name_, *mlp_norm_name_;
  std::unique_ptr<nn::Layer> attn_norm_, mlp_norm_, mlp_;
  nn::Attention attn_;
};

/// Target of a token that is not predicted.
inline constexpr int64_t kIgnoredTarget = -1;

class Transformer : public nn::Module {
 public:
  /// Declares the parameters; an nn::ParameterStore or a loader gives them values.
  Transformer(Engine& engine, const TransformerConfig& config);

  /// ids int32 [batch, seq] (or [rows] with a cache) → hidden states after the last norm, [...,
  /// dim].
  [[nodiscard]] Tensor forward(const Tensor& ids, const nn::SequenceContext& context = {});
  /// hidden [..., dim] → logits [..., vocab].
  [[nodiscard]] Tensor logits(const Tensor& hidden);
  /// Mean cross entropy of predicting targets [batch, seq] (-1: ignored), never holding all logits
  /// (of a trainable model; one prepared for inference holds those of the batch).
  [[nodiscard]] Tensor loss(const Tensor& ids, const Tensor& targets, const Tensor& count,
                            const nn::SequenceContext& context = {});

  void visit(nn::Visitor& visitor) override;
  [[nodiscard]] const TransformerConfig& config() const { return config_; }

  /// Swaps every linear for its packed form: faster forward, same bytes, no more training. A tied
  /// head gets packed weights of its own beside the table.
  void prepare_inference();
  /// Gives a tied model a head of its own for inference (compress: over the same quantised table).
  void set_head(std::unique_ptr<nn::Layer> head) { head_ = std::move(head); }

 private:
  [[nodiscard]] nn::Embedding& embedding();
  [[nodiscard]] Tensor first_positions(int64_t seq) const;

  TransformerConfig config_;
  std::unique_ptr<nn::Layer> tokens_, positions_, norm_, head_;
  std::vector<std::unique_ptr<Block>> blocks_;
  nn::Rotary rotary_;
  Tensor counting_;  // int32 0 … context − 1, for learned positions
};

}  // namespace ingot::models
