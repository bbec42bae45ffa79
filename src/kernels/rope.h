// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding (Su et al., RoFormer): pairs of a head's first rotary_dim elements are
// rotated by position * theta^(-2 i / rotary_dim); the elements after rotary_dim are copied.
//   kHalf (Hugging Face): the pair is (x[i], x[i + rotary_dim/2]); kInterleaved: (x[2i], x[2i+1]).
//   y0 = x0 cos - x1 sin;  y1 = x1 cos + x0 sin.  The gradient is the same with `inverse`.
// Row-invariant: an element depends on its pair and position only. Called by autograd/ops/rope and
// by the serving engine. Tables are filled once, in double, by rope_tables.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

enum class RopeStyle : int32_t { kHalf = 0, kInterleaved = 1 };

/// x and y: element (b, s, h, d) at b*batch + s*seq + h*head strides + d. y may be x with the same
/// strides when not accumulating.
struct RopeArgs {
  static constexpr int kPointers = 5;
  const float* x = nullptr;
  const float* cos = nullptr;          ///< [max_pos, rotary_dim / 2]
  const float* sin = nullptr;          ///< [max_pos, rotary_dim / 2]
  const int32_t* positions = nullptr;  ///< [batch * seq], or null: the index in the sequence
  float* y = nullptr;
  int64_t batch = 0;
  int64_t seq = 0;
  int64_t heads = 0;
  int64_t head_dim = 0;
  int64_t rotary_dim = 0;    ///< even, at most head_dim
  int64_t x_stride[3] = {};  ///< batch, seq, head, in elements
  int64_t y_stride[3] = {};
  RopeStyle style = RopeStyle::kHalf;
  bool inverse = false;     ///< rotate back: the gradient
  bool accumulate = false;  ///< y += instead of y =
};
void rope(const RopeArgs& args, Team& team);

/// cos[p, i] = cos(p theta^(-2 i / rotary_dim)), sin alike, computed in double, rounded once.
void rope_tables(int64_t max_pos, int64_t rotary_dim, double theta, float* cos, float* sin);

}  // namespace ingot::kernels
