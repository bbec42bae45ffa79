// SPDX-License-Identifier: Apache-2.0
// Batch normalisation as a layer: weight and bias train, the running mean and variance are buffers
// (parameters that do not train; nn/module.h) and so are laid out, saved and loaded with the rest.
// Whether a pass trains is told by the caller, as dropout is; the plain forward is inference. A
// frozen layer (Parameter::freeze) always is at inference, as in Keras.
#pragma once

#include "autograd/ops/batch_norm.h"
#include "nn/module.h"

namespace ingot::nn {

struct BatchNormConfig {
  float eps = 1e-5F;
  float momentum = 0.1F;                ///< share of the new batch: PyTorch 0.1; Keras 1 - 0.99
  bool is_running_var_unbiased = true;  ///< PyTorch; false: Keras
  bool has_weight = true, has_bias = true;
  kernels::Activation activation = kernels::Activation::kNone;  ///< kNone or kRelu, fused
};

class BatchNorm : public Layer {
 public:
  explicit BatchNorm(int64_t channels, const BatchNormConfig& config = {}) : config_(config) {
    weight.init = running_var.init = {InitKind::kOnes, 1.0F};
    if (config.has_weight) weight.shape = {channels};
    if (config.has_bias) bias.shape = {channels};
    running_mean.shape = running_var.shape = {channels};
    weight.decay = bias.decay = running_mean.decay = running_var.decay = false;
    running_mean.trainable = running_var.trainable = false;
  }

  [[nodiscard]] Tensor forward(const Tensor& x, bool is_training) {
    return ops::batch_norm(x, {weight.value, bias.value, running_mean.value, running_var.value},
                           {config_.eps, config_.momentum, config_.is_running_var_unbiased,
                            is_training && !running_mean.is_frozen, config_.activation});
  }
  [[nodiscard]] Tensor forward(const Tensor& x) override { return forward(x, false); }
  void visit(Visitor& visitor) override {
    visitor("weight", weight);
    visitor("bias", bias);
    visitor("running_mean", running_mean);
    visitor("running_var", running_var);
  }

  Parameter weight, bias;
  Parameter running_mean, running_var;

 private:
  BatchNormConfig config_;
};

}  // namespace ingot::nn
