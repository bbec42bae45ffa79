// SPDX-License-Identifier: Apache-2.0
// Scalar updates in double for kernels/optimizer.h. Tests call it.
#include "kernels/reference/optimizer.h"

#include <cmath>

namespace ingot::kernels::reference {

void sgd(const SgdRule& rule, double grad, double& param, double& buffer) {
  double g = grad + rule.weight_decay * param;
  if (rule.has_momentum) {
    buffer = rule.momentum * buffer + g;
    g = rule.nesterov ? g + rule.momentum * buffer : buffer;
  }
  param -= rule.lr * g;
}

void adam(const AdamRule& rule, int64_t step, double grad, double& param, double& m, double& v) {
  double g = grad;
  if (rule.decoupled) {
    param -= rule.lr * rule.weight_decay * param;
  } else {
    g += rule.weight_decay * param;
  }
  m = rule.beta1 * m + (1.0 - rule.beta1) * g;
  v = rule.beta2 * v + (1.0 - rule.beta2) * g * g;
  const auto t = static_cast<double>(step);
  const double c1 = rule.bias_correction ? 1.0 - std::pow(rule.beta1, t) : 1.0;
  const double c2 = rule.bias_correction ? 1.0 - std::pow(rule.beta2, t) : 1.0;
  if (rule.eps_hat) {
    param -= rule.lr * std::sqrt(c2) / c1 * m / (std::sqrt(v) + rule.eps);
  } else {
    param -= rule.lr * (m / c1) / (std::sqrt(v / c2) + rule.eps);
  }
}

}  // namespace ingot::kernels::reference
