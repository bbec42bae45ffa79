// SPDX-License-Identifier: Apache-2.0
#include "optim/weight_average.h"

#include "kernels/weight_passes.h"
#include "optim/slab_optimizer.h"

namespace ingot::optim {
namespace {

/// Elements that are averaged: what trains, and all of the slab where there are running statistics.
/// Frozen weights among them stay as they are, for the average of equal numbers is that number.
int64_t averaged_size(const nn::ParameterStore& store) {
  for (const nn::StoredParameter& p : store.list()) {
    if (!p.parameter->trainable && !p.parameter->is_frozen) return store.size();
  }
  return store.trained_size();
}

}  // namespace

WeightAverage::WeightAverage(const AverageConfig& config, std::unique_ptr<Optimizer> inner,
                             Engine& engine, nn::ParameterStore& store)
    : config_(config),
      inner_(std::move(inner)),
      engine_(engine),
      store_(store),
      average_(Tensor::zeros(engine, {averaged_size(store)})) {
  require_unit("average.decay", config.decay, 0.999);
  require(config.start >= 1, Code::kInvalidArgument,
          "train.optimizer.average.start: {} must be at least 1, the first step", config.start);
  require(config.every >= 1, Code::kInvalidArgument,
          "train.optimizer.average.every: {} must be at least 1; 1 takes every step", config.every);
}

void WeightAverage::step(const Scalars& scalars, Tape& tape) {
  inner_->step(scalars, tape);
  kernels::AverageArgs args;
  args.average = average_.data<float>();
  args.param = store_.values().data<float>();
  args.step = scalars.step.data<int64_t>();
  args.n = average_.size();
  args.start = config_.start;
  args.every = config_.every;
  args.decay = config_.decay;
  args.kind =
      config_.kind == Average::kSwa ? kernels::AverageKind::kSwa : kernels::AverageKind::kEma;
  args.warm_up = config_.warm_up;
  engine_.launch("average", &kernels::average_weights, args, 3 * args.n);
}

std::vector<NamedState> WeightAverage::state() const {
  std::vector<NamedState> all = inner_->state();
  all.push_back({"average", average_});
  return all;
}

}  // namespace ingot::optim
