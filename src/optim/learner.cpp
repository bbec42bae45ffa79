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

Rule rmsprop(double lr, const RmspropConfig& options) {
  Rule rule = rule_of(OptimizerKind::kRmsprop, lr, 0.0F);
  rule.config.rmsprop = options;
  return rule;
}

Rule adagrad(double lr, const AdagradConfig& options) {
  Rule rule = rule_of(OptimizerKind::kAdagrad, lr, 0.0F);
  rule.config.adagrad = options;
  return rule;
}

Rule adadelta(double lr, const AdadeltaConfig& options) {
  Rule rule = rule_of(OptimizerKind::kAdadelta, lr, 0.0F);
  rule.config.adadelta = options;
  return rule;
}

Rule nadam(double lr, const NadamConfig& options) {
  Rule rule = rule_of(OptimizerKind::kNadam, lr, 0.0F);
  rule.config.nadam = options;
  return rule;
}

Rule lion(double lr, float weight_decay, const LionConfig& options) {
  Rule rule = rule_of(OptimizerKind::kLion, lr, weight_decay);
  rule.config.lion = options;
  return rule;
}

Rule muon(double lr, float weight_decay, const MuonConfig& options) {
  Rule rule = rule_of(OptimizerKind::kMuon, lr, weight_decay);
  rule.config.muon = options;
  return rule;
}

Learner::Learner(Engine& engine, nn::Module& module, const Rule& rule, float clip_norm)
    : engine_(engine),
      config_(rule.config),
      clip_norm_(clip_norm),
      store_(engine, module),
      tape_(engine),
      scalars_(engine),
      clip_(engine),
      optimizer_(make_optimizer(rule.config, engine, store_)),
      recording_(engine, &tape_) {
  require(clip_norm >= 0.0F, Code::kInvalidArgument,
          "learner: clip_norm is {}; 1 is usual, 0 clips nothing", clip_norm);
  store_.bind(tape_);
  set_lr(rule.lr);
  *engine.step_counter() = 0;
  tape_.begin_step();
}

void Learner::step() {
  tape_.finish_step();
  add_penalty(config_, engine_, store_);
  if (clip_norm_ > 0.0F) clip_.launch(store_, tape_, scalars_, clip_norm_);
  *engine_.step_counter() = ++*scalars_.step.data<int64_t>();
  optimizer_->step(scalars_, tape_);
  ++store_.values().storage().version;
  tape_.begin_step();
}

}  // namespace ingot::optim
