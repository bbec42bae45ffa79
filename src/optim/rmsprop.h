// SPDX-License-Identifier: Apache-2.0
// RMSprop (Tieleman and Hinton 2012) with momentum, centring and both places of eps: see
// kernels/adaptive.h. Row-sparse tables train as dense ones.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Rmsprop : public SlabOptimizer {
 public:
  Rmsprop(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;

 private:
  Tensor square_, mean_, momentum_;  // the last two undefined when not asked for
};

}  // namespace ingot::optim
