// SPDX-License-Identifier: Apache-2.0
// Kernels that move or resample pixels of channels-last float32 images [batch, height, width,
// channels], and one_hot. Every output element is written once by one worker, in an order of
// additions fixed by the sizes; an image's bytes depend on that image only. Called by
// autograd/ops/image. Windows are pool.h and conv.h.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// y = x with `top` rows above it, `left` columns before it and the rest behind, zero or mirrored
/// about the edge pixel (then every padding is below the size).
struct PadArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;  // [batch, in_h, in_w, channels]
  float* y = nullptr;        // [batch, out_h, out_w, channels]
  int64_t batch = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  int64_t top = 0, left = 0;
  bool is_reflect = false;
};
void pad(const PadArgs& args, Team& team);

/// dx (+)= the sum of dy over the pixels that x's pixel was copied to, in row-major order.
struct PadGradArgs {
  static constexpr int kPointers = 2;
  const float* dy = nullptr;
  float* dx = nullptr;
  int64_t batch = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  int64_t top = 0, left = 0;
  bool is_reflect = false;
  bool accumulate = false;
};
void pad_grad(const PadGradArgs& args, Team& team);

/// Nearest: y[i] = x[floor(i in / out)]. Bilinear: the source coordinate of pixel i is
/// max((i + 1/2) in / out - 1/2, 0), and y mixes the two pixels around it (the last one alone at
/// the edge), rows first weighted along x, then along y.
struct ResizeArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;
  float* y = nullptr;
  int64_t batch = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  bool is_bilinear = false;
};
void resize(const ResizeArgs& args, Team& team);

/// dx (+)= the weights above times dy, in row-major order of the output pixels.
struct ResizeGradArgs {
  static constexpr int kPointers = 2;
  const float* dy = nullptr;
  float* dx = nullptr;
  int64_t batch = 0, in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  bool is_bilinear = false;
  bool accumulate = false;
};
void resize_grad(const ResizeGradArgs& args, Team& team);

/// out[i, c] = (ids[i] == c).
struct OneHotArgs {
  static constexpr int kPointers = 2;
  const void* ids = nullptr;  // int32 or int64 [count]
  float* out = nullptr;       // [count, classes]
  int64_t count = 0, classes = 0;
  IdType id_type = IdType::kInt32;
};
void one_hot(const OneHotArgs& args, Team& team);

}  // namespace ingot::kernels
