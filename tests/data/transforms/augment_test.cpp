// SPDX-License-Identifier: Apache-2.0
// Augmentation: moves and mirrors by hand against plain loops, the shares and ranges of what is
// drawn, and that a picture depends on seed, epoch and row alone.
#include "data/transforms/augment.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::data::augment_test {
namespace {

using testing::message_of;
using Pixels = std::vector<uint8_t>;

constexpr uint64_t kSeed = 5;

AugmentConfig entry(AugmentKind kind) {
  AugmentConfig config;
  config.kind = kind;
  return config;
}

/// Every pixel another value.
Pixels ramp(const PictureShape& shape) {
  Pixels pixels(static_cast<size_t>(shape.height * shape.width * shape.channels));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i % 251 + 1);
  return pixels;
}

/// As a key that sorts.
std::string text_of(const Pixels& pixels) { return {pixels.begin(), pixels.end()}; }

Pixels applied(const Augmenter& augmenter, const Pixels& pixels, uint64_t epoch, int64_t row,
               uint64_t seed = kSeed) {
  Pixels out = pixels, scratch(pixels.size());
  augmenter.apply(seed, epoch, row, out, scratch);
  return out;
}

TEST(Augment, ShiftsLikeAPlainLoop) {
  for (const PictureShape shape : {PictureShape{5, 4, 3}, PictureShape{3, 6, 1}}) {
    const Pixels in = ramp(shape);
    for (const Border border : {Border::kZero, Border::kReflect}) {
      for (int64_t dy = -2; dy <= 2; ++dy) {
        for (int64_t dx = -3; dx <= 3; ++dx) {
          if (border == Border::kReflect && std::abs(dx) >= shape.width) continue;
          Pixels out(in.size(), 77);
          shift_picture(in.data(), out.data(), shape, dy, dx, border);
          const auto at = [](int64_t i, int64_t n) {
            return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
          };
          for (int64_t y = 0; y < shape.height; ++y) {
            for (int64_t x = 0; x < shape.width; ++x) {
              const bool is_inside =
                  y + dy >= 0 && y + dy < shape.height && x + dx >= 0 && x + dx < shape.width;
              const int64_t from = at(y + dy, shape.height) * shape.width + at(x + dx, shape.width);
              for (int64_t c = 0; c < shape.channels; ++c) {
                const uint8_t expected = border == Border::kZero && !is_inside
                                             ? 0
                                             : in[static_cast<size_t>(from * shape.channels + c)];
                ASSERT_EQ(out[static_cast<size_t>((y * shape.width + x) * shape.channels + c)],
                          expected)
                    << "dy " << dy << " dx " << dx << " at " << y << ", " << x;
              }
            }
          }
        }
      }
    }
  }
}

TEST(Augment, ShiftsBeyondThePictureAreBlack) {
  const PictureShape shape{2, 2, 1};
  const Pixels in{1, 2, 3, 4};
  for (const int64_t far : {-7, -2, 2, 9}) {
    Pixels out(4, 77);
    shift_picture(in.data(), out.data(), shape, 0, far, Border::kZero);
    EXPECT_EQ(out, Pixels(4, 0));
    shift_picture(in.data(), out.data(), shape, far, 0, Border::kZero);
    EXPECT_EQ(out, Pixels(4, 0));
  }
}

TEST(Augment, OnePixelMirrorsIntoItself) {
  const PictureShape line{1, 3, 1};
  const Pixels in{1, 2, 3};
  for (const int64_t dy : {-1, 0, 1}) {
    Pixels out(3);
    shift_picture(in.data(), out.data(), line, dy, 1, Border::kReflect);
    EXPECT_EQ(out, (Pixels{2, 3, 2}));
    shift_picture(in.data(), out.data(), {3, 1, 1}, -1, dy, Border::kReflect);
    EXPECT_EQ(out, (Pixels{2, 1, 2}));
  }
}

