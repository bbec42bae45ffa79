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

/// Further keys of a layer as in a recipe, in the order of models::LayerConfig:
///   conv2d(32, {3}, {.stride = {{2}}, .padding = same(), .activation = Activation::kRelu})
/// Also its name and whether and how fast its weights train. Keys that a layer does not take are
/// refused when the model is made.
using Keys = models::LayerConfig;

// Every layer of a recipe (docs/layers.md), under the same name.
[[nodiscard]] Layer dense(int64_t units, Activation activation = Activation::kNone,
                          const Keys& keys = {});
[[nodiscard]] Layer embedding(int64_t size, const Keys& keys = {});
[[nodiscard]] Layer activation(Activation function);
[[nodiscard]] Layer scale(double factor);
[[nodiscard]] Layer dropout(float rate, const Keys& keys = {});
[[nodiscard]] Layer flatten();
[[nodiscard]] Layer reshape(const std::vector<int64_t>& shape);
[[nodiscard]] Layer layer_norm(const Keys& keys = {});
[[nodiscard]] Layer rms_norm(const Keys& keys = {});
[[nodiscard]] Layer batch_norm(const Keys& keys = {});
// Of pictures [height, width, channels]. Sizes are {both} or {height, width}.
[[nodiscard]] Layer conv2d(int64_t filters, const std::vector<int64_t>& kernel,
                           const Keys& keys = {});
[[nodiscard]] Layer conv2d_transpose(int64_t filters, const std::vector<int64_t>& kernel,
                                     const Keys& keys = {});
[[nodiscard]] Layer max_pool2d(const Keys& keys = {});
[[nodiscard]] Layer average_pool2d(const Keys& keys = {});
[[nodiscard]] Layer adaptive_max_pool2d(const std::vector<int64_t>& output);
[[nodiscard]] Layer adaptive_average_pool2d(const std::vector<int64_t>& output);
[[nodiscard]] Layer pad2d(const std::vector<std::string>& padding, const Keys& keys = {});
[[nodiscard]] Layer upsample2d(const Keys& keys);            ///< factor or output
[[nodiscard]] Layer global_average_pool(bool mask = false);  ///< mask: without the padding
[[nodiscard]] Layer global_max_pool();
// Of sequences [length, size].
[[nodiscard]] Layer lstm(int64_t units, const Keys& keys = {});
[[nodiscard]] Layer gru(int64_t units, const Keys& keys = {});
[[nodiscard]] Layer attention(int64_t heads, const Keys& keys = {});
[[nodiscard]] Layer position_embedding(const Keys& keys = {});
// Of layers, one after the other; residual adds what came in.
[[nodiscard]] Layer block(const std::vector<Layer>& layers, const Keys& keys = {});
[[nodiscard]] Layer residual(const std::vector<Layer>& layers, const Keys& keys = {});
// Of several flows.
[[nodiscard]] Layer add(const Keys& keys = {});
[[nodiscard]] Layer multiply(const Keys& keys = {});
[[nodiscard]] Layer concatenate();

/// Padding of a window: as many pixels come out as go in, or 1 / stride of them.
[[nodiscard]] std::vector<std::string> same();
/// Padding: so many pixels on every side.
[[nodiscard]] std::vector<std::string> pixels(int64_t count);

/// Inputs and layers as models::Network takes them.
struct LayerList {
  std::vector<models::Value> inputs;
  std::vector<models::LayerConfig> layers;
};

/// Every layer that `output` depends on, each after those it reads; layers without a name get one.
/// Throws kInvalidArgument when `output` is an input or depends on one that is not in `inputs`.
[[nodiscard]] LayerList list_layers(const std::vector<Flow>& inputs, const Flow& output);

}  // namespace ingot
