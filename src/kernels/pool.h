// SPDX-License-Identifier: Apache-2.0
// Pooling of channels-last float32 images [batch, in_h, in_w, channels], each channel by itself:
// the largest or the mean of a window, and gradients. Windows have a fixed size and stride, or are
// the bins of a fixed number of outputs. A window is read row by row; each image's bytes depend on
// that image only, and on no team. Called by autograd/ops/pool.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// One axis: output i reads [i * stride - before, + kernel), or, when `is_adaptive`,
/// [floor(i * in / out), ceil((i + 1) * in / out)); pixels outside [0, in) do not exist. Every
/// window must hold at least one pixel.
struct PoolAxis {
  int64_t in = 0, out = 0;
  int64_t kernel = 1, stride = 1;
  int64_t before = 0, after = 0;  // padding; `after` only limits what counts_padding counts
  bool is_adaptive = false;
};

struct PoolShape {
  int64_t batch = 0, channels = 0;
  PoolAxis y, x;
};

/// y = the largest of the window; index (null: not wanted) = its pixel's number in the image, the
/// first one among equals. The first NaN wins over everything.
struct MaxPoolArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  float* y = nullptr;        // [batch, out_h, out_w, channels]
  int32_t* index = nullptr;  // as y
  PoolShape shape;
};
void max_pool(const MaxPoolArgs& args, Team& team);

/// dx[index] (+)= dy, in the order of the output pixels.
struct MaxPoolGradArgs {
  static constexpr int kPointers = 3;
  const float* dy = nullptr;
  const int32_t* index = nullptr;
  float* dx = nullptr;
  PoolShape shape;
  bool accumulate = false;
};
void max_pool_grad(const MaxPoolGradArgs& args, Team& team);

/// y = sum of the window / count: its pixels inside the image, or with counts_padding also those in
/// the padding.
struct AvgPoolArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;
  float* y = nullptr;
  PoolShape shape;
  bool counts_padding = false;
};
void avg_pool(const AvgPoolArgs& args, Team& team);

/// dx[each pixel of the window] (+)= dy / count.
struct AvgPoolGradArgs {
  static constexpr int kPointers = 2;
  const float* dy = nullptr;
  float* dx = nullptr;
  PoolShape shape;
  bool counts_padding = false;
  bool accumulate = false;
};
void avg_pool_grad(const AvgPoolGradArgs& args, Team& team);

}  // namespace ingot::kernels
