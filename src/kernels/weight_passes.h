// SPDX-License-Identifier: Apache-2.0
// Passes over the weights around an optimiser's update: averages of them, look-ahead, penalties.
// What happens at a step is worked out from *step (1 for the first update) inside the call, so a
// recorded step replays. Elementwise; zero padding stays zero. Called by optim/.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

enum class AverageKind : int32_t { kNone, kEma, kSwa };

/// After the update of *step:
///   ema: average = d average + (1 - d) param, d = warm_up ? min(decay, (1 + t) / (10 + t)) : decay
///   swa: every `every` steps from `start` on, average = mean of the weights at those steps
///        (Izmailov 2018)
/// Up to and including step `start` (ema) or the first averaged step (swa) average = param, to the
/// bit; t counts the steps after that.
struct AverageArgs {
  static constexpr int kPointers = 3;
  float* average = nullptr;
  const float* param = nullptr;
  const int64_t* step = nullptr;
  int64_t n = 0;
  int64_t start = 1;
  int64_t every = 1;
  double decay = 0.999;
  AverageKind kind = AverageKind::kEma;
  bool warm_up = false;
};
void average_weights(const AverageArgs& args, Team& team);

/// Lookahead (Zhang 2019): before the first update slow = param (is_before); after every `every`
/// steps slow += share (param - slow), param = slow, with share = 1 - (1 - alpha) (step /
/// total)^ramp when ramp is above 0 and *total is known, else alpha. Other calls do nothing.
struct LookaheadArgs {
  static constexpr int kPointers = 4;
  float* param = nullptr;
  float* slow = nullptr;
  const int64_t* step = nullptr;
  const int64_t* total = nullptr;  ///< updates of the whole run; 0: not known
  int64_t n = 0;
  int64_t every = 5;
  double alpha = 0.5;
  double ramp = 0.0;
  bool is_before = false;
};
void lookahead(const LookaheadArgs& args, Team& team);

/// grad += l1 sign(param) + 2 l2 param: the gradient of l1 sum |p| + l2 sum p^2 (Keras' L1L2).
struct PenaltyArgs {
  static constexpr int kPointers = 2;
  const float* param = nullptr;
  float* grad = nullptr;
  int64_t n = 0;
  float l1 = 0.0F;
  float l2 = 0.0F;
};
void penalty(const PenaltyArgs& args, Team& team);

}  // namespace ingot::kernels
