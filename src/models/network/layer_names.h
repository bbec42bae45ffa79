// SPDX-License-Identifier: Apache-2.0
// The words of a recipe's `layers:` list: kinds of layer, activations and what else is chosen by
// name. layer_config.h has the keys.
#pragma once

#include <cstdint>

#include "base/config_fields.h"

namespace ingot::models {

enum class LayerType : uint8_t {
  kDense,
  kEmbedding,
  kActivation,
  kScale,
  kDropout,
  kFlatten,
  kReshape,
  kLayerNorm,
  kRmsNorm,
  kBatchNorm,
  kConv2d,
  kConv2dTranspose,
  kMaxPool2d,
  kAveragePool2d,
  kAdaptiveMaxPool2d,
  kAdaptiveAveragePool2d,
  kPad2d,
  kUpsample2d,
  kGlobalAveragePool,
  kGlobalMaxPool,
  kLstm,
  kGru,
  kAttention,
  kPositionEmbedding,
  kBlock,
  kResidual,
  kAdd,
  kMultiply,
  kConcatenate,
};
inline constexpr EnumName kLayerTypeNames[] = {
    {"dense", LayerType::kDense},
    {"embedding", LayerType::kEmbedding},
    {"activation", LayerType::kActivation},
    {"scale", LayerType::kScale},
    {"dropout", LayerType::kDropout},
    {"flatten", LayerType::kFlatten},
    {"reshape", LayerType::kReshape},
    {"layer_norm", LayerType::kLayerNorm},
    {"rms_norm", LayerType::kRmsNorm},
    {"batch_norm", LayerType::kBatchNorm},
    {"conv2d", LayerType::kConv2d},
    {"conv2d_transpose", LayerType::kConv2dTranspose},
    {"max_pool2d", LayerType::kMaxPool2d},
    {"average_pool2d", LayerType::kAveragePool2d},
    {"adaptive_max_pool2d", LayerType::kAdaptiveMaxPool2d},
    {"adaptive_average_pool2d", LayerType::kAdaptiveAveragePool2d},
    {"pad2d", LayerType::kPad2d},
    {"upsample2d", LayerType::kUpsample2d},
    {"global_average_pool", LayerType::kGlobalAveragePool},
    {"global_max_pool", LayerType::kGlobalMaxPool},
    {"lstm", LayerType::kLstm},
    {"gru", LayerType::kGru},
    {"attention", LayerType::kAttention},
    {"position_embedding", LayerType::kPositionEmbedding},
    {"block", LayerType::kBlock},
    {"residual", LayerType::kResidual},
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

/// How pad2d and upsample2d make pixels.
enum class PixelMode : uint8_t { kZero, kReflect, kNearest, kBilinear };
inline constexpr EnumName kPixelModeNames[] = {{"zero", PixelMode::kZero},
                                               {"reflect", PixelMode::kReflect},
                                               {"nearest", PixelMode::kNearest},
                                               {"bilinear", PixelMode::kBilinear}};
constexpr std::span<const EnumName> enum_names(PixelMode /*tag*/) { return kPixelModeNames; }

/// What a residual layer adds to its list's result.
enum class ShortcutName : uint8_t {
  kAuto,      ///< identity where the shapes agree, else project
  kIdentity,  ///< the input as it is
  kProject,   ///< the input through a 1 x 1 convolution and batch norm (or a dense layer)
  kPad,       ///< every stride-th pixel, zeros as further channels on both sides: no parameters
};
inline constexpr EnumName kShortcutNames[] = {{"auto", ShortcutName::kAuto},
                                              {"identity", ShortcutName::kIdentity},
                                              {"project", ShortcutName::kProject},
                                              {"pad", ShortcutName::kPad}};
constexpr std::span<const EnumName> enum_names(ShortcutName /*tag*/) { return kShortcutNames; }

}  // namespace ingot::models
