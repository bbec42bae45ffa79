// SPDX-License-Identifier: Apache-2.0
// Convolution layers on channels-last images: y = activation(conv(x, weight) + bias). Weights are
// laid out as in autograd/ops/conv.h; a reader of other files permutes them when it loads.
#pragma once

#include "autograd/ops/conv.h"
#include "nn/module.h"

namespace ingot::nn {

/// Sizes of a convolution's weight.
struct ConvConfig {
  int64_t in_channels = 0, out_channels = 0;
  int64_t kernel_h = 3, kernel_w = 3;
  bool has_bias = true;
  Init init = {InitKind::kGlorotUniform, 1.0F};  ///< as Keras and dense layers begin
  kernels::Activation activation = kernels::Activation::kNone;
};

class Conv2d : public Layer {
 public:
  /// weight [out_channels, kernel_h, kernel_w, in_channels / groups]; bias [out_channels] when
  /// has_bias.
  explicit Conv2d(const ConvConfig& config, const ops::Conv2dOptions& options = {})
      : options_(options), activation_(config.activation) {
    require(options.groups >= 1 && config.in_channels % options.groups == 0 &&
                config.out_channels % options.groups == 0,
            Code::kInvalidArgument,
            "conv2d: {} input and {} output channels do not divide into {} groups",
            config.in_channels, config.out_channels, options.groups);
    weight.shape = {config.out_channels, config.kernel_h, config.kernel_w,
                    config.in_channels / options.groups};
    weight.init = config.init;
    if (config.has_bias) {
      bias.shape = {config.out_channels};
      bias.decay = false;
    }
  }

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return ops::conv2d(x, weight.value, bias.value, options_, activation_);
  }
  void visit(Visitor& visitor) override {
    visitor("weight", weight);
    visitor("bias", bias);
  }
  [[nodiscard]] const ops::Conv2dOptions& options() const { return options_; }

  Parameter weight;
  Parameter bias;

 private:
  ops::Conv2dOptions options_;
  kernels::Activation activation_;
};

class ConvTranspose2d : public Layer {
 public:
  /// weight [in_channels, kernel_h, kernel_w, out_channels / groups]; bias [out_channels].
  explicit ConvTranspose2d(const ConvConfig& config,
                           const ops::ConvTranspose2dOptions& options = {})
      : options_(options), activation_(config.activation) {
    require(options.groups >= 1 && config.in_channels % options.groups == 0 &&
                config.out_channels % options.groups == 0,
            Code::kInvalidArgument,
            "conv_transpose2d: {} input and {} output channels do not divide into {} groups",
            config.in_channels, config.out_channels, options.groups);
    weight.shape = {config.in_channels, config.kernel_h, config.kernel_w,
                    config.out_channels / options.groups};
    weight.init = config.init;
    if (config.has_bias) {
      bias.shape = {config.out_channels};
      bias.decay = false;
    }
  }

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return ops::conv_transpose2d(x, weight.value, bias.value, options_, activation_);
  }
  void visit(Visitor& visitor) override {
    visitor("weight", weight);
    visitor("bias", bias);
  }

  Parameter weight;
  Parameter bias;

 private:
  ops::ConvTranspose2dOptions options_;
  kernels::Activation activation_;
};

}  // namespace ingot::nn
