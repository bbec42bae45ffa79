// SPDX-License-Identifier: Apache-2.0
// What optimisers that are one kernel per slab share: their state slabs and the walk over the dense
// groups and the row-sparse tables. A rule fills its own scalars and state pointers; this sets
// parameters, gradients, ids, decay and the scalars a recorded update reads. Every such kernel
// gives row-sparse tables the bytes of dense ones with zero rows.
#pragma once

#include <utility>

#include "optim/optimizer.h"

namespace ingot::optim {

/// factor·lr as a buffer of the step: lr itself for factor 1.
[[nodiscard]] Tensor scaled(const Tensor& lr, float factor);

class SlabOptimizer : public Optimizer {
 public:
  [[nodiscard]] std::vector<NamedState> state() const override { return state_; }

 protected:
  /// Updates the store's groups and its row-sparse tables.
  SlabOptimizer(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
      : SlabOptimizer(config, engine, store, store.groups()) {}
  /// Updates `groups` of the dense part and the row-sparse tables.
  SlabOptimizer(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store,
                std::vector<nn::ParameterGroup> groups)
      : config_(config), engine_(engine), store_(store), groups_(std::move(groups)) {}

  /// A slab of zeros that checkpoints keep under `name`.
  Tensor add_state(const std::string& name) {
    return state_.emplace_back(NamedState{name, Tensor::zeros(engine_, {store_.trained_size()})})
        .tensor;
  }

  struct Names {
    const char* dense;
    const char* rows;
  };
  /// Launches `kernel` for every group and table. bind(args, begin) sets the state pointers of the
  /// range that starts at element `begin`.
  template <class Args, class Bind>
  void update(const Names& names, void (*kernel)(const Args&, Team&), Args args,
              const Scalars& scalars, Tape& tape, const Bind& bind) {
    args.grad_scale = scalars.grad_scale.data<float>();
    const auto set_range = [&](int64_t begin, int64_t n, bool decay, const Tensor& lr) {
      args.lr = lr.data<float>();
      args.param = store_.values().data<float>() + begin;
      args.n = n;
      args.weight_decay = decay || config_.decay_all
                              ? static_cast<decltype(args.weight_decay)>(config_.weight_decay)
                              : decltype(args.weight_decay){0};
      bind(args, begin);
    };
    for (const nn::ParameterGroup& g : groups_) {
      const Tensor lr = scaled(scalars.lr, g.lr_scale);
      set_range(g.begin, g.end - g.begin, g.decay, lr);
      args.grad = store_.grads().data<float>() + g.begin;
      engine_.launch(names.dense, kernel, args, kFlops * args.n);
    }
    for (const nn::StoredParameter& p : store_.list()) {
      if (!p.parameter->row_sparse || !p.parameter->trainable) continue;
      const SparseGrad& grad = tape.sparse_grad(p.parameter->value.slot);
      if (!grad.rows.defined()) continue;
      const Tensor lr = scaled(scalars.lr, p.parameter->lr_scale);
      set_range(p.offset, p.parameter->shape.size(), p.parameter->decay, lr);
      args.grad = grad.rows.data<float>();
      args.unique_ids = grad.unique_ids.data<int64_t>();
      args.unique_count = grad.count.data<int64_t>();
      args.cols = p.parameter->shape[1];
      engine_.launch(names.rows, kernel, args, kFlops * args.n);
    }
  }

  OptimizerConfig config_;
  Engine& engine_;
  nn::ParameterStore& store_;

 private:
  static constexpr int64_t kFlops = 12;  // per element, give or take the rule

  std::vector<nn::ParameterGroup> groups_;
  std::vector<NamedState> state_;
};

/// Throws kInvalidArgument naming train.optimizer.<key> unless value lies in [0, 1).
void require_unit(const char* key, double value, double usual);
/// The same for value > 0.
void require_positive(const char* key, double value, double usual);
/// The same for value >= 0.
void require_not_negative(const char* key, double value, double usual);

}  // namespace ingot::optim
