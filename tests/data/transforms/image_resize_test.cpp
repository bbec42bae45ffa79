// SPDX-License-Identifier: Apache-2.0
// Resizing equals Pillow's to the byte (scripts/golden/resize_golden.py); the three ways to fit a
// picture, by hand.
#include "data/transforms/image_resize.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/machine.h"
#include "data/transforms/samples.h"

namespace ingot::data::image_resize_test {
namespace {

std::vector<uint8_t> bytes_of(const Json& list) { return list.get<std::vector<uint8_t>>(); }

TEST(ImageResize, EqualsPillow) {
  const Json golden = samples::golden("resize.json");
  for (const Json& item : golden["cases"]) {
    const auto shape = item["shape"].get<std::vector<int64_t>>();
    const io::Image image{shape[0], shape[1], shape[2], bytes_of(item["pixels"])};
    for (const Json& resized : item["resized"]) {
      const auto size = resized["size"].get<std::vector<int64_t>>();
      SCOPED_TRACE(item["shape"].dump() + " to " + resized["size"].dump());
      const io::Image made = resize_image(image, size[0], size[1]);
      EXPECT_EQ(made.height, size[0]);
      EXPECT_EQ(made.width, size[1]);
      EXPECT_EQ(made.pixels, bytes_of(resized["pixels"]));
    }
  }
}

TEST(ImageResize, TheSameSizeIsTheSamePicture) {
  const io::Image image{2, 2, 1, {1, 2, 3, 4}};
  EXPECT_EQ(resize_image(image, 2, 2).pixels, image.pixels);
}

std::vector<uint8_t> fitted(const io::Image& image, ImageFit fit, int64_t height, int64_t width) {
  std::vector<uint8_t> pixels(static_cast<size_t>(height * width * image.channels), 77);
  fit_image(image, fit, height, width, pixels);
  return pixels;
}

TEST(ImageResize, PicturesFitByStretchingCroppingOrPadding) {
  const io::Image wide{1, 4, 1, {10, 20, 30, 40}};
  EXPECT_EQ(fitted(wide, ImageFit::kStretch, 1, 1), std::vector<uint8_t>{25});
  EXPECT_EQ(fitted(wide, ImageFit::kCrop, 1, 2), (std::vector<uint8_t>{20, 30}));
  EXPECT_EQ(fitted(wide, ImageFit::kPad, 4, 4),
            (std::vector<uint8_t>{0, 0, 0, 0, 10, 20, 30, 40, 0, 0, 0, 0, 0, 0, 0, 0}));
  const io::Image tall{4, 1, 3, {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}};
  EXPECT_EQ(fitted(tall, ImageFit::kCrop, 2, 1), (std::vector<uint8_t>{2, 2, 2, 3, 3, 3}));
  EXPECT_EQ(fitted(tall, ImageFit::kPad, 4, 2),
            (std::vector<uint8_t>{1, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0,
                                  3, 3, 3, 0, 0, 0, 4, 4, 4, 0, 0, 0}));
}

TEST(ImageResize, ALineOfAMillionRowsTakesNoGigabytes) {
  // Widened first it would be 640 MB.
  io::Image line{1'000'000, 1, 1, std::vector<uint8_t>(1'000'000, 50)};
  std::fill(line.pixels.begin() + 500'000, line.pixels.end(), uint8_t{200});
  const bool is_fresh = reset_peak_resident();
  const int64_t before = peak_resident_bytes();
  const io::Image made = resize_image(line, 4, 640);
  const int64_t taken = peak_resident_bytes() - before;
  ASSERT_EQ(made.pixels.size(), 4U * 640U);
  EXPECT_EQ(made.pixels[0], 50);
  EXPECT_EQ(made.pixels[3 * 640 + 639], 200);
  constexpr int64_t kRoom = int64_t{128} << 20;
  if (is_fresh) {
    EXPECT_LT(taken, kRoom);
  }
}

TEST(ImageResize, ExtremeProportionsKeepAPixel) {
  const io::Image line{1, 1000, 1, std::vector<uint8_t>(1000, 9)};
  EXPECT_EQ(fitted(line, ImageFit::kCrop, 8, 8), std::vector<uint8_t>(64, 9));
  const std::vector<uint8_t> padded = fitted(line, ImageFit::kPad, 8, 8);
  EXPECT_EQ(std::count(padded.begin(), padded.end(), 9), 8) << "one row of it";
  const io::Image pixel{1, 1, 3, {5, 6, 7}};
  EXPECT_EQ(fitted(pixel, ImageFit::kPad, 1, 3), (std::vector<uint8_t>{0, 0, 0, 5, 6, 7, 0, 0, 0}));
}

}  // namespace
}  // namespace ingot::data::image_resize_test
