// SPDX-License-Identifier: Apache-2.0
// Adadelta (Zeiler 2012), PyTorch's form: see kernels/adaptive.h. Row-sparse tables train as dense
// ones.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Adadelta : public SlabOptimizer {
 public:
  Adadelta(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;

 private:
  Tensor square_, change_;
};

}  // namespace ingot::optim
