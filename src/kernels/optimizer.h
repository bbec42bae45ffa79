// SPDX-License-Identifier: Apache-2.0
// Optimiser updates as one fused pass over flat float32 slabs, with PyTorch's formulas. Learning
// rate, step number and gradient factor (clipping) are read through one-element pointers, so a
// recorded step replays with new values. Elementwise: zero padding stays zero. Sums of squares use
// double accumulators in fixed blocks. The row-sparse variants give exactly the bytes of the dense
// update with zero gradient for the untouched rows. Further rules are in adaptive.h and muon.h,
// averages of weights in weight_passes.h. Called by optim/.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// g = grad_scale grad + weight_decay p;  buf = momentum buf + g;
/// p -= lr (nesterov ? g + momentum buf : buf). momentum_buffer starts at zero; null: no momentum.
/// Row-sparse when unique_ids is set: grad is [*unique_count, cols], ids ascending, n % cols == 0.
struct SgdArgs {
  static constexpr int kPointers = 7;
  float* param = nullptr;
  const float* grad = nullptr;
  float* momentum_buffer = nullptr;
  const float* lr = nullptr;
  const float* grad_scale = nullptr;      ///< null: 1
  const int64_t* unique_ids = nullptr;    ///< null: dense
  const int64_t* unique_count = nullptr;  ///< null: dense
  int64_t n = 0;
  int64_t cols = 0;  ///< row length of the sparse form
  float momentum = 0.0F;
  float weight_decay = 0.0F;
  bool nesterov = false;
};
void sgd(const SgdArgs& args, Team& team);

/// Adam, or AdamW when `decoupled`:
///   g = grad_scale grad;  decoupled: p *= 1 - lr weight_decay;  else: g += weight_decay p
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///   p -= lr / c1 * m / (sqrt(v) / sqrt(c2) + eps),  c = 1 - beta^step (1 without bias correction)
/// With eps_hat, Kingma's second form (TensorFlow, Keras): eps / sqrt(c2) in place of eps.
/// *step is 1 for the first update. Row-sparse as in SgdArgs.
struct AdamArgs {
  static constexpr int kPointers = 9;
  float* param = nullptr;
  const float* grad = nullptr;
  float* m = nullptr;
  float* v = nullptr;
  const float* lr = nullptr;
  const int64_t* step = nullptr;
  const float* grad_scale = nullptr;      ///< null: 1
  const int64_t* unique_ids = nullptr;    ///< null: dense
  const int64_t* unique_count = nullptr;  ///< null: dense
  int64_t n = 0;
  int64_t cols = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  bool decoupled = true;
  bool bias_correction = true;
  bool eps_hat = false;
};
void adam(const AdamArgs& args, Team& team);

/// *out (+)= sum x[i]^2 over n * (count ? *count : 1) elements, in double. scratch:
/// block_scratch_bytes of the largest number of elements.
struct SumSquaresArgs {
  static constexpr int kPointers = 4;
  const float* x = nullptr;
  const int64_t* count = nullptr;  ///< rows of a row-sparse gradient (n = row length), or null
  double* out = nullptr;
  void* scratch = nullptr;
  int64_t n = 0;
  bool accumulate = false;
};
[[nodiscard]] int64_t block_scratch_bytes(int64_t elements);
void sum_squares(const SumSquaresArgs& args, Team& team);

/// norm = sqrt(*sum_squares); *coefficient = min(1, max_norm / (norm + 1e-6)), PyTorch's
/// clip_grad_norm_; NaN for a norm that is not a number. max_norm <= 0: always 1.
struct ClipArgs {
  static constexpr int kPointers = 3;
  const double* sum_squares = nullptr;
  float* coefficient = nullptr;
  float* norm = nullptr;  ///< may be null
  float max_norm = 0.0F;
};
void clip_coefficient(const ClipArgs& args, Team& team);

/// *first = index of the first element that is NaN or infinite, or -1. Size and scratch as above.
struct FiniteCheckArgs {
  static constexpr int kPointers = 4;
  const float* x = nullptr;
  const int64_t* count = nullptr;
  int64_t* first = nullptr;
  void* scratch = nullptr;
  int64_t n = 0;
};
void finite_check(const FiniteCheckArgs& args, Team& team);

}  // namespace ingot::kernels
