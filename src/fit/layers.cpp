// SPDX-License-Identifier: Apache-2.0
#include "fit/layers.h"

#include <algorithm>
#include <map>
#include <set>

namespace ingot {
namespace {

using models::LayerType;

Layer layer(LayerType type, const Keys& keys = {}) {
  Layer made{keys};
  made.config.type = type;
  return made;
}

Layer holder(LayerType type, const std::vector<Layer>& layers, const Keys& keys) {
  Layer made = layer(type, keys);
  made.config.layers.emplace();
  for (const Layer& inner : layers) made.config.layers->push_back(inner.config);
  return made;
}

/// Walks from the output to the inputs and lists layers on the way back.
class Lister {
 public:
  explicit Lister(const std::vector<Flow>& inputs) {
    for (const Flow& in : inputs) {
      require(in.node().input.has_value(), Code::kInvalidArgument,
              "model: a layer ({}) stands among the inputs. Inputs come from input() or "
              "input_ids()",
              enum_name(in.node().config.type));
      list_.inputs.push_back(*in.node().input);
      names_[&in.node()] = in.node().input->name;
      taken_.insert(in.node().input->name);
    }
  }

  /// Takes the names that layers were given, wherever they stand.
  void reserve(const Flow& flow) {
    const FlowNode& node = flow.node();
    if (!seen_.insert(&node).second) return;
    if (!node.config.name.empty()) taken_.insert(node.config.name);
    for (const Flow& in : node.from) reserve(in);
  }

  const std::string& visit(const Flow& flow) {
    const FlowNode& node = flow.node();
    const auto found = names_.find(&node);
    if (found != names_.end()) return found->second;
    require(!node.input.has_value(), Code::kInvalidArgument,
            "model: the output depends on the input \"{}\", which is not among the inputs",
            node.input ? node.input->name : "");
    models::LayerConfig config = node.config;
    config.inputs.clear();
    for (const Flow& in : node.from) config.inputs.push_back(visit(in));
    if (config.name.empty()) {
      config.name = models::free_name(
          config.type, [&](const std::string& name) { return taken_.count(name) > 0; });
      taken_.insert(config.name);
    }
    list_.layers.push_back(config);
    return names_[&node] = config.name;
  }

  [[nodiscard]] LayerList take() { return std::move(list_); }

