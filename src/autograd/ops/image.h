// SPDX-License-Identifier: Apache-2.0
// Ops that move or resample pixels of channels-last images [batch, height, width, channels], and
// one_hot. Throw kShapeMismatch, kDtypeMismatch, kInvalidArgument. Called by models and by data
// transforms that run on tensors.
#pragma once

#include "autograd/ops/conv.h"
#include "tensor/tensor.h"

namespace ingot::ops {

enum class PadMode : uint8_t {
  kZero,
  kReflect,  ///< mirrored without repeating the edge: 2 1 | 0 1 2 | 1 0; padding < size
};
/// x with pixels added around it → [batch, height + top + bottom, width + left + right, channels].
[[nodiscard]] Tensor pad2d(const Tensor& x, const Padding2d& padding,
                           PadMode mode = PadMode::kZero);

enum class UpsampleMode : uint8_t {
  kNearest,   ///< source index ⌊i·in/out⌋
  kBilinear,  ///< pixel centres at half: source (i + ½)·in/out − ½, clamped to the image
};
/// x resampled to out_h × out_w pixels (PyTorch's interpolate without align_corners; no
/// antialiasing when it gets smaller).
[[nodiscard]] Tensor upsample2d(const Tensor& x, int64_t out_h, int64_t out_w,
                                UpsampleMode mode = UpsampleMode::kNearest);

/// ids int32 or int64 [...] → float32 [..., classes] with 1 at the id, 0 elsewhere. An id outside
/// [0, classes) gives a row of zeros while a step is recorded and throws kInvalidArgument when the
/// values are known. No gradient.
[[nodiscard]] Tensor one_hot(const Tensor& ids, int64_t classes);

}  // namespace ingot::ops
