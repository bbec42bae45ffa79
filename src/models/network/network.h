// SPDX-License-Identifier: Apache-2.0
// A model that a recipe lists layer by layer: a graph without loops, in the order of the list, with
// named inputs (features) and the last layer as its output. Shapes are checked when it is made.
// Weights are named LAYER.weight, LAYER.bias. Used by train/supervised and cli.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/network/node.h"

namespace ingot::models {

class Network : public nn::Module {
 public:
  /// inputs: the features; shape per example, dtype float32 or int32 (ids below vocab).
  /// Throws kInvalidArgument (unknown input, name given twice, key that the layer does not take, an
  /// input that no layer reads), kShapeMismatch and kDtypeMismatch naming both layers and shapes.
  Network(const std::vector<LayerConfig>& layers, const std::vector<Value>& inputs);

  /// One tensor [batch, …] per input, in order → the last layer's output.
  [[nodiscard]] Tensor forward(std::span<const Tensor> inputs, bool is_training);
  void visit(nn::Visitor& visitor) override;

  [[nodiscard]] const std::vector<Value>& inputs() const { return inputs_; }
  [[nodiscard]] const Value& output() const { return places_.back().node->output; }

  /// A line per layer, for `plan --graph`.
  struct Line {
    std::string name, type, inputs, shape;
    int64_t parameters = 0;
    int64_t flops = 0;  ///< of one example, forward
  };
  [[nodiscard]] std::vector<Line> lines();
  /// The graph as Mermaid.
  [[nodiscard]] std::string mermaid() const;

 private:
  struct Place {
    std::string name, type;
    std::vector<int> from;  // inputs first, then layers
    std::unique_ptr<Node> node;
  };
  void add(const LayerConfig& config, size_t index);
  [[nodiscard]] std::vector<int> sources(const LayerConfig& config, const std::string& where) const;
  [[nodiscard]] std::string free_name(const LayerConfig& config) const;
  [[nodiscard]] const Value& value(int number) const;
  [[nodiscard]] int find(const std::string& name) const;
  void require_all_used() const;

  std::vector<Value> inputs_;
  std::vector<Place> places_;
};

}  // namespace ingot::models
