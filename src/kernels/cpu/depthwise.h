// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution: every channel has its own kernel (groups == in_channels == out_channels),
// so there is no product to speak of and memory sets the pace. The arguments are those of conv.h,
// which hands over the shapes that fit. Called by conv.cpp and conv_weight.cpp only.
#pragma once

#include "kernels/conv.h"

namespace ingot::kernels {

/// One FMA chain per element over the taps inside the image, in the order conv.h gives them.
void depthwise(const ConvArgs& args, bool is_transposed, Team& team);
/// Chains over blocks of kGemmBlockK output pixels, block sums added in order.
void depthwise_weight_grad(const ConvWeightGradArgs& args, Team& team);

[[nodiscard]] int64_t depthwise_scratch_bytes(const ConvGeometry& shape);
[[nodiscard]] int64_t depthwise_weight_grad_scratch_bytes(const ConvGeometry& shape);

}  // namespace ingot::kernels
