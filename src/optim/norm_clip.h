// SPDX-License-Identifier: Apache-2.0
// The norm of all gradients together and the factor that shortens them to a largest norm (Pascanu
// 2013). The factor goes to the optimiser as a one-element buffer, so that a recorded step replays
// with new values. Called by train/step and optim/learner.
#pragma once

#include "optim/optimizer.h"

namespace ingot::optim {

class NormClip {
 public:
  explicit NormClip(Engine& engine);

  /// Launches norm and scalars.grad_scale = min(1, max_norm / norm), or 1 when max_norm is 0. After
  /// Tape::finish_step.
  void launch(nn::ParameterStore& store, const Tape& tape, const Scalars& scalars, float max_norm);
  [[nodiscard]] const Tensor& norm() const { return norm_; }  ///< float32 []

 private:
  void add_squares(const float* x, const int64_t* count, int64_t n, int64_t most, bool accumulate);

  Engine& engine_;
  Tensor sum_squares_;  // float64 []
  Tensor norm_;
};

}  // namespace ingot::optim
