// SPDX-License-Identifier: Apache-2.0
// Networks drawn in C++: layers as values, listed one after the other (Sequential) or called on
// what flows between them (Model):
//   const Flow x = input("table", {10});
//   const Flow h = dense(64, Activation::kRelu)(x);
// A layer is an entry of a recipe's `layers:` (models/network/layer_config.h) and nothing more, so
// whatever is drawn here can be written in a recipe, planned, saved and served. Shapes are checked
// when the model is made (models/network/network.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/network/network.h"

namespace ingot {

using Activation = models::ActivationName;

struct FlowNode;

/// What comes out of an input or a layer. Copies are the same flow.
class Flow {
 public:
  explicit Flow(std::shared_ptr<const FlowNode> node) : node_(std::move(node)) {}
  [[nodiscard]] const FlowNode& node() const { return *node_; }
  friend bool operator==(const Flow&, const Flow&) = default;

 private:
  std::shared_ptr<const FlowNode> node_;
};

/// A layer that has no place yet. Called twice it gives two layers with weights of their own.
struct Layer {
  models::LayerConfig config;
  [[nodiscard]] Flow operator()(const Flow& in) const;
  [[nodiscard]] Flow operator()(const std::vector<Flow>& in) const;
};

struct FlowNode {
  std::optional<models::Value> input;  ///< set: an input, and no layer
  models::LayerConfig config;
  std::vector<Flow> from;
};

[[nodiscard]] Flow input(models::Value value);
/// Numbers, float32; shape of one example, such as {10}.
[[nodiscard]] Flow input(const std::string& name, const Shape& shape);
/// `length` ids per example, all below `vocab`, 0 for padding: for an embedding.
[[nodiscard]] Flow input_ids(const std::string& name, int64_t length, int64_t vocab);

// The layers of a recipe by name. Options that are not here: Layer{config}.
[[nodiscard]] Layer dense(int64_t units, Activation activation = Activation::kNone);
[[nodiscard]] Layer embedding(int64_t size);
[[nodiscard]] Layer activation(Activation function);
[[nodiscard]] Layer dropout(float rate);
[[nodiscard]] Layer flatten();
[[nodiscard]] Layer reshape(const std::vector<int64_t>& shape);
[[nodiscard]] Layer layer_norm();
[[nodiscard]] Layer rms_norm();
[[nodiscard]] Layer global_average_pool(bool mask = false);  ///< mask: without the padding
[[nodiscard]] Layer global_max_pool();
[[nodiscard]] Layer add();
[[nodiscard]] Layer multiply();
[[nodiscard]] Layer concatenate();

/// Inputs and layers as models::Network takes them.
struct LayerList {
  std::vector<models::Value> inputs;
  std::vector<models::LayerConfig> layers;
};

/// Every layer that `output` depends on, each after those it reads; layers without a name get one.
/// Throws kInvalidArgument when `output` is an input or depends on one that is not in `inputs`.
[[nodiscard]] LayerList list_layers(const std::vector<Flow>& inputs, const Flow& output);

}  // namespace ingot
