// SPDX-License-Identifier: Apache-2.0
// Losses between two arrays of one shape, element by element, with d = x - t:
//   mse    d^2                             mae    |d|
//   huber  d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2)
//   bce    (1 - t) x + (1 + (w - 1) t) log(1 + e^-x),  w = pos_weight (Keras: the weight of t = 1)
//   focal  t a (1 - p)^g (-log p) + (1 - t) (1 - a) p^g (-log(1 - p)),  p = sigmoid(x)  (Lin 2017)
//   kl     t (log t - x), 0 for t = 0;  x is a log-probability
//   hinge  max(0, margin - t x)^power,  t = +-1
// Sums go by blocks of fixed size in vector lanes, joined in double. Called by
// autograd/ops/pair_loss.
#pragma once

#include <cstdint>

#include "kernels/loss.h"

namespace ingot::kernels {

enum class PairLoss : int32_t { kMse, kBceWithLogits, kMae, kHuber, kFocal, kKl, kHinge };

struct PairRule {
  PairLoss loss = PairLoss::kMse;
  float first = 1.0F;   ///< huber: delta; focal: g; hinge: margin
  float second = 0.0F;  ///< focal: a, negative for no a (both factors 1); hinge: power, 1 or 2
};

/// out (one element; [n] for kNone) = reduction of loss(x[i], target[i]), each times
/// row_weight[i / cols]; elements of a weight of 0 add 0 whatever their loss. kMean divides by n.
/// scratch: pair_loss_scratch_bytes(n), null allowed for kNone.
struct PairLossArgs {
  static constexpr int kPointers = 6;
  const float* x = nullptr;
  const float* target = nullptr;
  const float* row_weight = nullptr;  ///< [n / cols]; null: ones
  const float* pos_weight = nullptr;  ///< bce: [period], by i % period; null: ones
  float* out = nullptr;
  void* scratch = nullptr;
  int64_t n = 0;
  int64_t cols = 1;    ///< elements that share a row weight; divides n
  int64_t period = 1;  ///< of pos_weight: 1, or a divisor of n
  PairRule rule;
  LossReduction reduction = LossReduction::kMean;
};
[[nodiscard]] int64_t pair_loss_scratch_bytes(int64_t n);
void pair_loss(const PairLossArgs& args, Team& team);

/// dx (+)= upstream * weight * dloss/dx (/ n for kMean); upstream is one element, [n] for kNone.
/// dx may be x when not accumulating. At a kink the slope is 0 (mae at d = 0, hinge at its margin).
struct PairLossGradArgs {
  static constexpr int kPointers = 6;
  const float* x = nullptr;
  const float* target = nullptr;
  const float* row_weight = nullptr;
  const float* pos_weight = nullptr;
  const float* upstream = nullptr;
  float* dx = nullptr;
  int64_t n = 0;
  int64_t cols = 1;
  int64_t period = 1;
  PairRule rule;
  LossReduction reduction = LossReduction::kMean;
  bool accumulate = false;
};
void pair_loss_grad(const PairLossGradArgs& args, Team& team);

}  // namespace ingot::kernels
