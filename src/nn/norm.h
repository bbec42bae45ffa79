// SPDX-License-Identifier: Apache-2.0
// LayerNorm and RmsNorm over the last axis.
#pragma once

#include "autograd/ops/norm.h"
#include "nn/module.h"

namespace ingot::nn {

class LayerNorm : public Layer {
 public:
  LayerNorm(int64_t dim, float eps, bool has_bias = true) : eps_(eps) {
    weight.shape = {dim};
    weight.init = {InitKind::kOnes, 1.0F};
    weight.decay = false;
    if (has_bias) {
      bias.shape = {dim};
      bias.decay = false;
    }
  }
  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return ops::layer_norm(x, weight.value, bias.value, eps_);
  }
  void visit(Visitor& visitor) override {
    visitor("weight", weight);
    visitor("bias", bias);
  }
  Parameter weight, bias;

 private:
  float eps_;
};

class RmsNorm : public Layer {
 public:
  RmsNorm(int64_t dim, float eps) : eps_(eps) {
    weight.shape = {dim};
    weight.init = {InitKind::kOnes, 1.0F};
    weight.decay = false;
  }
  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return ops::rms_norm(x, weight.value, eps_);
  }
  void visit(Visitor& visitor) override { visitor("weight", weight); }
  Parameter weight;

 private:
  float eps_;
};

}  // namespace ingot::nn
