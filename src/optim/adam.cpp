// SPDX-License-Identifier: Apache-2.0
#include "optim/adam.h"

#include "kernels/optimizer.h"

namespace ingot::optim {

Adam::Adam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : config_(config),
      engine_(engine),
      store_(store),
      m_(Tensor::zeros(engine, {store.size()})),
      v_(Tensor::zeros(engine, {store.size()})) {}

void Adam::step(const Scalars& scalars, Tape& tape) {
  kernels::AdamArgs args;
  args.lr = scalars.lr.data<float>();
  args.step = scalars.step.data<int64_t>();
  args.grad_scale = scalars.grad_scale.data<float>();
  args.beta1 = config_.beta1;
  args.beta2 = config_.beta2;
  args.eps = config_.eps;
  args.decoupled = config_.name == OptimizerKind::kAdamW;
  args.bias_correction = config_.bias_correction;
  const auto set_range = [&](int64_t begin, int64_t n, bool decay) {
    args.param = store_.values().data<float>() + begin;
    args.m = m_.data<float>() + begin;
    args.v = v_.data<float>() + begin;
    args.n = n;
    args.weight_decay =
        decay || config_.decay_all ? static_cast<double>(config_.weight_decay) : 0.0;
  };
  for (const nn::ParameterGroup& g : store_.groups()) {
    set_range(g.begin, g.end - g.begin, g.decay);
    args.grad = store_.grads().data<float>() + g.begin;
    engine_.launch("adam", &kernels::adam, args, 12 * args.n);
  }
  for (const nn::StoredParameter& p : store_.list()) {
    if (!p.parameter->row_sparse) continue;
    const SparseGrad& grad = tape.sparse_grad(p.parameter->value.slot);
    if (!grad.rows.defined()) continue;
    set_range(p.offset, p.parameter->shape.size(), p.parameter->decay);
    args.grad = grad.rows.data<float>();
    args.unique_ids = grad.unique_ids.data<int64_t>();
    args.unique_count = grad.count.data<int64_t>();
    args.cols = p.parameter->shape[1];
    engine_.launch("adam_rows", &kernels::adam, args, 12 * args.n);
  }
}

std::vector<NamedState> Adam::state() const { return {{"m", m_}, {"v", v_}}; }

}  // namespace ingot::optim
