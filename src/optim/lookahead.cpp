// SPDX-License-Identifier: Apache-2.0
#include "optim/lookahead.h"

#include "kernels/weight_passes.h"
#include "optim/slab_optimizer.h"

namespace ingot::optim {

Lookahead::Lookahead(const LookaheadConfig& config, std::unique_ptr<Optimizer> inner,
                     Engine& engine, nn::ParameterStore& store)
    : config_(config),
      inner_(std::move(inner)),
      engine_(engine),
      store_(store),
      slow_(Tensor::zeros(engine, {store.trained_size()})) {
  require(
      config.every >= 1 && config.alpha > 0.0 && config.alpha <= 1.0, Code::kInvalidArgument,
      "train.optimizer.lookahead: every {} must be at least 1 and alpha {} in (0, 1]; 5 and 0.5 "
      "are usual",
      config.every, config.alpha);
  require_not_negative("lookahead.ramp", config.ramp, 3.0);
}

void Lookahead::move(const Scalars& scalars, bool is_before) {
  kernels::LookaheadArgs args;
  args.param = store_.values().data<float>();
  args.slow = slow_.data<float>();
  args.step = scalars.step.data<int64_t>();
  args.total = scalars.total.data<int64_t>();
  args.n = slow_.size();
  args.every = config_.every;
  args.alpha = config_.alpha;
  args.ramp = config_.ramp;
  args.is_before = is_before;
  engine_.launch("lookahead", &kernels::lookahead, args, is_before ? 0 : 3 * args.n);
}

void Lookahead::step(const Scalars& scalars, Tape& tape) {
  move(scalars, true);
  inner_->step(scalars, tape);
  move(scalars, false);
}

std::vector<NamedState> Lookahead::state() const {
  std::vector<NamedState> all = inner_->state();
  all.push_back({"slow", slow_});
  return all;
}

}  // namespace ingot::optim
