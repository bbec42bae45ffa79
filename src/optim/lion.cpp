// SPDX-License-Identifier: Apache-2.0
#include "optim/lion.h"

#include "kernels/adaptive.h"

namespace ingot::optim {

Lion::Lion(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : SlabOptimizer(config, engine, store) {
  require_unit("lion.beta1", config.lion.beta1, 0.9);
  require_unit("lion.beta2", config.lion.beta2, 0.99);
  m_ = add_state("m");
}

void Lion::step(const Scalars& scalars, Tape& tape) {
  kernels::LionArgs args;
  args.beta1 = config_.lion.beta1;
  args.beta2 = config_.lion.beta2;
  update({"lion", "lion_rows"}, &kernels::lion, args, scalars, tape,
         [&](kernels::LionArgs& a, int64_t begin) { a.m = m_.data<float>() + begin; });
}

}  // namespace ingot::optim
