// SPDX-License-Identifier: Apache-2.0
// Pictures of any size to one size, as Pillow does it: bilinear, and when a picture shrinks every
// pixel is the weighted mean of all it covers (antialiasing), so nothing flickers in or out.
//   center = (i + 1/2) in / out,  support = max(in / out, 1)
//   y[i] = sum_j w_j x[j] / sum_j w_j,  w_j = 1 - |j + 1/2 - center| / support where that is > 0
// Along x first, then along y, each rounded to bytes; weights in 22-bit fixed point. The bytes are
// those of Pillow's resize(BILINEAR) along each axis. A picture that would have more than 64 Mi
// pixels in between, for it gets wider and lower, goes along y first, so what is held is never
// larger than that, the picture or the result. Called by image_feature.cpp.
#pragma once

#include <cstdint>
#include <span>

#include "data/transforms/image_config.h"
#include "io/image.h"

namespace ingot::data {

[[nodiscard]] io::Image resize_image(const io::Image& image, int64_t height, int64_t width);

/// To [height, width, channels of the image], written into `pixels`. stretch: each side by itself.
/// crop: the middle of the picture, as large as the proportions of height x width allow, resized.
/// pad: resized to the largest that fits, black around it. Other sides are rounded, halves up.
void fit_image(const io::Image& image, ImageFit fit, int64_t height, int64_t width,
               std::span<uint8_t> pixels);

}  // namespace ingot::data
