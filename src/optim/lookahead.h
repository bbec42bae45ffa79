// SPDX-License-Identifier: Apache-2.0
// Lookahead (Zhang 2019) around any rule: slow weights that move a share of the way to the fast
// ones every few steps, where the fast ones then start again. The inner rule's state is kept, and
// running statistics of batch norm are left alone. One slab.
#pragma once

#include <memory>

#include "optim/optimizer.h"

namespace ingot::optim {

class Lookahead : public Optimizer {
 public:
  Lookahead(const LookaheadConfig& config, std::unique_ptr<Optimizer> inner, Engine& engine,
            nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;
  /// The inner state, and "slow".
  [[nodiscard]] std::vector<NamedState> state() const override;
  void reset() override { inner_->reset(); }  // the first step copies the weights

 private:
  void move(const Scalars& scalars, bool is_before);

  LookaheadConfig config_;
  std::unique_ptr<Optimizer> inner_;
  Engine& engine_;
  nn::ParameterStore& store_;
  Tensor slow_;
};

}  // namespace ingot::optim
