// SPDX-License-Identifier: Apache-2.0
#include "optim/rmsprop.h"

#include "kernels/adaptive.h"

namespace ingot::optim {

Rmsprop::Rmsprop(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : SlabOptimizer(config, engine, store) {
  const RmspropConfig& c = config.rmsprop;
  require_unit("rmsprop.alpha", c.alpha, 0.99);
  require_unit("rmsprop.momentum", c.momentum, 0.9);
  require_positive("rmsprop.eps", c.eps, 1e-8);
  square_ = add_state("square");
  if (c.centered) mean_ = add_state("mean");
  if (c.momentum > 0.0) momentum_ = add_state("momentum");
}

void Rmsprop::step(const Scalars& scalars, Tape& tape) {
  kernels::RmspropArgs args;
  args.alpha = config_.rmsprop.alpha;
  args.eps = config_.rmsprop.eps;
  args.momentum = config_.rmsprop.momentum;
  args.eps_inside = config_.rmsprop.eps_inside;
  update({"rmsprop", "rmsprop_rows"}, &kernels::rmsprop, args, scalars, tape,
         [&](kernels::RmspropArgs& a, int64_t begin) {
           a.square = square_.data<float>() + begin;
           a.mean = mean_.defined() ? mean_.data<float>() + begin : nullptr;
           a.momentum_buffer = momentum_.defined() ? momentum_.data<float>() + begin : nullptr;
         });
}

}  // namespace ingot::optim
