// SPDX-License-Identifier: Apache-2.0
// Scalar updates in double for kernels/adaptive.h.
#include "kernels/reference/adaptive.h"

#include <algorithm>
#include <cmath>

namespace ingot::kernels::reference {

void rmsprop(const RmspropRule& rule, double grad, double& param, RmspropState& s) {
  const double g = grad + rule.weight_decay * param;
  s.square = rule.alpha * s.square + (1.0 - rule.alpha) * g * g;
  double size = s.square;
  if (rule.centered) {
    s.mean = rule.alpha * s.mean + (1.0 - rule.alpha) * g;
    size = std::max(0.0, size - s.mean * s.mean);
  }
  const double divisor = rule.eps_inside ? std::sqrt(size + rule.eps) : std::sqrt(size) + rule.eps;
  s.buffer = rule.momentum * s.buffer + g / divisor;
  param -= rule.lr * s.buffer;
}

void adagrad(const AdagradRule& rule, int64_t step, double grad, double& param, double& sum) {
  const double g = grad + rule.weight_decay * param;
  sum += g * g;
  const double lr = rule.lr / (1.0 + static_cast<double>(step - 1) * rule.lr_decay);
  param -= lr * g / (std::sqrt(sum) + rule.eps);
}

void adadelta(const AdadeltaRule& rule, double grad, double& param, double& square,
              double& change) {
  const double g = grad + rule.weight_decay * param;
  square = rule.rho * square + (1.0 - rule.rho) * g * g;
  const double d = std::sqrt(change + rule.eps) / std::sqrt(square + rule.eps) * g;
  change = rule.rho * change + (1.0 - rule.rho) * d * d;
  param -= rule.lr * d;
}

void nadam(const NadamRule& rule, int64_t step, double grad, double& param, double& m, double& v) {
  const auto mu = [&](int64_t t) {
    const double faded = std::pow(0.96, static_cast<double>(t) * rule.momentum_decay);
    return rule.beta1 * (1.0 - 0.5 * faded);
  };
  double product = 1.0;
  for (int64_t t = 1; t <= step; ++t) product *= mu(t);
  double g = grad;
  if (rule.decoupled) {
    param *= 1.0 - rule.lr * rule.weight_decay;
  } else {
    g += rule.weight_decay * param;
  }
  m = rule.beta1 * m + (1.0 - rule.beta1) * g;
  v = rule.beta2 * v + (1.0 - rule.beta2) * g * g;
  const double correction = 1.0 - std::pow(rule.beta2, static_cast<double>(step));
  const double divisor = std::sqrt(v / correction) + rule.eps;
  param -= rule.lr * (1.0 - mu(step)) / (1.0 - product) * g / divisor;
  param -= rule.lr * mu(step + 1) / (1.0 - product * mu(step + 1)) * m / divisor;
}

void lion(const LionRule& rule, double grad, double& param, double& m) {
  const double blend = rule.beta1 * m + (1.0 - rule.beta1) * grad;
  const double sign = blend > 0.0 ? 1.0 : blend < 0.0 ? -1.0 : 0.0;
  param = param * (1.0 - rule.lr * rule.weight_decay) - rule.lr * sign;
  m = rule.beta2 * m + (1.0 - rule.beta2) * grad;
}

}  // namespace ingot::kernels::reference
