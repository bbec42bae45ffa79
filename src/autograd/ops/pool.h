// SPDX-License-Identifier: Apache-2.0
// Pooling of channels-last images [batch, height, width, channels], each channel by itself. An
// image's bytes depend on that image only. Throw kShapeMismatch, kDtypeMismatch, kInvalidArgument.
// Called by nn/pool.h and by models.
#pragma once

#include "autograd/ops/conv.h"
#include "tensor/tensor.h"

namespace ingot::ops {

/// Windows of kernel_h × kernel_w pixels; stride 0 means the kernel's size. out = ⌊(height + top +
/// bottom − kernel_h) / stride_h⌋ + 1, rounded up with is_ceil unless the last window would start
/// in the bottom padding (PyTorch's rule). Padding is at most half of the kernel.
struct Pool2dOptions {
  int64_t kernel_h = 2, kernel_w = 2;
  int64_t stride_h = 0, stride_w = 0;
  Padding2d padding;
  bool is_ceil = false;
  bool counts_padding = true;  ///< average: padded zeros count (PyTorch's count_include_pad);
                               ///< false is Keras's "same"
};

/// Windows along one axis of `in` pixels with padding before and after it; 0: none fits.
[[nodiscard]] int64_t pool_outputs(int64_t in, int64_t kernel, int64_t stride, int64_t before,
                                   int64_t after, bool is_ceil);

/// Largest element of each window; padding never wins. The gradient goes to the first element, in
/// row-major order, that has the value; a NaN wins over everything.
[[nodiscard]] Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options);
/// Mean of each window.
[[nodiscard]] Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options);

/// Output row i pools rows [⌊i·height/out_h⌋, ⌈(i + 1)·height/out_h⌉), columns alike (PyTorch's
/// bins, which may overlap). out_h = out_w = 1 is global pooling.
[[nodiscard]] Tensor adaptive_max_pool2d(const Tensor& x, int64_t out_h, int64_t out_w);
[[nodiscard]] Tensor adaptive_avg_pool2d(const Tensor& x, int64_t out_h, int64_t out_w);

}  // namespace ingot::ops
