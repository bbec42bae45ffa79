// SPDX-License-Identifier: Apache-2.0
#include "fit/layers.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace ingot {
namespace {

using models::LayerType;

Layer layer(LayerType type) {
  Layer made;
  made.config.type = type;
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
    if (config.name.empty()) config.name = free_name(std::string(enum_name(config.type)));
    taken_.insert(config.name);
    list_.layers.push_back(config);
    return names_[&node] = config.name;
  }

  [[nodiscard]] LayerList take() { return std::move(list_); }

 private:
  [[nodiscard]] std::string free_name(const std::string& type) const {
    std::string name = type;
    for (int i = 1; taken_.count(name) > 0; ++i) name = fmt::format("{}_{}", type, i);
    return name;
  }

  LayerList list_;
  std::map<const FlowNode*, std::string> names_;
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

Layer dense(int64_t units, Activation activation) {
  Layer made = layer(LayerType::kDense);
  made.config.units = units;
  if (activation != Activation::kNone) made.config.activation = activation;
  return made;
}

Layer embedding(int64_t size) {
  Layer made = layer(LayerType::kEmbedding);
  made.config.size = size;
  return made;
}

Layer activation(Activation function) {
  Layer made = layer(LayerType::kActivation);
  made.config.activation = function;
  return made;
}

Layer dropout(float rate) {
  Layer made = layer(LayerType::kDropout);
  made.config.rate = rate;
  return made;
}

Layer flatten() { return layer(LayerType::kFlatten); }

Layer reshape(const std::vector<int64_t>& shape) {
  Layer made = layer(LayerType::kReshape);
  made.config.shape = shape;
  return made;
}

Layer layer_norm() { return layer(LayerType::kLayerNorm); }
Layer rms_norm() { return layer(LayerType::kRmsNorm); }

Layer global_average_pool(bool mask) {
  Layer made = layer(LayerType::kGlobalAveragePool);
  if (mask) made.config.mask = true;
  return made;
}

Layer global_max_pool() { return layer(LayerType::kGlobalMaxPool); }
Layer add() { return layer(LayerType::kAdd); }
Layer multiply() { return layer(LayerType::kMultiply); }
Layer concatenate() { return layer(LayerType::kConcatenate); }

LayerList list_layers(const std::vector<Flow>& inputs, const Flow& output) {
  require(!output.node().input.has_value(), Code::kInvalidArgument,
          "model: the output is the input \"{}\" itself; put a layer between them",
          output.node().input ? output.node().input->name : "");
  Lister lister(inputs);
  (void)lister.visit(output);
  return lister.take();
}

}  // namespace ingot
