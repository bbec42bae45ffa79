// SPDX-License-Identifier: Apache-2.0
// Keys of pictures and augmentations: what is refused, by name.
#include "data/transforms/image_config.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/message_of.h"

namespace ingot::data::image_config_test {
namespace {

using testing::message_of;

std::string config_refusal(const std::string& yaml) {
  return message_of([&] {
    ImageOptions options;
    bind_text(yaml, "r", options);
    check(options, "photo");
  });
}

TEST(ImageConfig, AcceptsWhatTheRecipesSay) {
  EXPECT_EQ(config_refusal("{size: [32, 48], channels: 3, fit: crop, scale: zero_one}"),
            "no error");
  EXPECT_EQ(config_refusal("{scale: given, mean: [0.5], deviation: [0.25], bad: drop_row}"),
            "no error");
  EXPECT_EQ(config_refusal(
                "augment: [{kind: crop, padding: 4, border: reflect}, {kind: flip, alternate: "
                "true}, {kind: rotate, degrees: 15}, {kind: scale, low: 0.9, high: 1.1}, {kind: "
                "color_jitter, brightness: 0.2}, {kind: cutout, size: 8}, {kind: noise, deviation: "
                "0.05}]"),
            "no error");
}

TEST(ImageConfig, NamesTheKeyAndWhatIsAllowed) {
  const std::string column = "table.features: column \"photo\": ";
  EXPECT_EQ(config_refusal("size: [32]"),
            column + "image.size has 1 numbers; give [height, width]");
  EXPECT_EQ(config_refusal("size: [0, 5]"),
            column + "image.size is [0, 5]; both must be in 1 .. 8192");
  EXPECT_EQ(config_refusal("channels: 4"), column + "image.channels is 4; 1, 3 or 0 are possible");
  EXPECT_EQ(config_refusal("max_pixels: 0"), column + "image.max_pixels is 0, it must be >= 1");
  EXPECT_EQ(config_refusal("{mean: [0.5], deviation: [0.5]}"),
            column + "image.mean and image.deviation need scale=given");
  EXPECT_EQ(config_refusal("{scale: given, mean: [0.5]}"),
            column +
                "image.scale=given needs mean and deviation, one number per channel each; "
                "there are 1 and 0");
  EXPECT_EQ(config_refusal("{scale: given, mean: [0.5], deviation: [0]}"),
            column + "image: mean 0.5 and deviation 0; a deviation must be above 0");
}

TEST(ImageConfig, AugmentationsTakeTheirOwnKeys) {
  const std::string place = "table.features: column \"photo\": image.augment.0: ";
  EXPECT_EQ(config_refusal("augment: [{kind: crop}]"),
            place +
                "crop needs the key \"padding\" (crop: pixels added at every side before a window "
                "is cut out)");
  EXPECT_EQ(config_refusal("augment: [{kind: flip, padding: 1}]"),
            place + "flip takes no key \"padding\". Its keys: alternate vertical");
  EXPECT_EQ(config_refusal("augment: [{kind: crop, padding: -1}]"),
            place + "padding is -1, it must be in 0 .. 8192");
  EXPECT_EQ(config_refusal("augment: [{kind: rotate, degrees: 270}]"),
            place + "degrees is 270, it must be in (0, 180]");
  EXPECT_EQ(config_refusal("augment: [{kind: scale, low: 1.2, high: 0.8}]"),
            place + "low is 1.2 and high 0.8; 0 < low <= high");
  EXPECT_EQ(config_refusal("augment: [{kind: color_jitter, contrast: 2}]"),
            place + "contrast is 2, it must be in [0, 1]");
  EXPECT_EQ(config_refusal("augment: [{kind: cutout, size: 0}]"),
            place + "size is 0, it must be >= 1");
  const std::string range =
      ", it must be in [0.001, 1], where 1 is from black to white; 0.05 is a little noise";
  EXPECT_EQ(config_refusal("augment: [{kind: noise, deviation: 0}]"),
            place + "deviation is 0" + range);
  EXPECT_EQ(config_refusal("augment: [{kind: noise, deviation: 12.75}]"),
            place + "deviation is 12.75" + range);
  EXPECT_EQ(config_refusal("augment: [{kind: noise}]"),
            place +
                "noise needs the key \"deviation\" (noise: standard deviation of what is added to "
                "every value, pixels from 0 to 1)");
}

}  // namespace
}  // namespace ingot::data::image_config_test
