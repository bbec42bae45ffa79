// SPDX-License-Identifier: Apache-2.0
#include "optim/sgd.h"

#include "kernels/optimizer.h"

namespace ingot::optim {

Sgd::Sgd(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store,
         const std::vector<nn::ParameterGroup>& groups)
    : SlabOptimizer(config, engine, store, groups) {
  if (config.momentum != 0.0F) momentum_ = add_state("momentum");
}

void Sgd::step(const Scalars& scalars, Tape& tape) {
  kernels::SgdArgs args;
  args.momentum = config_.momentum;
  args.nesterov = config_.nesterov;
  update({"sgd", "sgd_rows"}, &kernels::sgd, args, scalars, tape,
         [&](kernels::SgdArgs& a, int64_t begin) {
           a.momentum_buffer = momentum_.defined() ? momentum_.data<float>() + begin : nullptr;
         });
}

}  // namespace ingot::optim
