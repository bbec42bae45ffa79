// SPDX-License-Identifier: Apache-2.0
#include "optim/adagrad.h"

#include <algorithm>

#include "kernels/adaptive.h"

namespace ingot::optim {

Adagrad::Adagrad(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : SlabOptimizer(config, engine, store) {
  require_not_negative("adagrad.lr_decay", config.adagrad.lr_decay, 0.0);
  require_not_negative("adagrad.initial", config.adagrad.initial, 0.0);
  require_positive("adagrad.eps", config.adagrad.eps, 1e-10);
  sum_ = add_state("sum");
  Adagrad::reset();
}

void Adagrad::reset() {
  std::fill_n(sum_.data<float>(), sum_.size(), static_cast<float>(config_.adagrad.initial));
}

void Adagrad::step(const Scalars& scalars, Tape& tape) {
  kernels::AdagradArgs args;
  args.step = scalars.step.data<int64_t>();
  args.lr_decay = config_.adagrad.lr_decay;
  args.eps = config_.adagrad.eps;
  update({"adagrad", "adagrad_rows"}, &kernels::adagrad, args, scalars, tape,
         [&](kernels::AdagradArgs& a, int64_t begin) { a.sum = sum_.data<float>() + begin; });
}

}  // namespace ingot::optim
