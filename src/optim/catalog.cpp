// SPDX-License-Identifier: Apache-2.0
// The optimisers by name.
#include "optim/adam.h"
#include "optim/sgd.h"

namespace ingot::optim {
namespace {

void check(const OptimizerConfig& c) {
  const auto in_unit = [](double x) { return x >= 0.0 && x < 1.0; };
  require(in_unit(c.momentum), Code::kInvalidArgument,
          "train.optimizer.momentum: {} is not in [0, 1); 0.9 is usual", c.momentum);
  require(in_unit(c.beta1) && in_unit(c.beta2), Code::kInvalidArgument,
          "train.optimizer: beta1 {} and beta2 {} must be in [0, 1); 0.9 and 0.999 are usual",
          c.beta1, c.beta2);
  require(c.eps > 0.0, Code::kInvalidArgument,
          "train.optimizer.eps: {} must be positive; 1e-8 is usual", c.eps);
  require(c.weight_decay >= 0.0F, Code::kInvalidArgument,
          "train.optimizer.weight_decay: {} is negative; 0.01 is usual", c.weight_decay);
  require(!c.nesterov || c.momentum > 0.0F, Code::kInvalidArgument,
          "train.optimizer.nesterov needs momentum; set train.optimizer.momentum=0.9");
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Engine& engine,
                                          nn::ParameterStore& store) {
  check(config);
  if (config.name == OptimizerKind::kSgd) return std::make_unique<Sgd>(config, engine, store);
  return std::make_unique<Adam>(config, engine, store);
}

}  // namespace ingot::optim
