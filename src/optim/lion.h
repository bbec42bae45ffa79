// SPDX-License-Identifier: Apache-2.0
// Lion (Chen 2023): the sign of a running mean, one slab of state; see kernels/adaptive.h. Usual: a
// third to a tenth of AdamW's learning rate and as many times its decay. Row-sparse tables train as
// dense ones.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Lion : public SlabOptimizer {
 public:
  Lion(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;

 private:
  Tensor m_;
};

}  // namespace ingot::optim
