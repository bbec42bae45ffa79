// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent with momentum and Nesterov's look-ahead, PyTorch's formulas
// (Sutskever 2013; dampening 0): see kernels/optimizer.h.
#pragma once

#include "optim/optimizer.h"

namespace ingot::optim {

class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;
  [[nodiscard]] std::vector<NamedState> state() const override;

 private:
  OptimizerConfig config_;
  Engine& engine_;
  nn::ParameterStore& store_;
  Tensor momentum_;  // undefined without momentum
};

}  // namespace ingot::optim
