// SPDX-License-Identifier: Apache-2.0
#include "optim/adam.h"

#include "kernels/optimizer.h"

namespace ingot::optim {

Adam::Adam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store,
           const std::vector<nn::ParameterGroup>& groups)
    : SlabOptimizer(config, engine, store, groups), m_(add_state("m")), v_(add_state("v")) {}

void Adam::step(const Scalars& scalars, Tape& tape) {
  kernels::AdamArgs args;
  args.step = scalars.step.data<int64_t>();
  args.beta1 = config_.beta1;
  args.beta2 = config_.beta2;
  args.eps = config_.eps;
  args.decoupled = config_.name != OptimizerKind::kAdam;
  args.bias_correction = config_.bias_correction;
  args.eps_hat = config_.eps_hat;
  update({"adam", "adam_rows"}, &kernels::adam, args, scalars, tape,
         [&](kernels::AdamArgs& a, int64_t begin) {
           a.m = m_.data<float>() + begin;
           a.v = v_.data<float>() + begin;
         });
}

}  // namespace ingot::optim
