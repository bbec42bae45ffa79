// SPDX-License-Identifier: Apache-2.0
#include "optim/sgd.h"

#include "kernels/optimizer.h"

namespace ingot::optim {

Sgd::Sgd(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : config_(config), engine_(engine), store_(store) {
  if (config.momentum != 0.0F) momentum_ = Tensor::zeros(engine, {store.size()});
}

void Sgd::step(const Scalars& scalars, Tape& tape) {
  kernels::SgdArgs args;
  args.lr = scalars.lr.data<float>();
  args.grad_scale = scalars.grad_scale.data<float>();
  args.momentum = config_.momentum;
  args.nesterov = config_.nesterov;
  const auto set_range = [&](int64_t begin, int64_t n, bool decay) {
    args.param = store_.values().data<float>() + begin;
    args.momentum_buffer = momentum_.defined() ? momentum_.data<float>() + begin : nullptr;
    args.n = n;
    args.weight_decay = decay || config_.decay_all ? config_.weight_decay : 0.0F;
  };
  for (const nn::ParameterGroup& g : store_.groups()) {
    set_range(g.begin, g.end - g.begin, g.decay);
    args.grad = store_.grads().data<float>() + g.begin;
    engine_.launch("sgd", &kernels::sgd, args, 4 * args.n);
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
    engine_.launch("sgd_rows", &kernels::sgd, args, 4 * args.n);
  }
}

std::vector<NamedState> Sgd::state() const {
  if (!momentum_.defined()) return {};
  return {{"momentum", momentum_}};
}

}  // namespace ingot::optim
