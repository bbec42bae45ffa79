// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent with momentum and Nesterov's look-ahead, PyTorch's formulas
// (Sutskever 2013; dampening 0): see kernels/optimizer.h.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Sgd : public SlabOptimizer {
 public:
  Sgd(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
      : Sgd(config, engine, store, store.groups()) {}
  /// Updates only `groups` of the dense part, and the row-sparse tables.
  Sgd(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store,
      const std::vector<nn::ParameterGroup>& groups);
  void step(const Scalars& scalars, Tape& tape) override;

 private:
  Tensor momentum_;  // undefined without momentum
};

}  // namespace ingot::optim
