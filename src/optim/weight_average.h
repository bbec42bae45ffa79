// SPDX-License-Identifier: Apache-2.0
// An average of the weights beside any rule: exponential (EMA; Polyak 1992) or equal over chosen
// steps (SWA; Izmailov 2018). The weights that train are not touched; the average is what
// validation sees and what is exported. Running statistics of batch norm are averaged by the same
// rule, so that they belong to the averaged weights: for EMA as timm's ModelEmaV2 and PyTorch's
// AveragedModel(use_buffers=True) do; for SWA they are the mean of the snapshots' statistics, where
// Izmailov estimates them anew (docs/formulas.md). One slab, in checkpoints as "average".
#pragma once

#include <memory>

#include "optim/optimizer.h"

namespace ingot::optim {

class WeightAverage : public Optimizer {
 public:
  WeightAverage(const AverageConfig& config, std::unique_ptr<Optimizer> inner, Engine& engine,
                nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;
  [[nodiscard]] std::vector<NamedState> state() const override;
  void reset() override { inner_->reset(); }  // the first step copies the weights
  [[nodiscard]] Tensor average() const override { return average_; }

 private:
  AverageConfig config_;
  std::unique_ptr<Optimizer> inner_;
  Engine& engine_;
  nn::ParameterStore& store_;
  Tensor average_;
};

}  // namespace ingot::optim
