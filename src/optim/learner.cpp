// SPDX-License-Identifier: Apache-2.0
#include "optim/learner.h"

#include "optim/penalty.h"

namespace ingot::optim {
namespace {

Rule rule_of(OptimizerKind kind, double lr, float weight_decay) {
  Rule rule;
  rule.config.name = kind;
  rule.config.weight_decay = weight_decay;
  rule.lr = lr;
  return rule;
}

}  // namespace

Rule sgd(double lr, float momentum) {
  Rule rule = rule_of(OptimizerKind::kSgd, lr, 0.0F);
  rule.config.momentum = momentum;
  return rule;
}

Rule adam(double lr) { return rule_of(OptimizerKind::kAdam, lr, 0.0F); }

Rule adamw(double lr, float weight_decay) {
  return rule_of(OptimizerKind::kAdamW, lr, weight_decay);
}

Learner::Learner(Engine& engine, nn::Module& module, const Rule& rule)
    : engine_(engine),
      config_(rule.config),
      store_(engine, module),
      tape_(engine),
      scalars_(engine),
      optimizer_(make_optimizer(rule.config, engine, store_)),
      recording_(engine, &tape_) {
  store_.bind(tape_);
  set_lr(rule.lr);
  *engine.step_counter() = 0;
  tape_.begin_step();
}

void Learner::step() {
  tape_.finish_step();
  add_penalty(config_, engine_, store_);
  *engine_.step_counter() = ++*scalars_.step.data<int64_t>();
  optimizer_->step(scalars_, tape_);
  ++store_.values().storage().version;
  tape_.begin_step();
}

}  // namespace ingot::optim
