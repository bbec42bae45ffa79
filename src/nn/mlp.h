// SPDX-License-Identifier: Apache-2.0
// The feed-forward half of a transformer block: two linears around an activation (GPT-2), or three
// around a gate (SwiGLU: Shazeer 2020; Llama).
#pragma once

#include <memory>

#include "autograd/ops/elementwise.h"
#include "nn/linear.h"

namespace ingot::nn {

struct MlpConfig {
  int64_t dim = 0;
  int64_t hidden = 0;
  bool has_bias = false;
  bool is_gated = false;
  kernels::Activation activation = kernels::Activation::kGeluTanh;
  Init init, out_init;
};

class Mlp : public Layer {
 public:
  explicit Mlp(const MlpConfig& c) : config_(c) {
    using kernels::Activation;
    const Activation fused = c.is_gated ? Activation::kNone : c.activation;
    if (c.is_gated) gate_ = std::make_unique<Linear>(c.dim, c.hidden, c.has_bias, c.init);
    up_ = std::make_unique<Linear>(c.dim, c.hidden, c.has_bias, c.init, fused);
    down_ = std::make_unique<Linear>(c.hidden, c.dim, c.has_bias, c.out_init);
  }

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    if (!config_.is_gated) return down_->forward(up_->forward(x));
    return down_->forward(ops::gated(gate_->forward(x), up_->forward(x), config_.activation));
  }

  void visit(Visitor& visitor) override {
    visitor("gate_proj", gate_);
    visitor(config_.is_gated ? "up_proj" : "c_fc", up_);
    visitor(config_.is_gated ? "down_proj" : "c_proj", down_);
  }

 private:
  MlpConfig config_;
  std::unique_ptr<Layer> gate_, up_, down_;
};

}  // namespace ingot::nn
