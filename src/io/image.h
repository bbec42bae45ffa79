// SPDX-License-Identifier: Apache-2.0
// Pictures between files and memory: PNG (libpng), JPEG (libjpeg) and binary PGM and PPM in, PNG
// out. A picture is bytes [height, width, channels], 1 channel gray or 3 channels red, green, blue.
// Every size is checked before memory is taken for it. A JPEG is turned as its Exif
// orientation asks (exif.h). Not applied: colour profiles, gamma; an alpha channel is dropped, as
// Pillow's convert("RGB") does.
// Called by the data readers, the augmentation preview and the report.
//
// PGM and PPM (Netpbm's "P5" and "P6") are raw bytes behind a head that names their size:
//   "P6\n" width " " height "\n255\n" | red, green, blue of every pixel, row by row     (P5: gray)
// so readers of raw pixels (CIFAR, IDX) pass pictures on as one more kind of file, and a cell of a
// table is a picture or the path of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::io {

struct Image {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;           ///< 1 or 3
  std::vector<uint8_t> pixels{};  ///< [height, width, channels]
};

struct ImageInfo {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;  ///< that decode_image gives when it is not told: 1 or 3
};

struct DecodeOptions {
  int64_t channels = 0;  ///< 0: as the file has them; 1: gray; 3: red, green, blue
  int64_t max_pixels = int64_t{64} << 20;
};

/// ITU-R 601-2 luma of red, green, blue, times 2^16.
[[nodiscard]] constexpr uint32_t luma_of(const uint8_t* rgb) {
  return 19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2];
}

/// Told by its first bytes. PNG: every colour type and depth (16 bits are rounded to
/// 8), interlaced or not. JPEG: gray, YCbCr, RGB, CMYK and YCCK (with Adobe's inverted inks),
/// turned as the Exif orientation says; height and width are those of the turned picture.
/// Colour becomes gray as ITU-R 601-2 luma, rounded.
/// Throws kInvalidArgument
///   image: "a.png": 20000 x 20000 pixels are more than the 67108864 allowed
/// and kCorruptFile: the file is empty; no picture, or of a kind that is not read (WEBP, HEIC,
/// AVIF, GIF, BMP, TIFF); truncated; the codec's own reason.
[[nodiscard]] Image decode_image(std::span<const std::byte> bytes, std::string_view name,
                                 const DecodeOptions& options = {});

/// Whether bytes begin like a picture (and are not, say, the path of one, or a text that happens to
/// begin with "P6").
[[nodiscard]] bool is_image(std::string_view bytes);

/// Sizes from the head of the file, checked as decode_image checks them; decodes no pixel.
[[nodiscard]] ImageInfo probe_image(std::span<const std::byte> bytes, std::string_view name,
                                    const DecodeOptions& options = {});

/// Reads at most 1 GiB of `path` and decodes it.
[[nodiscard]] Image read_image(const std::string& path, const DecodeOptions& options = {});

/// What stands before the raw bytes of a picture in a PGM (1 channel) or PPM file (3).
[[nodiscard]] std::string pnm_head(int64_t height, int64_t width, int64_t channels);

/// 8 bits, gray or RGB. The same picture gives the same bytes.
[[nodiscard]] std::string encode_png(const Image& image);

}  // namespace ingot::io
