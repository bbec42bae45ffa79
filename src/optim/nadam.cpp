// SPDX-License-Identifier: Apache-2.0
#include "optim/nadam.h"

#include "kernels/adaptive.h"

namespace ingot::optim {

Nadam::Nadam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : SlabOptimizer(config, engine, store), product_(Tensor::zeros(engine, {2}, DType::kF64)) {
  require_not_negative("nadam.momentum_decay", config.nadam.momentum_decay, 4e-3);
  m_ = add_state("m");
  v_ = add_state("v");
}

void Nadam::step(const Scalars& scalars, Tape& tape) {
  kernels::NadamArgs args;
  args.step = scalars.step.data<int64_t>();
  args.product = product_.data<double>();
  args.beta1 = config_.beta1;
  args.beta2 = config_.beta2;
  args.eps = config_.eps;
  args.momentum_decay = config_.nadam.momentum_decay;
  args.decoupled = config_.nadam.decoupled;
  update({"nadam", "nadam_rows"}, &kernels::nadam, args, scalars, tape,
         [&](kernels::NadamArgs& a, int64_t begin) {
           a.m = m_.data<float>() + begin;
           a.v = v_.data<float>() + begin;
         });
}

}  // namespace ingot::optim
