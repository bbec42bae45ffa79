// SPDX-License-Identifier: Apache-2.0
// Training pictures varied at random, on bytes, in the order of the recipe. What happens to a
// picture is a pure function of (seed, epoch, row): the same on every machine thread, after a
// resume, and when one sample is looked at alone. Called by feature_rows.cpp and the preview.
//   crop          `padding` pixels are added at every side (black, or the picture mirrored about
//                 its edge pixels), and a window of the old size is cut out anywhere
//   flip          left to right (or upside down) for half of all draws; `alternate`: half of the
//                 rows in the first epoch, the other half in the next, and so on (airbench)
//   rotate        by up to `degrees` to either side (rotate_picture)
//   scale         by a factor from low to high (scale_picture)
//   color_jitter  brightness, contrast, saturation by factors from 1 - x to 1 + x (scale_colors)
//   cutout        a square of side `size` about any pixel becomes the mean colour of training
//   noise         normal numbers of one deviation are added to every value (add_pixel_noise)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/philox.h"
#include "data/formats/picture_table.h"
#include "data/transforms/image_config.h"

namespace ingot::data {

class Augmenter {
 public:
  Augmenter() = default;
  /// `mean_color`: one byte per channel. Throws kInvalidArgument, beginning with `where`, for an
  /// entry that does not suit the shape.
  Augmenter(std::vector<AugmentConfig> entries, const PictureShape& shape,
            std::vector<uint8_t> mean_color, const std::string& where);

  [[nodiscard]] bool is_empty() const { return entries_.empty(); }
  /// Changes pixels [height, width, channels]; `scratch` is of the same size. Allocates nothing.
  void apply(uint64_t seed, uint64_t epoch, int64_t row, std::span<uint8_t> pixels,
             std::span<uint8_t> scratch) const;

 private:
  std::vector<AugmentConfig> entries_;
  PictureShape shape_;
  std::vector<uint8_t> mean_color_;
};

/// out[y, x] = in[y + dy, x + dx]; outside, black or mirrored about the edge pixel (then |dy| and
/// |dx| are below the sides).
void shift_picture(const uint8_t* in, uint8_t* out, const PictureShape& shape, int64_t dy,
                   int64_t dx, Border border);
/// Left to right.
void mirror_picture(const uint8_t* in, uint8_t* out, const PictureShape& shape);

/// Counter-clockwise about the middle, ((width - 1) / 2, (height - 1) / 2) where the centre of the
/// first pixel is (0, 0); of the same size. Bilinear, all pixels outside counted as black, rounded:
/// torchvision's rotate of tensors with InterpolationMode.BILINEAR and fill 0.
void rotate_picture(const uint8_t* in, uint8_t* out, const PictureShape& shape, double degrees);
/// Magnified about the same middle (factor > 1) or shrunk; bilinear without antialiasing, black
/// outside, as torchvision's affine does.
void scale_picture(const uint8_t* in, uint8_t* out, const PictureShape& shape, double factor);

/// 1 changes nothing.
struct ColorFactors {
  double brightness = 1;
  double contrast = 1;
  double saturation = 1;
};
/// In this order, with the gray of ITU-R 601-2 (io/image.h):
///   brightness  x f
///   contrast    m + (x - m) f, m the mean gray of the brightened picture
///   saturation  g + (x - g) f, g the gray of the pixel by now; nothing for gray pictures
/// in double; rounded and cut to a byte at the end alone.
void scale_colors(uint8_t* pixels, const PictureShape& shape, const ColorFactors& factors);
/// x + 255 deviation n, n standard normal and drawn for every value, cut to [0, 255], rounded. What
/// is drawn for a value depends on its place, not on the size of the picture.
void add_pixel_noise(std::span<uint8_t> pixels, double deviation, Philox random);

}  // namespace ingot::data
