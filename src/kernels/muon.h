// SPDX-License-Identifier: Apache-2.0
// The elementwise parts of Muon (Jordan 2024): momentum, normalisation, the blends of its
// Newton-Schulz steps and the update. The products between them are gemm's (optim/muon.cpp has the
// order). Scalars that change per step are read through pointers.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// g = grad_scale grad;  buf = momentum buf + (1 - momentum) g
/// out = nesterov ? momentum buf + (1 - momentum) g : buf
struct MuonMomentumArgs {
  static constexpr int kPointers = 4;
  const float* grad = nullptr;
  float* momentum_buffer = nullptr;
  float* out = nullptr;
  const float* grad_scale = nullptr;  ///< null: 1
  int64_t n = 0;
  float momentum = 0.95F;
  bool nesterov = true;
};
void muon_momentum(const MuonMomentumArgs& args, Team& team);

/// x /= max(sqrt(*sum_squares), eps): then no singular value is above 1.
struct MuonNormalizeArgs {
  static constexpr int kPointers = 2;
  float* x = nullptr;
  const double* sum_squares = nullptr;
  int64_t n = 0;
  double eps = 1e-7;
};
void muon_normalize(const MuonNormalizeArgs& args, Team& team);

/// dst = alpha x + beta dst.
struct BlendArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;
  float* dst = nullptr;
  int64_t n = 0;
  float alpha = 1.0F;
  float beta = 1.0F;
};
void blend(const BlendArgs& args, Team& team);

/// p = (1 - lr weight_decay) p - lr scale direction.
struct MuonApplyArgs {
  static constexpr int kPointers = 3;
  float* param = nullptr;
  const float* direction = nullptr;
  const float* lr = nullptr;
  int64_t n = 0;
  double scale = 1.0;
  double weight_decay = 0.0;
};
void muon_apply(const MuonApplyArgs& args, Team& team);

}  // namespace ingot::kernels
