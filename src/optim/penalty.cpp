// SPDX-License-Identifier: Apache-2.0
#include "optim/penalty.h"

#include "kernels/weight_passes.h"
#include "optim/slab_optimizer.h"

namespace ingot::optim {
namespace {

bool is_off(const PenaltyConfig& c) { return c.l1 == 0.0 && c.l2 == 0.0; }

}  // namespace

void check_penalty(const OptimizerConfig& config, const nn::ParameterStore& store) {
  require_not_negative("penalty.l1", config.penalty.l1, 1e-5);
  require_not_negative("penalty.l2", config.penalty.l2, 1e-4);
  if (is_off(config.penalty)) return;
  for (const nn::StoredParameter& p : store.list()) {
    const bool is_sparse = p.parameter->row_sparse && p.parameter->trainable;
    require(
        !is_sparse || !(p.parameter->decay || config.decay_all), Code::kUnsupported,
        "train.optimizer.penalty: {} has row-sparse gradients, which a penalty would make dense. "
        "Use train.optimizer.weight_decay",
        p.name);
  }
}

void add_penalty(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store) {
  if (is_off(config.penalty)) return;
  kernels::PenaltyArgs args;
  args.l1 = static_cast<float>(config.penalty.l1);
  args.l2 = static_cast<float>(config.penalty.l2);
  for (const nn::ParameterGroup& g : store.groups()) {
    if (!g.decay && !config.decay_all) continue;
    args.param = store.values().data<float>() + g.begin;
    args.grad = store.grads().data<float>() + g.begin;
    args.n = g.end - g.begin;
    engine.launch("penalty", &kernels::penalty, args, 4 * args.n);
  }
}

}  // namespace ingot::optim
