// SPDX-License-Identifier: Apache-2.0
// What a layer of a recipe is at run time: a module of one or more inputs whose output's shape is
// known when it is made. Families of nodes are in *_nodes.cpp, their list in catalog.cpp. Used by
// network.cpp only.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "models/network/layer_config.h"
#include "nn/module.h"

namespace ingot::models {

/// What flows along an edge of the graph; the batch axis is not in `shape`.
struct Value {
  std::string name;  ///< of the input or layer it comes from
  Shape shape;
  DType dtype = DType::kF32;
  int64_t vocab = 0;  ///< int32 inputs: ids are below it
  int ids = -1;       ///< number of the input whose zeros are this sequence's padding; -1: none
};

/// What a node sees beside its inputs.
struct NodeContext {
  std::span<const Tensor> network_inputs;
  bool is_training = false;
};

class Node : public nn::Module {
 public:
  [[nodiscard]] virtual Tensor forward(std::span<const Tensor> in, const NodeContext& context) = 0;
  void visit(nn::Visitor& /*visitor*/) override {}
  /// Multiply-adds of one example, forward, times two.
  [[nodiscard]] virtual int64_t flops() const { return 0; }

  Value output;
};

/// A layer while it is being made: its entry, its inputs and how messages call it.
struct LayerSite {
  const LayerConfig& config;
  std::span<const Value> inputs;
  std::string where;  ///< `layers.2 (dense "head")`

  /// `"a" [3, 4]` of an input, for messages.
  [[nodiscard]] std::string input_text(size_t i = 0) const;
  /// Throws kShapeMismatch: `<where>: needs <what>, its input "a" has shape [3]`.
  void require_rank(int low, int high, const char* what) const;
  /// Throws kDtypeMismatch unless every input is float32.
  void require_numbers() const;
  [[nodiscard]] nn::Init init(nn::Init otherwise) const;
};

struct LayerRow {
  LayerType type;
  size_t min_inputs, max_inputs;
  const char* keys;      ///< that it takes, separated by spaces
  const char* required;  ///< of them
  std::unique_ptr<Node> (*make)(const LayerSite& site);
};

[[nodiscard]] const LayerRow& layer_row(LayerType type);

// Families.
std::unique_ptr<Node> make_dense(const LayerSite& site);
std::unique_ptr<Node> make_embedding(const LayerSite& site);
std::unique_ptr<Node> make_activation(const LayerSite& site);
std::unique_ptr<Node> make_dropout(const LayerSite& site);
std::unique_ptr<Node> make_reshape(const LayerSite& site);  ///< flatten too
std::unique_ptr<Node> make_norm(const LayerSite& site);     ///< layer_norm, rms_norm
std::unique_ptr<Node> make_global_pool(const LayerSite& site);
std::unique_ptr<Node> make_merge(const LayerSite& site);  ///< add, multiply, concatenate

}  // namespace ingot::models
