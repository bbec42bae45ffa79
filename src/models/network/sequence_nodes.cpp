// SPDX-License-Identifier: Apache-2.0
// Layers of token sequences and grids: embedding and pooling over all positions. A pool with mask
// leaves out the positions whose id is 0 (padding), as Keras does with mask_zero; without, padding
// counts like any token.
#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape.h"
#include "models/network/node.h"
#include "nn/embedding.h"

namespace ingot::models {
namespace {

constexpr float kEmbeddingBound = 0.05F;  // Keras
constexpr int64_t kSparseFrom = 1 << 15;  // table elements from which a dense gradient costs more

class EmbeddingNode : public Node {
 public:
  EmbeddingNode(const LayerSite& site, int64_t vocab, int64_t size)
      : table_(vocab, size, site.init({nn::InitKind::kUniform, kEmbeddingBound}),
               vocab * size >= kSparseFrom) {
    output.shape = site.inputs[0].shape;
    output.shape.push(size);
    output.ids = site.inputs[0].ids;
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return table_.forward(in[0]);
  }
  void visit(nn::Visitor& visitor) override { table_.visit(visitor); }

 private:
  nn::Embedding table_;
};

/// 1 where a token stands, 0 at padding: float32 [batch, seq, 1]. Ids are whole numbers, so
/// clamping them to [0, 1] tells padding from tokens.
Tensor token_mask(const Tensor& ids) {
  const Tensor ones = ops::clamp(ops::cast(ids, DType::kF32), 0.0F, 1.0F);
  return ops::reshape(ones, {ids.dim(0), ids.dim(1), 1});
}

class GlobalPoolNode : public Node {
 public:
  explicit GlobalPoolNode(const LayerSite& site)
      : is_max_(site.config.type == LayerType::kGlobalMaxPool), ids_(site.padding_ids()) {
    const Shape& in = site.inputs[0].shape;
    output.shape = {in[in.rank() - 1]};
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& context) override {
    const Tensor& x = in[0];
    if (ids_ >= 0)
      return masked_mean(x, token_mask(context.network_inputs[static_cast<size_t>(ids_)]));
    if (x.rank() == 3) return is_max_ ? ops::max(x, {1}) : ops::mean(x, {1});
    return is_max_ ? ops::max(x, {1, 2}) : ops::mean(x, {1, 2});
  }

 private:
  /// Mean over the tokens; a text of padding alone gives zeros.
  static Tensor masked_mean(const Tensor& x, const Tensor& mask) {
    const Tensor count = ops::clamp(ops::sum(mask, {1}), 1.0F, static_cast<float>(x.dim(1)));
    return ops::div(ops::sum(ops::mul(x, mask), {1}), count);
  }

  bool is_max_;
  int ids_;
};

}  // namespace

std::unique_ptr<Node> make_embedding(const LayerSite& site) {
  const Value& in = site.inputs[0];
  require(
      in.dtype == DType::kI32, Code::kDtypeMismatch,
      "{}: needs token ids, its input {} holds numbers. Leave the layer out: numbers need none, "
      "or name a feature of text in its inputs",
      site.where, site.input_text());
  site.require_rank(1, kMaxRank - 2, "a sequence of ids");
  const int64_t vocab = site.config.vocab.value_or(in.vocab);
  require(vocab >= in.vocab && vocab >= 1, Code::kInvalidArgument,
          "{}: vocab is {}, but the ids of \"{}\" are below {}. Leave vocab out", site.where, vocab,
          in.name, in.vocab);
  const int64_t size = site.size("size", *site.config.size);
  site.require_size({site.size("vocab", vocab), size});
  return std::make_unique<EmbeddingNode>(site, vocab, size);
}

std::unique_ptr<Node> make_global_pool(const LayerSite& site) {
  site.require_numbers();
  site.require_rank(2, 3, "a sequence [length, size] or a picture [height, width, channels]");
  return std::make_unique<GlobalPoolNode>(site);
}

}  // namespace ingot::models
