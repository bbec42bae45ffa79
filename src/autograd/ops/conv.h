// SPDX-License-Identifier: Apache-2.0
// Convolution of channels-last images and its adjoint, the transposed convolution, with bias and
// activation fused. Images are [batch, height, width, channels], weights [out_channels, kernel_h,
// kernel_w, in_channels / groups]; there is no other layout and no hidden conversion. An image's
// bytes depend on that image and the weights only. Called by nn/conv.h and by models.
#pragma once

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace ingot::ops {

/// Zeros around an image, in pixels; convolution, pooling and pad2d share it. Never negative.
struct Padding2d {
  int64_t top = 0, bottom = 0, left = 0, right = 0;

  [[nodiscard]] static constexpr Padding2d all(int64_t pixels) {
    return {pixels, pixels, pixels, pixels};
  }
};

/// Padding that gives ceil(size / stride) outputs per axis ("same" of Keras and TensorFlow: the odd
/// pixel goes below and to the right).
[[nodiscard]] Padding2d same_padding(const Tensor& x, int64_t kernel_h, int64_t kernel_w,
                                     int64_t stride_h, int64_t stride_w, int64_t dilation_h = 1,
                                     int64_t dilation_w = 1);
/// The same of one axis, both sides together.
[[nodiscard]] int64_t same_padding(int64_t size, int64_t kernel, int64_t stride,
                                   int64_t dilation = 1);

/// Windows along one axis of `size` pixels with `padding` on both sides together; 0: none fits.
[[nodiscard]] int64_t conv_outputs(int64_t size, int64_t padding, int64_t kernel, int64_t stride,
                                   int64_t dilation = 1);

/// Pixels along one axis that a transposed convolution makes of `size`; 0 or less: the padding
/// leaves none.
[[nodiscard]] int64_t conv_transpose_outputs(int64_t size, int64_t padding, int64_t kernel,
                                             int64_t stride, int64_t dilation,
                                             int64_t output_padding);
/// Whether output_padding picks among the sizes that a convolution maps to one: not negative, and
/// below the stride or the dilation.
[[nodiscard]] bool is_output_padding(int64_t output_padding, int64_t stride, int64_t dilation);

struct Conv2dOptions {
  int64_t stride_h = 1, stride_w = 1;
  Padding2d padding;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t groups = 1;
};

/// y[n, i, j, o] = activation(bias[o] + Σ x[n, i·stride_h − top + u·dilation_h,
///                                          j·stride_w − left + v·dilation_w, c]·weight[o, u, v,
///                                          c])
/// over the channels c of o's group; pixels outside the image are zero (cross-correlation, as in
/// every framework). x [batch, height, width, in_channels], weight [out_channels, kernel_h,
/// kernel_w, in_channels / groups], bias [out_channels] or empty → [batch, out_h, out_w,
/// out_channels] with out_h = ⌊(height + top + bottom − dilation_h·(kernel_h − 1) − 1) / stride_h⌋
/// + 1. Throws kShapeMismatch, kDtypeMismatch, kInvalidArgument. Cost
/// 2·batch·out_h·out_w·out_channels· kernel_h·kernel_w·in_channels/groups FLOP; memory beside the
/// tensors: one packed copy of weight.
[[nodiscard]] Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                            const Conv2dOptions& options = {},
                            kernels::Activation activation = kernels::Activation::kNone);

/// The gradient of a convolution used as a layer: out_h = (height − 1)·stride_h − top − bottom +
/// dilation_h·(kernel_h − 1) + output_padding_h + 1 (Dumoulin 2016, section 4). x [batch, height,
/// width, in_channels], weight [in_channels, kernel_h, kernel_w, out_channels / groups] (of the
/// convolution it undoes), bias [out_channels] or empty → [batch, out_h, out_w, out_channels].
/// output_padding picks among the sizes that a strided convolution maps to one; below stride or
/// dilation. Throws as conv2d. Cost as that convolution.
struct ConvTranspose2dOptions : Conv2dOptions {
  int64_t output_padding_h = 0, output_padding_w = 0;
};
[[nodiscard]] Tensor conv_transpose2d(const Tensor& x, const Tensor& weight,
                                      const Tensor& bias = {},
                                      const ConvTranspose2dOptions& options = {},
                                      kernels::Activation activation = kernels::Activation::kNone);

}  // namespace ingot::ops