TEST(Augment, MirrorsPixelsNotChannels) {
  const Pixels in{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  Pixels out(12);
  mirror_picture(in.data(), out.data(), {2, 2, 3});
  EXPECT_EQ(out, (Pixels{4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9}));
}

/// The offset of the crop is found again by trying all; every one of the 81 comes about equally.
TEST(Augment, CropsAnywhereAboutEquallyOften) {
  const PictureShape shape{8, 8, 1};
  const Pixels in = ramp(shape);
  AugmentConfig crop = entry(AugmentKind::kCrop);
  crop.padding = 1;
  const Augmenter augmenter({crop}, shape, {0}, "image");
  std::map<std::string, int> seen;
  constexpr int kRows = 9000;
  for (int row = 0; row < kRows; ++row) ++seen[text_of(applied(augmenter, in, 0, row))];
  ASSERT_EQ(seen.size(), 9U);
  for (int64_t dy = -1; dy <= 1; ++dy) {
    for (int64_t dx = -1; dx <= 1; ++dx) {
      Pixels out(in.size());
      shift_picture(in.data(), out.data(), shape, dy, dx, Border::kZero);
      // Five standard deviations of a share of 1/9.
      EXPECT_NEAR(seen[text_of(out)], kRows / 9, 5 * std::sqrt(kRows / 9.0 * 8 / 9));
    }
  }
}

TEST(Augment, FlipsHalfOfAllDraws) {
  const PictureShape shape{1, 3, 1};
  const Pixels in{1, 2, 3};
  const Augmenter augmenter({entry(AugmentKind::kFlip)}, shape, {0}, "image");
  int flips = 0, changes = 0;
  constexpr int kRows = 4000;
  for (int row = 0; row < kRows; ++row) {
    const Pixels first = applied(augmenter, in, 0, row);
    flips += first == Pixels{3, 2, 1};
    changes += first != applied(augmenter, in, 1, row);
  }
  EXPECT_NEAR(flips, kRows / 2, 5 * std::sqrt(kRows / 4.0));
  EXPECT_NEAR(changes, kRows / 2, 5 * std::sqrt(kRows / 4.0)) << "an epoch has draws of its own";
  AugmentConfig vertical = entry(AugmentKind::kFlip);
  vertical.vertical = true;
  std::set<std::string> seen;
  const Augmenter upside({vertical}, {3, 1, 1}, {0}, "image");
  for (int row = 0; row < 20; ++row) seen.insert(text_of(applied(upside, in, 0, row)));
  EXPECT_EQ(seen, (std::set<std::string>{"\x01\x02\x03", "\x03\x02\x01"}));
}

TEST(Augment, AlternatingFlipsSwapEveryEpoch) {
  AugmentConfig flip = entry(AugmentKind::kFlip);
  flip.alternate = true;
  const Pixels in{1, 2, 3};
  const Augmenter augmenter({flip}, {1, 3, 1}, {0}, "image");
  int flips = 0;
  constexpr int kRows = 4000;
  for (int row = 0; row < kRows; ++row) {
    const Pixels even = applied(augmenter, in, 0, row), odd = applied(augmenter, in, 1, row);
    ASSERT_NE(even, odd);
    ASSERT_EQ(applied(augmenter, in, 2, row), even);
    ASSERT_EQ(applied(augmenter, in, 7, row), odd);
    flips += even != in;
  }
  EXPECT_NEAR(flips, kRows / 2, 5 * std::sqrt(kRows / 4.0));
}

TEST(Augment, RotatesAboutTheMiddle) {
  AugmentConfig rotate = entry(AugmentKind::kRotate);
  rotate.degrees = 180;
  const PictureShape shape{3, 3, 1};
  const Augmenter augmenter({rotate}, shape, {0}, "image");
  Pixels dot(9, 0);
  dot[4] = 200;
  for (int row = 0; row < 50; ++row) {
    const Pixels turned = applied(augmenter, dot, 0, row);
    EXPECT_EQ(turned[4], 200) << "the middle stays";
    EXPECT_NEAR(turned[1] + turned[7], turned[3] + turned[5], 2) << "the rest turns about it";
  }
}

TEST(Augment, ScalingByOneChangesNothingAndByTwoMagnifies) {
  AugmentConfig scale = entry(AugmentKind::kScale);
  scale.low = scale.high = 1.0;
  const PictureShape shape{5, 4, 3};
  const Pixels in = ramp(shape);
  EXPECT_EQ(applied(Augmenter({scale}, shape, {0, 0, 0}, "image"), in, 0, 0), in);
  scale.low = scale.high = 2.0;
  const Pixels row{0, 100, 0};
  EXPECT_EQ(applied(Augmenter({scale}, {1, 3, 1}, {0}, "image"), row, 0, 0), (Pixels{50, 100, 50}));
  scale.low = scale.high = 0.5;
  EXPECT_EQ(applied(Augmenter({scale}, {1, 3, 1}, {0}, "image"), row, 0, 0), (Pixels{0, 100, 0}));
}

TEST(Augment, JitterStaysInItsRange) {
  AugmentConfig jitter = entry(AugmentKind::kColorJitter);
  jitter.brightness = 0.5;
  const Augmenter bright({jitter}, {1, 2, 1}, {0}, "image");
  int low = 255, high = 0;
  for (int row = 0; row < 500; ++row) {
    const Pixels out = applied(bright, {100, 200}, 0, row);
    low = std::min<int>(low, out[0]);
    high = std::max<int>(high, out[0]);
    EXPECT_NEAR(out[1], std::min(2 * out[0], 255), 1) << "one factor for the whole picture";
  }
  EXPECT_GE(low, 50);
  EXPECT_LE(low, 55);
  EXPECT_LE(high, 150);
  EXPECT_GE(high, 145);
  jitter = entry(AugmentKind::kColorJitter);
  jitter.contrast = 1.0;
  const Augmenter contrast({jitter}, {1, 2, 1}, {0}, "image");
  for (int row = 0; row < 50; ++row) {
    const Pixels out = applied(contrast, {100, 140}, 0, row);
    EXPECT_NEAR(out[0] + out[1], 240, 1) << "the mean stays";
  }
  jitter = entry(AugmentKind::kColorJitter);
  jitter.saturation = 1.0;
  const Augmenter saturation({jitter}, {1, 1, 3}, {0, 0, 0}, "image");
  for (int row = 0; row < 50; ++row) {
    const Pixels out = applied(saturation, {120, 120, 120}, 0, row);
    EXPECT_EQ(out, (Pixels{120, 120, 120})) << "gray has none";
  }
}

TEST(Augment, CutsOutASquareOfTheMeanColor) {
  AugmentConfig cutout = entry(AugmentKind::kCutout);
  cutout.size = 3;
  const PictureShape shape{8, 8, 3};
  const Augmenter augmenter({cutout}, shape, {201, 202, 203}, "image");
  std::set<int> sizes;
  for (int row = 0; row < 500; ++row) {
    const Pixels out = applied(augmenter, Pixels(192, 9), 0, row);
    int blank = 0;
    for (size_t i = 0; i < out.size(); i += 3) {
      if (out[i] == 9) continue;
      EXPECT_EQ(out[i], 201);
      EXPECT_EQ(out[i + 2], 203);
      ++blank;
    }
    sizes.insert(blank);
  }
  EXPECT_EQ(sizes, (std::set<int>{4, 6, 9})) << "whole inside, cut off at edges and corners";
}

TEST(Augment, IsAFunctionOfSeedEpochAndRow) {
  AugmentConfig crop = entry(AugmentKind::kCrop), cutout = entry(AugmentKind::kCutout);
  crop.padding = 2;
  crop.border = Border::kReflect;
  cutout.size = 2;
  const PictureShape shape{8, 8, 3};
  const Pixels in = ramp(shape);
  const Augmenter both({crop, cutout}, shape, {0, 0, 0}, "image");
  int same = 0;
  for (int row = 0; row < 100; ++row) {
    const Pixels out = applied(both, in, 3, row);
    ASSERT_EQ(applied(both, in, 3, row), out);
    same += (applied(both, in, 4, row) == out) + (applied(both, in, 3, row + 1) == out) +
            (applied(both, in, 3, row, kSeed + 1) == out);
  }
  EXPECT_LT(same, 15);  // 25 places of the crop alone
  // An entry more changes nothing about the draws of those before it.
  const Augmenter alone({crop}, shape, {0, 0, 0}, "image");
  AugmentConfig still = entry(AugmentKind::kScale);
  still.low = still.high = 1.0;
  const Augmenter more({crop, still}, shape, {0, 0, 0}, "image");
  for (int row = 0; row < 20; ++row) {
    EXPECT_EQ(applied(alone, in, 0, row), applied(more, in, 0, row));
  }
}

TEST(Augment, RefusesWhatDoesNotSuitThePictures) {
  AugmentConfig crop = entry(AugmentKind::kCrop);
  crop.padding = 4;
  crop.border = Border::kReflect;
  EXPECT_EQ(message_of([&] {
              Augmenter({crop}, {4, 9, 1}, {0}, "image");
            }),
            "image.augment.0: border=reflect has 4 x 9 pixels to mirror, padding is 4");
  AugmentConfig jitter = entry(AugmentKind::kColorJitter);
  jitter.saturation = 0.5;
  EXPECT_EQ(message_of([&] {
              Augmenter({jitter}, {4, 9, 1}, {0}, "image");
            }),
            "image.augment.0: saturation is for colours, the pictures are gray");
}

}  // namespace
}  // namespace ingot::data::augment_test
