// SPDX-License-Identifier: Apache-2.0
// Convolution of channels-last float32 images as an implicit matrix product: the patches of the
// image are gathered panel by panel into cache and never exist as a whole.
//   in [batch, in_h, in_w, in_channels], weight [out_channels, kernel_h, kernel_w,
//   in_channels / groups], out [batch, out_h, out_w, out_channels]
//   out[n, i, j, o] = sum over (u, v, c) of weight[o, u, v, c] *
//     in[n, i stride_h - pad_top + u dilation_h, j stride_w - pad_left + v dilation_w, c of group]
// Order of additions: that of gemm.h, with k = (u, v, c) for the product, the taps that reach an
// input pixel from the last to the first and then the output channels for its gradient, and the
// output pixels for the weight's. Depthwise ones (one channel in and out per group) add as said
// below. So bytes depend neither on the team nor, image by image, on the batch.
// The idea: Chetlur 2014 (cuDNN), section 3. Called by autograd/ops/conv. Pooling is pool.h.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// Sizes of a convolution. Padding below and to the right is what out_h and out_w imply. groups
/// divides both channel counts; kernel, stride, dilation at least 1.
struct ConvGeometry {
  int64_t batch = 0;
  int64_t in_h = 0, in_w = 0, in_channels = 0;
  int64_t out_h = 0, out_w = 0, out_channels = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t groups = 1;
};

/// result is activation(product + bias), or result += product when `accumulate` (then no epilogue).
/// conv: source is in, result is out, bias [out_channels]. conv_transposed: source is out's
/// gradient, result is in's, bias [in_channels]; with a bias it is the transposed convolution.
struct ConvArgs {
  static constexpr int kPointers = 6;
  const float* source = nullptr;
  const float* weight = nullptr;
  float* result = nullptr;      // must not overlap any input
  const float* bias = nullptr;  // may be null
  float* pre = nullptr;         // like result: the value before activation; may be null
  float* scratch = nullptr;     // conv_scratch_bytes(), 64-byte aligned; null when that is 0
  ConvGeometry shape;
  bool accumulate = false;
  Activation activation = Activation::kNone;
};

/// Accuracy: |error| <= (k + 2) * 2^-24 * sum |source||weight|. Cost 2 * batch * out_h * out_w *
/// out_channels * kernel_h * kernel_w * in_channels / groups FLOP; conv_transposed alike (taps that
/// fall between strides are never multiplied, those in the padding are left out where that pays).
/// Depthwise: one FMA chain over the taps inside the image. NaN and infinity of the source
/// propagate; a weight that is not finite may or may not reach pixels through taps in the padding.
void conv(const ConvArgs& args, Team& team);
void conv_transposed(const ConvArgs& args, Team& team);

/// dweight (+)= sum over output pixels of dout * patch. Depthwise: chains over blocks of
/// kGemmBlockK output pixels, added in order.
struct ConvWeightGradArgs {
  static constexpr int kPointers = 4;
  const float* in = nullptr;
  const float* dout = nullptr;
  float* dweight = nullptr;
  float* scratch = nullptr;  // conv_weight_grad_scratch_bytes(), 64-byte aligned
  ConvGeometry shape;
  bool accumulate = false;
};
void conv_weight_grad(const ConvWeightGradArgs& args, Team& team);

[[nodiscard]] int64_t conv_scratch_bytes(const ConvGeometry& shape, int workers);
[[nodiscard]] int64_t conv_transposed_scratch_bytes(const ConvGeometry& shape, int workers);
[[nodiscard]] int64_t conv_weight_grad_scratch_bytes(const ConvGeometry& shape, int workers);

}  // namespace ingot::kernels
