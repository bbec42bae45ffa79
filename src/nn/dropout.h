// SPDX-License-Identifier: Apache-2.0
// Dropout with one mask for all steps of a sequence (Gal and Ghahramani 2016): the same features
// are missing at every step, so a recurrent layer cannot read them from the step before. Masks are
// those of ops::dropout, pure functions of seed, step and op.
#pragma once

#include "autograd/op.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/norm.h"

namespace ingot::nn {

/// 0 with probability `rate`, else 1 / (1 - rate).
[[nodiscard]] inline Tensor dropout_factors(Engine& engine, const Shape& shape, float rate) {
  const Tensor ones = Tensor::empty(engine, shape);
  ops::fill(ones, 1.0F);
  return ops::dropout(ones, rate);
}

/// x [batch, seq, features] without some of its features.
[[nodiscard]] inline Tensor sequence_dropout(const Tensor& x, float rate) {
  return ops::mul(x, dropout_factors(x.engine(), {x.dim(0), 1, x.dim(2)}, rate));
}

}  // namespace ingot::nn
