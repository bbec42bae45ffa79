// SPDX-License-Identifier: Apache-2.0
// NAdam (Dozat 2016): Adam with Nesterov's momentum that warms up; PyTorch's form, see
// kernels/adaptive.h. Row-sparse tables train as dense ones.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Nadam : public SlabOptimizer {
 public:
  Nadam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;

 private:
  Tensor m_, v_;
  Tensor product_;  // float64 [2]: worked out again from the step when it does not fit
};

}  // namespace ingot::optim
