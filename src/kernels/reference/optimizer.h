// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/optimizer.h in double: one element's update per call, as PyTorch's
// documentation states it. Called by tests.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

struct SgdRule {
  double lr;
  double momentum;
  double weight_decay;
  bool has_momentum;
  bool nesterov;
};
void sgd(const SgdRule& rule, double grad, double& param, double& buffer);

struct AdamRule {
  double lr;
  double beta1;
  double beta2;
  double eps;
  double weight_decay;
  bool decoupled;
  bool bias_correction;
  bool eps_hat;
};
void adam(const AdamRule& rule, int64_t step, double grad, double& param, double& m, double& v);

}  // namespace ingot::kernels::reference
