// SPDX-License-Identifier: Apache-2.0
// A model that a recipe lists layer by layer: a graph without loops, in the order of the list, with
// named inputs (features) and the last layer as its output. Shapes are checked when it is made.
// Weights are named LAYER.weight, LAYER.bias. A block inside it is a network too. Used by
// train/supervised and cli.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/network/node.h"

namespace ingot::models {

/// The name of a layer that was given none: its type, or the type and the first number that is
/// free.
[[nodiscard]] std::string free_name(LayerType type,
                                    const std::function<bool(const std::string&)>& is_taken);

class Network : public nn::Module {
 public:
  /// inputs: the features; shape per example, dtype float32 or int32 (ids below vocab).
  /// Throws kInvalidArgument (unknown input, name given twice, key that the layer does not take, an
  /// input that no layer reads, sizes that no memory holds, more than 4096 layers), kShapeMismatch
  /// and kDtypeMismatch naming both layers and shapes.
  /// `where` stands before messages about layers inside a block.
  Network(const std::vector<LayerConfig>& layers, const std::vector<Value>& inputs,
          const std::string& where = "");

  /// One tensor [batch, …] per input, in order → the last layer's output.
  [[nodiscard]] Tensor forward(std::span<const Tensor> inputs, bool is_training) {
    return forward(inputs, {inputs, is_training});
  }
  /// The same inside a block, whose network has the inputs of `context`.
  [[nodiscard]] Tensor forward(std::span<const Tensor> inputs, const NodeContext& context);
  void visit(nn::Visitor& visitor) override;

  /// First values that come from training examples (init: whiten): one tensor [batch, …] per input.
  /// Before the weights get memory (nn/parameter_store.h).
  void start_from(std::span<const Tensor> inputs);
  /// True when start_from has something to do.
  [[nodiscard]] bool starts_from_examples() const { return starts_from_examples_; }

  [[nodiscard]] const std::vector<Value>& inputs() const { return inputs_; }
  [[nodiscard]] const Value& output() const { return places_.back().node->output; }

  /// Every layer, those inside a layer behind it, as prefix + name ("stage.0.conv2d"), with its
  /// first input and its output.
  void each_layer(const std::string& prefix,
                  const std::function<void(const std::string& name, const Value& in,
                                           const Value& out)>& take) const;

  /// A line per input and layer, for `plan`; what is in a block follows it.
  [[nodiscard]] std::vector<LayerLine> lines();
  /// The same of a list that the constructor refuses, up to the first layer that it refuses.
  [[nodiscard]] static std::vector<LayerLine> lines_before_error(
      const std::vector<LayerConfig>& layers, const std::vector<Value>& inputs);
  /// The layers' lines alone, as prefix + name.
  void list(const std::string& prefix, std::vector<LayerLine>& lines);
  /// Multiply-adds of one example, forward, times two.
  [[nodiscard]] int64_t flops() const;
  /// Those inside layers too.
  [[nodiscard]] int64_t layer_count() const { return layer_count_; }
  /// The graph as Mermaid.
  [[nodiscard]] std::string mermaid() const;

 private:
  struct Place {
    std::string name, type;
    std::vector<int> from;  // inputs first, then layers
    std::unique_ptr<Node> node;
  };
  Network() = default;
  void read(const std::vector<Value>& inputs);
  void add(const std::vector<LayerConfig>& layers, size_t index);
  void require_name(const std::string& name, const std::string& where) const;
  [[nodiscard]] std::vector<int> sources(const std::vector<LayerConfig>& layers, size_t index,
                                         const std::string& where) const;
  [[nodiscard]] const Value& value(int number) const;
  [[nodiscard]] int find(const std::string& name) const;
  void require_all_used() const;

  std::string where_;
  bool starts_from_examples_ = false;
  int64_t layer_count_ = 0;
  std::map<std::string, int, std::less<>> numbers_;  // of inputs, then layers, by name
  std::vector<Value> inputs_;
  std::vector<Place> places_;
};

}  // namespace ingot::models
