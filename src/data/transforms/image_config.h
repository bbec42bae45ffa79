// SPDX-License-Identifier: Apache-2.0
// What a recipe says about a column of pictures: the size that all get, how their bytes become
// numbers, and how training rows are varied. Read by image_feature.cpp and augment.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/config_fields.h"

namespace ingot::data {

enum class ImageFit : uint8_t { kStretch, kCrop, kPad };
inline constexpr EnumName kImageFitNames[] = {
    {"stretch", ImageFit::kStretch}, {"crop", ImageFit::kCrop}, {"pad", ImageFit::kPad}};
constexpr std::span<const EnumName> enum_names(ImageFit /*tag*/) { return kImageFitNames; }

enum class PixelScale : uint8_t { kStandard, kZeroOne, kNone, kGiven };
inline constexpr EnumName kPixelScaleNames[] = {{"standard", PixelScale::kStandard},
                                                {"zero_one", PixelScale::kZeroOne},
                                                {"none", PixelScale::kNone},
                                                {"given", PixelScale::kGiven}};
constexpr std::span<const EnumName> enum_names(PixelScale /*tag*/) { return kPixelScaleNames; }

enum class BadImage : uint8_t { kError, kDropRow };
inline constexpr EnumName kBadImageNames[] = {{"error", BadImage::kError},
                                              {"drop_row", BadImage::kDropRow}};
constexpr std::span<const EnumName> enum_names(BadImage /*tag*/) { return kBadImageNames; }

enum class AugmentKind : uint8_t { kCrop, kFlip, kRotate, kScale, kColorJitter, kCutout, kNoise };
inline constexpr EnumName kAugmentKindNames[] = {
    {"crop", AugmentKind::kCrop},     {"flip", AugmentKind::kFlip},
    {"rotate", AugmentKind::kRotate}, {"scale", AugmentKind::kScale},
    {"cutout", AugmentKind::kCutout}, {"color_jitter", AugmentKind::kColorJitter},
    {"noise", AugmentKind::kNoise}};
constexpr std::span<const EnumName> enum_names(AugmentKind /*tag*/) { return kAugmentKindNames; }

enum class Border : uint8_t { kZero, kReflect };
inline constexpr EnumName kBorderNames[] = {{"zero", Border::kZero}, {"reflect", Border::kReflect}};
constexpr std::span<const EnumName> enum_names(Border /*tag*/) { return kBorderNames; }

/// One change of a training picture. Keys are optional, so that one which the kind does not take is
/// known to have been given, and refused.
struct AugmentConfig {
  AugmentKind kind = AugmentKind::kCrop;
  std::optional<int64_t> padding;
  std::optional<Border> border;
  std::optional<bool> alternate;
  std::optional<bool> vertical;
  std::optional<double> degrees;
  std::optional<double> low;
  std::optional<double> high;
  std::optional<double> brightness;
  std::optional<double> contrast;
  std::optional<double> saturation;
  std::optional<int64_t> size;
  std::optional<double> deviation;

  void visit(auto& field) {
    field("kind", kind, "crop, flip, rotate, scale, color_jitter, cutout or noise");
    field("padding", padding, "crop: pixels added at every side before a window is cut out");
    field("border", border, "crop: what the added pixels are: zero, or the picture mirrored");
    field("alternate", alternate,
          "flip: not at random every time, but once by row and then every other epoch (false)");
    field("vertical", vertical, "flip: upside down instead of left to right (false)");
    field("degrees", degrees, "rotate: most to either side, in (0, 180]");
    field("low", low, "scale: smallest factor, > 0");
    field("high", high, "scale: largest factor");
    field("brightness", brightness, "color_jitter: factor from 1 - x to 1 + x, x in [0, 1]");
    field("contrast", contrast, "color_jitter: the same for the distance from the mean gray");
    field("saturation", saturation,
          "color_jitter: the same for the distance from each pixel's gray");
    field("size", size, "cutout: side of the square that is blanked");
    field("deviation", deviation,
          "noise: standard deviation of what is added to every value, pixels from 0 to 1");
  }
};

/// Most pixels a side of what a network sees.
inline constexpr int64_t kMaxImageSide = 8192;

struct ImageOptions {
  std::vector<int64_t> size;
  int64_t channels = 0;
  ImageFit fit = ImageFit::kStretch;
  PixelScale scale = PixelScale::kStandard;
  std::vector<double> mean;
  std::vector<double> deviation;
  BadImage bad = BadImage::kError;
  int64_t max_pixels = int64_t{64} << 20;
  std::vector<AugmentConfig> augment;

  void visit(auto& field) {
    field("size", size, "[height, width] of all; empty: that of the training pictures");
    field("channels", channels, "1 gray, 3 colours; 0: 3 when a training picture has colours");
    field("fit", fit,
          "pictures of other sizes are stretched, cut to the middle, or padded with black");
    field("scale", scale,
          "bytes to numbers: standard (mean 0 and deviation 1 per channel over the training rows), "
          "zero_one, none (0 to 255), given (mean and deviation)");
    field("mean", mean, "scale=given: per channel, of numbers in [0, 1]");
    field("deviation", deviation, "scale=given: per channel, > 0");
    field("bad", bad, "a picture that is missing or broken: error, or leave its row out and count");
    field("max_pixels", max_pixels, "larger pictures are refused before memory is taken for them");
    field("augment", augment, "changes of training pictures, in this order");
  }
};

/// Throws kInvalidArgument naming the column, the key, its value and what is allowed.
void check(const ImageOptions& options, const std::string& column);

}  // namespace ingot::data
