// SPDX-License-Identifier: Apache-2.0
// Adagrad (Duchi 2011), PyTorch's form: see kernels/adaptive.h. Rows of a row-sparse table that a
// step does not read cost nothing when they do not decay.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Adagrad : public SlabOptimizer {
 public:
  Adagrad(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;
  void reset() override;

 private:
  Tensor sum_;
};

}  // namespace ingot::optim
