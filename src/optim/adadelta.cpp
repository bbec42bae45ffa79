// SPDX-License-Identifier: Apache-2.0
#include "optim/adadelta.h"

#include "kernels/adaptive.h"

namespace ingot::optim {

Adadelta::Adadelta(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : SlabOptimizer(config, engine, store) {
  require_unit("adadelta.rho", config.adadelta.rho, 0.9);
  require_positive("adadelta.eps", config.adadelta.eps, 1e-6);
  square_ = add_state("square");
  change_ = add_state("change");
}

void Adadelta::step(const Scalars& scalars, Tape& tape) {
  kernels::AdadeltaArgs args;
  args.rho = config_.adadelta.rho;
  args.eps = config_.adadelta.eps;
  update({"adadelta", "adadelta_rows"}, &kernels::adadelta, args, scalars, tape,
         [&](kernels::AdadeltaArgs& a, int64_t begin) {
           a.square = square_.data<float>() + begin;
           a.change = change_.data<float>() + begin;
         });
}

}  // namespace ingot::optim
