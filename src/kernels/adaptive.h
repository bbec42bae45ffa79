// SPDX-License-Identifier: Apache-2.0
// Optimiser updates beside SGD and Adam (optimizer.h), under the same contract: one fused pass over
// flat float32 slabs; learning rate, step and gradient factor read through one-element pointers;
// zero padding stays zero; row-sparse gradients give the bytes of dense ones with zero rows.
// Everywhere g = grad_scale grad + weight_decay p unless said otherwise. Called by optim/.
#pragma once

#include <cstdint>

#include "kernels/optimizer.h"

namespace ingot::kernels {

/// RMSprop (Tieleman 2012), PyTorch's form:
///   v = alpha v + (1 - alpha) g^2;  centered: a = alpha a + (1 - alpha) g, w = max(v - a^2, 0),
///   else w = v;  d = g / (eps_inside ? sqrt(w + eps) : sqrt(w) + eps)
///   momentum: buf = momentum buf + d, p -= lr buf;  else p -= lr d
/// eps_inside is TensorFlow's place for it.
struct RmspropArgs {
  static constexpr int kPointers = 9;
  float* param = nullptr;
  const float* grad = nullptr;
  float* square = nullptr;           ///< v
  float* mean = nullptr;             ///< a; null: not centered
  float* momentum_buffer = nullptr;  ///< null: no momentum
  const float* lr = nullptr;
  const float* grad_scale = nullptr;      ///< null: 1
  const int64_t* unique_ids = nullptr;    ///< null: dense
  const int64_t* unique_count = nullptr;  ///< null: dense
  int64_t n = 0;
  int64_t cols = 0;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double momentum = 0.0;
  bool eps_inside = false;
};
void rmsprop(const RmspropArgs& args, Team& team);

/// Adagrad (Duchi 2011): sum += g^2;  p -= lr / (1 + (step - 1) lr_decay) g / (sqrt(sum) + eps).
/// Rows of a row-sparse table without a gradient are not touched when weight_decay is 0.
struct AdagradArgs {
  static constexpr int kPointers = 8;
  float* param = nullptr;
  const float* grad = nullptr;
  float* sum = nullptr;
  const float* lr = nullptr;
  const int64_t* step = nullptr;
  const float* grad_scale = nullptr;
  const int64_t* unique_ids = nullptr;
  const int64_t* unique_count = nullptr;
  int64_t n = 0;
  int64_t cols = 0;
  double lr_decay = 0.0;
  double eps = 1e-10;
  double weight_decay = 0.0;
};
void adagrad(const AdagradArgs& args, Team& team);

/// Adadelta (Zeiler 2012): v = rho v + (1 - rho) g^2;  d = sqrt(u + eps) / sqrt(v + eps) g
///   u = rho u + (1 - rho) d^2;  p -= lr d
struct AdadeltaArgs {
  static constexpr int kPointers = 8;
  float* param = nullptr;
  const float* grad = nullptr;
  float* square = nullptr;  ///< v
  float* change = nullptr;  ///< u
  const float* lr = nullptr;
  const float* grad_scale = nullptr;
  const int64_t* unique_ids = nullptr;
  const int64_t* unique_count = nullptr;
  int64_t n = 0;
  int64_t cols = 0;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0.0;
};
void adadelta(const AdadeltaArgs& args, Team& team);

/// NAdam (Dozat 2016), PyTorch's form: mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2), m and v as
/// Adam's, q = m-hat's factors from the products of mu:
///   d = sqrt(v) / sqrt(1 - beta2^step) + eps
///   p -= lr (1 - mu(step)) / (1 - mu(1)..mu(step)) g / d
///      + lr mu(step + 1) / (1 - mu(1)..mu(step + 1)) m / d
/// `decoupled`: p *= 1 - lr weight_decay instead of the term in g. `product` remembers the last
/// step and its product, a pure function of the step: the whole of it is worked out when they do
/// not fit.
struct NadamArgs {
  static constexpr int kPointers = 10;
  float* param = nullptr;
  const float* grad = nullptr;
  float* m = nullptr;
  float* v = nullptr;
  const float* lr = nullptr;
  const int64_t* step = nullptr;
  double* product = nullptr;  ///< [2]: step, mu(1) .. mu(step)
  const float* grad_scale = nullptr;
  const int64_t* unique_ids = nullptr;
  const int64_t* unique_count = nullptr;
  int64_t n = 0;
  int64_t cols = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double momentum_decay = 4e-3;
  bool decoupled = false;
};
void nadam(const NadamArgs& args, Team& team);

/// Lion (Chen 2023), g without decay:
///   p = (1 - lr weight_decay) p - lr sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g
struct LionArgs {
  static constexpr int kPointers = 7;
  float* param = nullptr;
  const float* grad = nullptr;
  float* m = nullptr;
  const float* lr = nullptr;
  const float* grad_scale = nullptr;
  const int64_t* unique_ids = nullptr;
  const int64_t* unique_count = nullptr;
  int64_t n = 0;
  int64_t cols = 0;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.0;
};
void lion(const LionArgs& args, Team& team);

}  // namespace ingot::kernels
