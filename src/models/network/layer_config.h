// SPDX-License-Identifier: Apache-2.0
// One entry of a recipe's `layers:` list. Every key but type, name and inputs is optional, so that
// a key which the layer does not take is known to have been given, and refused (catalog.cpp says
// which layer takes what). Shapes are per example, without the batch axis. Keys of two numbers
// (height, width) may be given as one for both. Every member has an initialiser, so that a program
// names some of them ({.units = 3}) without a warning about the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/network/layer_names.h"
#include "nn/init.h"

namespace ingot::models {

struct LayerConfig {
  LayerType type = LayerType::kDense;
  std::string name = {};
  std::vector<std::string> inputs = {};
  std::optional<int64_t> units = {};
  std::optional<int64_t> size = {};
  std::optional<int64_t> vocab = {};
  std::optional<int64_t> filters = {};
  std::optional<std::vector<int64_t>> kernel = {};
  std::optional<std::vector<int64_t>> stride = {};
  std::optional<std::vector<std::string>> padding = {};
  std::optional<std::vector<int64_t>> dilation = {};
  std::optional<std::vector<int64_t>> output_padding = {};
  std::optional<int64_t> groups = {};
  std::optional<bool> ceil = {};
  std::optional<std::vector<int64_t>> output = {};
  std::optional<PixelMode> mode = {};
  std::optional<ActivationName> activation = {};
  std::optional<bool> bias = {};
  std::optional<bool> scale = {};
  std::optional<double> factor = {};
  std::optional<float> rate = {};
  std::optional<bool> variational = {};
  std::optional<float> eps = {};
  std::optional<float> momentum = {};
  std::optional<bool> biased_variance = {};
  std::optional<bool> mask = {};
  std::optional<bool> return_sequences = {};
  std::optional<bool> reverse = {};
  std::optional<bool> bidirectional = {};
  std::optional<int64_t> heads = {};
  std::optional<bool> causal = {};
  std::optional<int64_t> mlp_ratio = {};
  std::optional<float> dropout = {};
  std::optional<float> recurrent_dropout = {};
  std::optional<float> forget_bias = {};
  std::optional<std::vector<int64_t>> shape = {};
  std::optional<nn::InitKind> init = {};
  std::optional<float> init_scale = {};
  std::optional<std::vector<LayerConfig>> layers = {};
  std::optional<int64_t> repeat = {};
  std::optional<ShortcutName> shortcut = {};
  std::optional<bool> trainable = {};
  std::optional<float> lr_scale = {};

  void visit(auto& field) {
    field("type", type, "kind of layer");
    field("name", name, "for other layers' inputs and for weights; empty: the type and a number");
    field("inputs", inputs, "names of inputs or layers; empty: the layer before");
    field("units", units, "dense: outputs; lstm, gru: size of the state");
    field("size", size, "embedding: numbers per token");
    field("vocab", vocab, "embedding: rows of the table; default: what the input has");
    field("filters", filters, "convolutions: output channels");
    field("kernel", kernel, "convolutions, pools: height and width of the window");
    field("stride", stride, "convolutions (1), pools (the kernel): pixels from window to window");
    field("padding", padding,
          "convolutions, pools: valid (none), same (Keras), pixels, [height, width] or [top, "
          "bottom, left, right]; pad2d: pixels");
    field("dilation", dilation, "convolutions: pixels between the taps of the window (1)");
    field("output_padding", output_padding, "conv2d_transpose: rows and columns added (0)");
    field("groups", groups, "convolutions: groups of channels that do not meet (1)");
    field("ceil", ceil, "pools: keep a last window that is not full (false)");
    field("output", output, "adaptive pools, upsample2d: height and width of the result");
    field("mode", mode, "pad2d: zero, reflect; upsample2d: nearest, bilinear");
    field("activation", activation, "function of the result");
    field("bias", bias, "with a bias (true)");
    field("scale", scale, "batch_norm: with a learned factor (true)");
    field("factor", factor,
          "scale: what is multiplied by; upsample2d: times as high and wide, rounded down");
    field("rate", rate, "dropout: share that is dropped, in [0, 1)");
    field("variational", variational, "dropout: one mask for all steps of a sequence (false)");
    field("eps", eps, "norms: added to the variance");
    field("momentum", momentum,
          "batch_norm: share of the new batch in the running values (0.1, as PyTorch's; Keras' "
          "momentum 0.99 is 0.01 here)");
    field("biased_variance", biased_variance,
          "batch_norm: the running variance takes the batch's as it is (Keras), not n / (n - 1) of "
          "it (PyTorch: false)");
    field("mask", mask, "layers over a sequence: leave padding out (false)");
    field("return_sequences", return_sequences, "lstm, gru: the state of every step (false)");
    field("reverse", reverse, "lstm, gru: from the last step to the first (false)");
    field("bidirectional", bidirectional, "lstm, gru: both directions side by side (false)");
    field("heads", heads, "attention: heads; must divide the input's size");
    field("causal", causal, "attention: no step sees a later one (false)");
    field("mlp_ratio", mlp_ratio, "attention: width of the MLP, times the input's size (4)");
    field("dropout", dropout,
          "lstm, gru: share of the input, the same at every step; attention: of both branches");
    field("recurrent_dropout", recurrent_dropout,
          "lstm, gru: share of the state, the same at every step");
    field("forget_bias", forget_bias, "lstm: first bias of the forget gate (1)");
    field("shape", shape, "reshape: axes of one example, one may be -1");
    field("init", init, "first values of the weights");
    field("init_scale", init_scale, "standard deviation, bound or factor of init");
    field("layers", layers, "block, residual: the layers inside; \"input\" names what comes in");
    field("repeat", repeat, "block, residual: how many in a row, each with its own weights (1)");
    field("shortcut", shortcut, "residual: what is added to the result of its layers (auto)");
    field(
        "trainable", trainable,
        "false: the layer's weights stay as they begin, and batch norm's running values, which it "
        "then takes in training too");
    field("lr_scale", lr_scale, "factor of the learning rate for the layer's weights (1)");
  }
};

}  // namespace ingot::models
