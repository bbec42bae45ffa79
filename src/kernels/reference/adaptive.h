// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/adaptive.h in double: one element's update per call, as PyTorch's
// documentation (Lion: its paper's program) states it. Called by tests.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

struct RmspropRule {
  double lr, alpha, eps, weight_decay, momentum;
  bool centered, eps_inside;
};
struct RmspropState {
  double square = 0.0, mean = 0.0, buffer = 0.0;
};
void rmsprop(const RmspropRule& rule, double grad, double& param, RmspropState& state);

struct AdagradRule {
  double lr, lr_decay, eps, weight_decay;
};
void adagrad(const AdagradRule& rule, int64_t step, double grad, double& param, double& sum);

struct AdadeltaRule {
  double lr, rho, eps, weight_decay;
};
void adadelta(const AdadeltaRule& rule, double grad, double& param, double& square, double& change);

struct NadamRule {
  double lr, beta1, beta2, eps, weight_decay, momentum_decay;
  bool decoupled;
};
void nadam(const NadamRule& rule, int64_t step, double grad, double& param, double& m, double& v);

struct LionRule {
  double lr, beta1, beta2, weight_decay;
};
void lion(const LionRule& rule, double grad, double& param, double& m);

}  // namespace ingot::kernels::reference
