// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma 2015) and AdamW (Loshchilov 2019), PyTorch's formulas: eps outside the square root,
// AdamW's decay before the step. Row-sparse gradients give the same bytes as dense ones with zero
// rows: the means of untouched rows decay too.
#pragma once

#include "optim/optimizer.h"

namespace ingot::optim {

class Adam : public Optimizer {
 public:
  Adam(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;
  [[nodiscard]] std::vector<NamedState> state() const override;

 private:
  OptimizerConfig config_;
  Engine& engine_;
  nn::ParameterStore& store_;
  Tensor m_, v_;
};

}  // namespace ingot::optim
