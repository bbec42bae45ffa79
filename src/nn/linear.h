// SPDX-License-Identifier: Apache-2.0
// y = activation(x·weightᵀ + bias). Linear trains; PackedLinear holds the same weights in the
// panels that inference reads (same bytes out, no second copy of the weights).
#pragma once

#include "autograd/ops/linear.h"
#include "nn/module.h"

namespace ingot::nn {

class Linear : public Layer {
 public:
  /// weight [out_features, in_features]; bias [out_features] when has_bias.
  Linear(int64_t in_features, int64_t out_features, bool has_bias, Init init,
         kernels::Activation activation = kernels::Activation::kNone)
      : activation_(activation) {
    weight.shape = {out_features, in_features};
    weight.init = init;
    if (has_bias) {
      bias.shape = {out_features};
      bias.decay = false;
    }
  }

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return ops::linear(x, weight.value, bias.value, activation_);
  }
  void visit(Visitor& visitor) override {
    visitor("weight", weight);
    visitor("bias", bias);
  }
  [[nodiscard]] kernels::Activation activation() const { return activation_; }

  Parameter weight;
  Parameter bias;

 private:
  kernels::Activation activation_;
};

/// A Linear for inference; takes the weights out of `linear`.
class PackedLinear : public Layer {
 public:
  explicit PackedLinear(const Linear& linear)
      : packed_(ops::pack_weight(linear.weight.value.detach())),
        bias_(linear.bias.value.defined() ? linear.bias.value.detach() : Tensor()),
        activation_(linear.activation()) {}

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return ops::linear(x, packed_, bias_, activation_);
  }
  void visit(Visitor& /*visitor*/) override {}

 private:
  Tensor packed_;
  Tensor bias_;
  kernels::Activation activation_;
};

}  // namespace ingot::nn
