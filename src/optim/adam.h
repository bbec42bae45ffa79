// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma 2015) and AdamW (Loshchilov 2019), PyTorch's formulas: eps outside the square root
// (eps_hat: before its correction, as Keras), AdamW's decay before the step. Row-sparse gradients
// give the same bytes as dense ones with zero rows: the means of untouched rows decay too.
#pragma once

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Adam : public SlabOptimizer {
 public:
  Adam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
      : Adam(config, engine, store, store.groups()) {}
  /// Updates only `groups` of the dense part, and the row-sparse tables.
  Adam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store,
       const std::vector<nn::ParameterGroup>& groups);
  void step(const Scalars& scalars, Tape& tape) override;

 private:
  Tensor m_, v_;
};

}  // namespace ingot::optim
