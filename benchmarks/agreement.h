// SPDX-License-Identifier: Apache-2.0
// Whether our first steps are the other side's: asked before anything is timed. Two float32
// programs add in different orders, so their losses part; how fast depends on the workload.
//   Without a float64 run: every loss within kLossTolerance of the other side's.
//   With one (workloads.h): the gradients of the first step are on average within
//   kGradientTolerance of those of float64, relative to the mean size of each tensor, or
//   kDriftFactor times as far as the farthest of the other side's float32 runs is (in deep networks
//   a rounding turns some ReLUs the other way, and the gradients of all layers before with them),
//   and up to every step our losses are
//   from the float64 ones no farther than kDriftFactor times as far as the other side's float32
//   was, or the farthest of its runs whose gradients were moved at random by the size of their own
//   rounding, or within kLossTolerance. That is what rounding does; a fault of ours would show in
//   the gradients, or as a distance that rounding does not explain.
// Called by train_steps.cpp.
#pragma once

#include <span>
#include <string>

#include "workloads.h"

namespace ingot::bench {

constexpr double kLossTolerance = 1e-4;
constexpr double kGradientTolerance = 1e-5;
constexpr double kDriftFactor = 3.0;

/// Largest relative distances over the first steps.
struct Agreement {
  double losses = 0.0;      ///< of our losses from the other side's float32
  double truth = 0.0;       ///< of our losses from its float64
  double peer_truth = 0.0;  ///< of its float32, disturbed or not, from its float64
};

/// Compares the losses of the first steps. Throws kNumeric, naming the step, when the rule above
/// does not hold.
[[nodiscard]] Agreement require_same_losses(const Workload& workload, std::span<const double> ours);

/// Compares the gradients that the first step left in `store` with those of `truth`; the weights
/// are unchanged. Returns the largest distance of a tensor.
/// Throws kNumeric naming the tensor.
double require_same_gradients(const Workload& workload, const Dump& truth, FixedTask& task,
                              const nn::ParameterStore& store);

}  // namespace ingot::bench
