// SPDX-License-Identifier: Apache-2.0
// What a layer of a recipe is at run time: a module of one or more inputs whose output's shape is
// known when it is made. Families of nodes are in *_nodes.cpp, their list in catalog.cpp. Used by
// network.cpp and by cli, which prints the list.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
  Shape flattened{};  ///< [height, width, channels] that flatten laid out in a row; rank 0: none
  /// Its numbers stand in an order that has no like in programs with channels before pixels.
  bool is_unordered = false;
};

/// What a node sees beside its inputs.
struct NodeContext {
  std::span<const Tensor> network_inputs;
  bool is_training = false;
};

/// What `plan` says of a layer.
struct LayerLine {
  std::string name, type;
  std::vector<std::string> inputs;
  std::string shape;
  int64_t parameters = 0;
  int64_t flops = 0;  ///< of one example, forward
};

class Network;
using InnerNetwork = std::function<void(const std::string& prefix, Network& network)>;

class Node : public nn::Module {
 public:
  [[nodiscard]] virtual Tensor forward(std::span<const Tensor> in, const NodeContext& context) = 0;
  void visit(nn::Visitor& /*visitor*/) override {}
  /// Multiply-adds of one example, forward, times two; norms, pools and activations count none.
  [[nodiscard]] virtual int64_t flops() const { return 0; }
  /// The networks inside, where there are some, and what stands before their layers' names.
  virtual void each_inner(const InnerNetwork& /*take*/) {}
  /// First values from training examples, where init says so; `x` [batch, …] is the layer's input.
  virtual void start_from(const Tensor& /*x*/) {}

  Value output;
};

/// A layer while it is being made: its entry, its inputs and how messages call it.
struct LayerSite {
  const LayerConfig& config;
  std::span<const Value> inputs;
  std::string where;  ///< `layers.2 (dense "head")`

  /// `"a" [3, 4]` of an input, for messages.
  [[nodiscard]] std::string input_text(size_t i = 0) const;
  /// Throws kShapeMismatch: `<where>: needs <what>, its input "a" [3] does not fit. <cure>`.
  void require_rank(int low, int high, const char* what,
                    const char* cure = "A reshape layer gives it other axes") const;
  /// Throws kDtypeMismatch unless every input is float32.
  void require_numbers() const;
  /// require_numbers, and one sequence [length, size] for an input.
  void require_sequence() const;
  /// With mask: number of the input whose zeros are padding, else -1. Throws kInvalidArgument when
  /// there is no such input.
  [[nodiscard]] int padding_ids() const;
  /// A share that is dropped, 0 unless given. Throws kInvalidArgument outside [0, 1).
  [[nodiscard]] float rate(const char* key, const std::optional<float>& given) const;
  [[nodiscard]] nn::Init init(nn::Init otherwise) const;
  /// A key that is a size: at least 1. Throws kInvalidArgument beyond 2^31 - 1.
  [[nodiscard]] int64_t size(const char* key, int64_t value) const;
  /// Throws kInvalidArgument when the product is beyond 2^48: of the axes of what comes out, or of
  /// the weights' and the positions where they are used.
  void require_size(const std::vector<int64_t>& factors) const;
  /// Throws kInvalidArgument when there are more than 4096 layers, those inside layers counted.
  void require_layers(int64_t count) const;
};

/// Keys of every layer that has weights.
inline constexpr const char* kWeightKeys = "trainable lr_scale";

struct LayerRow {
  LayerType type;
  size_t min_inputs, max_inputs;
  const char* keys;      ///< that it takes, separated by spaces
  const char* required;  ///< of them
  std::unique_ptr<Node> (*make)(const LayerSite& site);
};

[[nodiscard]] std::span<const LayerRow> layer_rows();
[[nodiscard]] const LayerRow& layer_row(LayerType type);

// Families.
std::unique_ptr<Node> make_dense(const LayerSite& site);
std::unique_ptr<Node> make_embedding(const LayerSite& site);
std::unique_ptr<Node> make_activation(const LayerSite& site);
std::unique_ptr<Node> make_dropout(const LayerSite& site);
std::unique_ptr<Node> make_reshape(const LayerSite& site);  ///< flatten too
std::unique_ptr<Node> make_scale(const LayerSite& site);
std::unique_ptr<Node> make_norm(const LayerSite& site);  ///< layer_norm, rms_norm
std::unique_ptr<Node> make_batch_norm(const LayerSite& site);
std::unique_ptr<Node> make_conv(const LayerSite& site);
std::unique_ptr<Node> make_conv_transpose(const LayerSite& site);
std::unique_ptr<Node> make_pool(const LayerSite& site);           ///< max_pool2d, average_pool2d
std::unique_ptr<Node> make_adaptive_pool(const LayerSite& site);  ///< of either kind
std::unique_ptr<Node> make_pad(const LayerSite& site);
std::unique_ptr<Node> make_upsample(const LayerSite& site);
std::unique_ptr<Node> make_global_pool(const LayerSite& site);
std::unique_ptr<Node> make_block(const LayerSite& site);      ///< block, residual
std::unique_ptr<Node> make_recurrent(const LayerSite& site);  ///< lstm, gru
std::unique_ptr<Node> make_attention(const LayerSite& site);
std::unique_ptr<Node> make_position(const LayerSite& site);
std::unique_ptr<Node> make_merge(const LayerSite& site);  ///< add, multiply, concatenate

}  // namespace ingot::models