 private:
  LayerList list_;
  std::map<const FlowNode*, std::string> names_;
  std::set<const FlowNode*> seen_;
  std::set<std::string> taken_;
};

}  // namespace

Flow Layer::operator()(const Flow& in) const { return (*this)(std::vector<Flow>{in}); }

Flow Layer::operator()(const std::vector<Flow>& in) const {
  return Flow(std::make_shared<const FlowNode>(FlowNode{std::nullopt, config, in}));
}

Flow input(models::Value value) {
  FlowNode node;
  node.input = std::move(value);
  return Flow(std::make_shared<const FlowNode>(std::move(node)));
}

Flow input(const std::string& name, const Shape& shape) {
  models::Value value;
  value.name = name;
  value.shape = shape;
  return input(std::move(value));
}

Flow input_ids(const std::string& name, int64_t length, int64_t vocab) {
  models::Value value;
  value.name = name;
  value.shape = {length};
  value.dtype = DType::kI32;
  value.vocab = vocab;
  return input(std::move(value));
}

Layer dense(int64_t units, Activation activation, const Keys& keys) {
  Layer made = layer(LayerType::kDense, keys);
  made.config.units = units;
  if (activation != Activation::kNone) made.config.activation = activation;
  return made;
}

Layer embedding(int64_t size, const Keys& keys) {
  Layer made = layer(LayerType::kEmbedding, keys);
  made.config.size = size;
  return made;
}

Layer activation(Activation function) {
  Layer made = layer(LayerType::kActivation);
  made.config.activation = function;
  return made;
}

Layer scale(double factor) {
  Layer made = layer(LayerType::kScale);
  made.config.factor = factor;
  return made;
}

Layer dropout(float rate, const Keys& keys) {
  Layer made = layer(LayerType::kDropout, keys);
  made.config.rate = rate;
  return made;
}

Layer flatten() { return layer(LayerType::kFlatten); }

Layer reshape(const std::vector<int64_t>& shape) {
  Layer made = layer(LayerType::kReshape);
  made.config.shape = shape;
  return made;
}

Layer layer_norm(const Keys& keys) { return layer(LayerType::kLayerNorm, keys); }
Layer rms_norm(const Keys& keys) { return layer(LayerType::kRmsNorm, keys); }
Layer batch_norm(const Keys& keys) { return layer(LayerType::kBatchNorm, keys); }

Layer conv2d(int64_t filters, const std::vector<int64_t>& kernel, const Keys& keys) {
  Layer made = layer(LayerType::kConv2d, keys);
  made.config.filters = filters;
  made.config.kernel = kernel;
  return made;
}

Layer conv2d_transpose(int64_t filters, const std::vector<int64_t>& kernel, const Keys& keys) {
  Layer made = conv2d(filters, kernel, keys);
  made.config.type = LayerType::kConv2dTranspose;
  return made;
}

Layer max_pool2d(const Keys& keys) { return layer(LayerType::kMaxPool2d, keys); }
Layer average_pool2d(const Keys& keys) { return layer(LayerType::kAveragePool2d, keys); }

Layer adaptive_max_pool2d(const std::vector<int64_t>& output) {
  Layer made = layer(LayerType::kAdaptiveMaxPool2d);
  made.config.output = output;
  return made;
}

Layer adaptive_average_pool2d(const std::vector<int64_t>& output) {
  Layer made = layer(LayerType::kAdaptiveAveragePool2d);
  made.config.output = output;
  return made;
}

Layer pad2d(const std::vector<std::string>& padding, const Keys& keys) {
  Layer made = layer(LayerType::kPad2d, keys);
  made.config.padding = padding;
  return made;
}

Layer upsample2d(const Keys& keys) { return layer(LayerType::kUpsample2d, keys); }

Layer global_average_pool(bool mask) {
  Layer made = layer(LayerType::kGlobalAveragePool);
  if (mask) made.config.mask = true;
  return made;
}

Layer global_max_pool() { return layer(LayerType::kGlobalMaxPool); }

Layer lstm(int64_t units, const Keys& keys) {
  Layer made = layer(LayerType::kLstm, keys);
  made.config.units = units;
  return made;
}

Layer gru(int64_t units, const Keys& keys) {
  Layer made = layer(LayerType::kGru, keys);
  made.config.units = units;
  return made;
}

Layer attention(int64_t heads, const Keys& keys) {
  Layer made = layer(LayerType::kAttention, keys);
  made.config.heads = heads;
  return made;
}

Layer position_embedding(const Keys& keys) { return layer(LayerType::kPositionEmbedding, keys); }

Layer block(const std::vector<Layer>& layers, const Keys& keys) {
  return holder(LayerType::kBlock, layers, keys);
}

Layer residual(const std::vector<Layer>& layers, const Keys& keys) {
  return holder(LayerType::kResidual, layers, keys);
}

Layer add(const Keys& keys) { return layer(LayerType::kAdd, keys); }
Layer multiply(const Keys& keys) { return layer(LayerType::kMultiply, keys); }
Layer concatenate() { return layer(LayerType::kConcatenate); }

std::vector<std::string> same() { return {"same"}; }
std::vector<std::string> pixels(int64_t count) { return {std::to_string(count)}; }

LayerList list_layers(const std::vector<Flow>& inputs, const Flow& output) {
  require(!output.node().input.has_value(), Code::kInvalidArgument,
          "model: the output is the input \"{}\" itself; put a layer between them",
          output.node().input ? output.node().input->name : "");
  Lister lister(inputs);
  lister.reserve(output);
  (void)lister.visit(output);
  return lister.take();
}

}  // namespace ingot
