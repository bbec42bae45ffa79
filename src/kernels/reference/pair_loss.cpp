// SPDX-License-Identifier: Apache-2.0
// The formulas of kernels/pair_loss.h as they stand in their papers, in double.
#include "kernels/reference/pair_loss.h"

#include <algorithm>
#include <cmath>

namespace ingot::kernels::reference {
namespace {

double log_sigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::fabs(x))); }

double sigmoid(double x) { return std::exp(log_sigmoid(x)); }

struct Shares {
  double yes, no;
};
Shares focal_shares(const PairRule& rule, double t) {
  if (rule.second < 0.0) return {t, 1.0 - t};
  return {rule.second * t, (1.0 - rule.second) * (1.0 - t)};
}

double focal_value(const PairRule& rule, double x, double t) {
  const Shares s = focal_shares(rule, t);
  return -s.yes * std::pow(sigmoid(-x), rule.first) * log_sigmoid(x) -
         s.no * std::pow(sigmoid(x), rule.first) * log_sigmoid(-x);
}

double focal_slope(const PairRule& rule, double x, double t) {
  const Shares s = focal_shares(rule, t);
  const double p = sigmoid(x), q = sigmoid(-x), g = rule.first;
  const double yes = std::pow(q, g) * (g * p * log_sigmoid(x) - q);
  const double no = std::pow(p, g) * (p - g * q * log_sigmoid(-x));
  return s.yes * yes + s.no * no;
}

double huber_value(double delta, double d) {
  const double size = std::fabs(d);
  return size <= delta ? 0.5 * d * d : delta * (size - 0.5 * delta);
}

double sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0; }

}  // namespace

double pair_loss_value(const PairRule& rule, double x, double target, double pos_weight) {
  const double d = x - target;
  switch (rule.loss) {
    case PairLoss::kMse:
      return d * d;
    case PairLoss::kBceWithLogits:
      return -pos_weight * target * log_sigmoid(x) - (1.0 - target) * log_sigmoid(-x);
    case PairLoss::kMae:
      return std::fabs(d);
    case PairLoss::kHuber:
      return huber_value(rule.first, d);
    case PairLoss::kFocal:
      return focal_value(rule, x, target);
    case PairLoss::kKl:
      return target == 0.0 ? 0.0 : target * (std::log(target) - x);
    case PairLoss::kHinge:
      return std::pow(std::max(0.0, rule.first - target * x), rule.second);
  }
  return NAN;
}

double pair_loss_slope(const PairRule& rule, double x, double target, double pos_weight) {
  const double d = x - target;
  const double gap = rule.first - target * x;
  switch (rule.loss) {
    case PairLoss::kMse:
      return 2.0 * d;
    case PairLoss::kBceWithLogits:
      return -pos_weight * target * sigmoid(-x) + (1.0 - target) * sigmoid(x);
    case PairLoss::kMae:
      return sign(d);
    case PairLoss::kHuber:
      return std::clamp(d, -rule.first, rule.first);
    case PairLoss::kFocal:
      return focal_slope(rule, x, target);
    case PairLoss::kKl:
      return -target;
    case PairLoss::kHinge:
      return gap > 0.0 ? -target * rule.second * std::pow(gap, rule.second - 1.0) : 0.0;
  }
  return NAN;
}

}  // namespace ingot::kernels::reference
