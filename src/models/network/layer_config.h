// SPDX-License-Identifier: Apache-2.0
// One entry of a recipe's `layers:` list. Every key but type, name and inputs is optional, so that
// a key which the layer does not take is known to have been given, and refused (catalog.cpp says
// which layer takes what). Shapes are per example, without the batch axis.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/config_fields.h"
#include "nn/init.h"

namespace ingot::models {

enum class LayerType : uint8_t {
  kDense,
  kEmbedding,
  kActivation,
  kDropout,
  kFlatten,
  kReshape,
  kLayerNorm,
  kRmsNorm,
  kGlobalAveragePool,
  kGlobalMaxPool,
  kAdd,
  kMultiply,
  kConcatenate,
};
inline constexpr EnumName kLayerTypeNames[] = {
    {"dense", LayerType::kDense},
    {"embedding", LayerType::kEmbedding},
    {"activation", LayerType::kActivation},
    {"dropout", LayerType::kDropout},
    {"flatten", LayerType::kFlatten},
    {"reshape", LayerType::kReshape},
    {"layer_norm", LayerType::kLayerNorm},
    {"rms_norm", LayerType::kRmsNorm},
    {"global_average_pool", LayerType::kGlobalAveragePool},
    {"global_max_pool", LayerType::kGlobalMaxPool},
    {"add", LayerType::kAdd},
    {"multiply", LayerType::kMultiply},
    {"concatenate", LayerType::kConcatenate},
};
constexpr std::span<const EnumName> enum_names(LayerType /*tag*/) { return kLayerTypeNames; }

enum class ActivationName : uint8_t {
  kNone,
  kRelu,
  kGelu,
  kGeluTanh,
  kSilu,
  kTanh,
  kSigmoid,
  kLeakyRelu,
  kSoftmax,
};
inline constexpr EnumName kActivationNames[] = {
    {"none", ActivationName::kNone},       {"relu", ActivationName::kRelu},
    {"gelu", ActivationName::kGelu},       {"gelu_tanh", ActivationName::kGeluTanh},
    {"silu", ActivationName::kSilu},       {"tanh", ActivationName::kTanh},
    {"sigmoid", ActivationName::kSigmoid}, {"leaky_relu", ActivationName::kLeakyRelu},
    {"softmax", ActivationName::kSoftmax},
};
constexpr std::span<const EnumName> enum_names(ActivationName /*tag*/) { return kActivationNames; }

enum class InitName : uint8_t {
  kZeros,
  kNormal,
  kTruncatedNormal,
  kUniform,
  kGlorotUniform,
  kGlorotNormal,
  kHeUniform,
  kHeNormal,
  kOrthogonal,
};
inline constexpr EnumName kInitNames[] = {
    {"zeros", InitName::kZeros},
    {"normal", InitName::kNormal},
    {"truncated_normal", InitName::kTruncatedNormal},
    {"uniform", InitName::kUniform},
    {"glorot_uniform", InitName::kGlorotUniform},
    {"glorot_normal", InitName::kGlorotNormal},
    {"he_uniform", InitName::kHeUniform},
    {"he_normal", InitName::kHeNormal},
    {"orthogonal", InitName::kOrthogonal},
};
constexpr std::span<const EnumName> enum_names(InitName /*tag*/) { return kInitNames; }

struct LayerConfig {
  LayerType type = LayerType::kDense;
  std::string name;
  std::vector<std::string> inputs;
  std::optional<int64_t> units;
  std::optional<int64_t> size;
  std::optional<int64_t> vocab;
  std::optional<ActivationName> activation;
  std::optional<bool> bias;
  std::optional<float> rate;
  std::optional<float> eps;
  std::optional<bool> mask;
  std::optional<std::vector<int64_t>> shape;
  std::optional<InitName> init;
  std::optional<float> init_scale;

  void visit(auto& field) {
    field("type", type, "kind of layer");
    field("name", name, "for other layers' inputs and for weights; empty: the type and a number");
    field("inputs", inputs, "names of inputs or layers; empty: the layer before");
    field("units", units, "dense: outputs");
    field("size", size, "embedding: numbers per token");
    field("vocab", vocab, "embedding: rows of the table; default: what the input has");
    field("activation", activation, "dense, activation: function of the result");
    field("bias", bias, "dense, layer_norm: with a bias (true)");
    field("rate", rate, "dropout: share that is dropped, in [0, 1)");
    field("eps", eps, "norms: added to the variance");
    field("mask", mask, "pools over a sequence: leave padding out (false)");
    field("shape", shape, "reshape: axes of one example, one may be -1");
    field("init", init, "first values of the weights");
    field("init_scale", init_scale, "standard deviation, bound or factor of init");
  }
};

}  // namespace ingot::models
