// SPDX-License-Identifier: Apache-2.0
// Attention in a recipe: a pre-norm transformer block (attention, then MLP, each around a residual;
// the Block of models/transformer.h with GPT-2's names) and positions, which it needs to know where
// a token stands. With mask, no token sees padding, which must stand before or behind the tokens.
#include <algorithm>

#include "autograd/ops/attention.h"
#include "autograd/ops/elementwise.h"
#include "models/network/node.h"
#include "models/transformer.h"

namespace ingot::models {
namespace {

constexpr float kPositionDeviation = 0.02F;  // GPT-2
constexpr int64_t kMaxHeadDim = 256;

/// The next smaller number of heads that divides `dim`.
int64_t heads_below(int64_t heads, int64_t dim) {
  constexpr int64_t kFarthest = 1024;
  int64_t fit = std::clamp<int64_t>(heads, 1, std::min(dim, kFarthest));
  while (dim % fit != 0) --fit;
  return fit;
}

class AttentionNode : public Node {
 public:
  AttentionNode(const LayerSite& site, const TransformerConfig& config)
      : config_(config),
        is_causal_(site.config.causal.value_or(false)),
        ids_(site.padding_ids()),
        block_(config, 0) {
    output = site.inputs[0];
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& context) override {
    nn::SequenceContext sequence;
    sequence.is_training = context.is_training;
    sequence.is_causal = is_causal_;
    if (ids_ >= 0) {
      const ops::TokenBounds tokens =
          ops::token_bounds(context.network_inputs[static_cast<size_t>(ids_)]);
      sequence.doc_start = tokens.start;
      sequence.doc_end = tokens.end;
    }
    return block_.forward(in[0], sequence, {});
  }
  void visit(nn::Visitor& visitor) override { block_.visit(visitor); }
  int64_t flops() const override {
    const int64_t length = output.shape[0], dim = config_.dim;
    const int64_t scores = 4 * length * length * dim;
    return 2 * length * dim * (4 * dim + 2 * config_.mlp_width()) +
           (is_causal_ ? scores / 2 : scores);
  }

 private:
  TransformerConfig config_;
  bool is_causal_;
  int ids_;
  Block block_;
};

class PositionNode : public Node {
 public:
  explicit PositionNode(const LayerSite& site) {
    output = site.inputs[0];
    weight_.shape = output.shape;
    weight_.init = site.init({nn::InitKind::kNormal, kPositionDeviation});
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return ops::add(in[0], weight_.value);
  }
  void visit(nn::Visitor& visitor) override { visitor("weight", weight_); }

 private:
  nn::Parameter weight_;
};

}  // namespace

std::unique_ptr<Node> make_attention(const LayerSite& site) {
  const LayerConfig& c = site.config;
  site.require_sequence();
  TransformerConfig block;
  block.layout = ModelLayout::kGpt2;
  block.dim = site.inputs[0].shape[1];
  block.context = site.inputs[0].shape[0];
  block.layers = 1;
  block.heads = *c.heads;
  require(block.heads >= 1 && block.dim % block.heads == 0, Code::kShapeMismatch,
          "{}: {} heads do not divide the size of its input {}; {} would", site.where, block.heads,
          site.input_text(), heads_below(block.heads, block.dim));
  require(block.head_dim() <= kMaxHeadDim, Code::kUnsupported,
          "{}: {} heads of size {}, at most {} is available; give {} heads or more", site.where,
          block.heads, block.head_dim(), kMaxHeadDim, (block.dim - 1) / kMaxHeadDim + 1);
  const int64_t ratio = c.mlp_ratio.value_or(4);
  require(ratio >= 1 && ratio <= 64, Code::kInvalidArgument, "{}: mlp_ratio is {}, 1 to 64 can be",
          site.where, ratio);
  block.hidden = ratio * block.dim;
  site.require_size({block.context, block.dim, 4 * block.dim + 2 * block.hidden});
  site.require_size({block.context, block.context, 4, block.dim});
  block.dropout = site.rate("dropout", c.dropout);
  return std::make_unique<AttentionNode>(site, block);
}

std::unique_ptr<Node> make_position(const LayerSite& site) {
  site.require_sequence();
  return std::make_unique<PositionNode>(site);
}

}  // namespace ingot::models
