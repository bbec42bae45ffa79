// SPDX-License-Identifier: Apache-2.0
// Recurrent layers of a recipe: lstm and gru, in one direction or both. The last state or, with
// return_sequences, the state of every step; both directions side by side. With mask, steps whose
// id is 0 (padding) keep the state, as Keras does with mask_zero.
#include "autograd/ops/shape.h"
#include "models/network/node.h"
#include "nn/recurrent.h"

namespace ingot::models {
namespace {

class RecurrentNode : public Node {
 public:
  RecurrentNode(const LayerSite& site, const nn::RecurrentConfig& config)
      : returns_sequences_(site.config.return_sequences.value_or(false)),
        ids_(site.padding_ids()),
        length_(site.inputs[0].shape[0]),
        first_(config) {
    const bool is_both = site.config.bidirectional.value_or(false);
    if (is_both) {
      nn::RecurrentConfig other = config;
      other.is_reverse = !config.is_reverse;
      second_ = std::make_unique<nn::Recurrent>(other);
    }
    const int64_t width = (is_both ? 2 : 1) * config.units;
    if (!returns_sequences_) {
      output.shape = {width};
      return;
    }
    output.shape = {length_, width};
    output.ids = site.inputs[0].ids;
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& context) override {
    const Tensor ids = ids_ < 0 ? Tensor() : context.network_inputs[static_cast<size_t>(ids_)];
    const auto run = [&](nn::Recurrent& layer) {
      const Tensor y = layer.forward(in[0], ids, context.is_training);
      if (returns_sequences_) return y;
      const int64_t last = layer.config().is_reverse ? 0 : length_ - 1;
      return ops::reshape(ops::slice(y, 1, last, last + 1), {y.dim(0), y.dim(2)});
    };
    const Tensor y = run(first_);
    return second_ == nullptr ? y : ops::concat({y, run(*second_)}, -1);
  }
  void visit(nn::Visitor& visitor) override {
    if (second_ == nullptr) {
      first_.visit(visitor);
      return;
    }
    visitor.child("forward", first_);
    visitor.child("backward", *second_);
  }
  int64_t flops() const override {
    return first_.flops(length_) + (second_ == nullptr ? 0 : second_->flops(length_));
  }

 private:
  bool returns_sequences_;
  int ids_;
  int64_t length_;
  nn::Recurrent first_;
  std::unique_ptr<nn::Recurrent> second_;
};

}  // namespace

std::unique_ptr<Node> make_recurrent(const LayerSite& site) {
  const LayerConfig& c = site.config;
  site.require_sequence();
  require(!c.bidirectional.value_or(false) || !c.reverse.value_or(false), Code::kInvalidArgument,
          "{}: bidirectional=true runs both ways already. Leave reverse out", site.where);
  nn::RecurrentConfig config;
  config.kind =
      c.type == LayerType::kLstm ? kernels::RecurrentKind::kLstm : kernels::RecurrentKind::kGru;
  config.in_features = site.inputs[0].shape[1];
  config.units = site.size("units", *c.units);
  const int64_t gates = kernels::gate_count(config.kind);
  site.require_size(
      {site.inputs[0].shape[0], gates, config.units, config.in_features + config.units});
  config.has_bias = c.bias.value_or(true);
  config.is_reverse = c.reverse.value_or(false);
  config.forget_bias = c.forget_bias.value_or(config.forget_bias);
  config.dropout = site.rate("dropout", c.dropout);
  config.recurrent_dropout = site.rate("recurrent_dropout", c.recurrent_dropout);
  config.init = site.init(config.init);
  return std::make_unique<RecurrentNode>(site, config);
}

}  // namespace ingot::models
