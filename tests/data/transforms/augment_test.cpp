// SPDX-License-Identifier: Apache-2.0
// Augmentation: moves and mirrors by hand against plain loops; turns, sizes and colours against
// torchvision and Pillow (scripts/golden/augment_golden.py); the shares and ranges of what is
// drawn, and that a picture depends on seed, epoch and row alone.
#include "data/transforms/augment.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "data/transforms/samples.h"

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

/// A golden file is not rounded but to three digits; bytes are.
constexpr double kRounded = 0.5 + 0.001;
/// torchvision's luma has 0.2989 of red, ours the standard's 0.299: up to 255 * 0.0001 apart.
constexpr double kLuma = 0.03;

void expect_near(const Pixels& made, const Json& values, double tolerance) {
  ASSERT_EQ(made.size(), values.size());
  for (size_t i = 0; i < made.size(); ++i) {
    EXPECT_NEAR(made[i], values[i].get<double>(), tolerance) << "value " << i;
  }
}

PictureShape shape_of(const Json& golden) {
  const auto shape = golden["shape"].get<std::vector<int64_t>>();
  return {shape[0], shape[1], shape[2]};
}

TEST(Augment, RotatesAndScalesAsTorchvisionDoes) {
  const Json golden = samples::golden("augment.json");
  const Pixels in = golden["pixels"].get<Pixels>();
  const PictureShape shape = shape_of(golden);
  Pixels out(in.size());
  const auto hold = [&](const char* list, const char* key, auto change) {
    for (const Json& item : golden[list]) {
      SCOPED_TRACE(std::string(key) + " " + item[key].dump());
      change(in.data(), out.data(), shape, item[key].get<double>());
      expect_near(out, item["values"], kRounded);
    }
  };
  hold("rotated", "degrees", rotate_picture);
  hold("scaled", "factor", scale_picture);
  rotate_picture(in.data(), out.data(), shape, 0);
  EXPECT_EQ(out, in);
  scale_picture(in.data(), out.data(), shape, 1);
  EXPECT_EQ(out, in);
}

TEST(Augment, QuarterTurnsMovePixels) {
  const PictureShape shape{3, 3, 1};
  const Pixels in{10, 20, 30, 40, 50, 60, 70, 80, 90};
  Pixels out(9);
  rotate_picture(in.data(), out.data(), shape, 90);
  EXPECT_EQ(out, (Pixels{30, 60, 90, 20, 50, 80, 10, 40, 70})) << "counter-clockwise";
  rotate_picture(in.data(), out.data(), shape, -90);
  EXPECT_EQ(out, (Pixels{70, 40, 10, 80, 50, 20, 90, 60, 30}));
  const Pixels colors{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  Pixels turned(12);
  rotate_picture(colors.data(), turned.data(), {2, 2, 3}, 180);
  EXPECT_EQ(turned, (Pixels{10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3}));
}

constexpr int64_t kSide = 41;

/// Black but for a square of 5 pixels a side, so far to the right of the middle.
Pixels square_at(int64_t right) {
  Pixels pixels(static_cast<size_t>(kSide * kSide), 0);
  for (int64_t y = kSide / 2 - 2; y <= kSide / 2 + 2; ++y) {
    for (int64_t x = kSide / 2 + right - 2; x <= kSide / 2 + right + 2; ++x) {
      pixels[static_cast<size_t>(y * kSide + x)] = 200;
    }
  }
  return pixels;
}

/// Where the square is: to the right of the middle, and above it.
std::pair<double, double> place_of(const Pixels& pixels) {
  double sum = 0, right = 0, up = 0;
  for (int64_t i = 0; i < kSide * kSide; ++i) {
    const double value = pixels[static_cast<size_t>(i)];
    sum += value;
    right += value * static_cast<double>(i % kSide - kSide / 2);
    up += value * static_cast<double>(kSide / 2 - i / kSide);
  }
  return {right / sum, up / sum};
}

/// Lowest, highest and mean of what rows draw, measured in their pictures.
struct Range {
  double low = 1e9, high = -1e9, sum = 0;
  void add(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
    sum += x;
  }
};
constexpr int kDraws = 500;

TEST(Augment, DrawsAnglesToEitherSide) {
  constexpr double kMost = 30, kMeasured = 1;  // degrees; a place is measured to a fifth of a pixel
  AugmentConfig rotate = entry(AugmentKind::kRotate);
  rotate.degrees = kMost;
  const Augmenter augmenter({rotate}, {kSide, kSide, 1}, {0}, "image");
  Range angles;
  for (int row = 0; row < kDraws; ++row) {
    const auto [right, up] = place_of(applied(augmenter, square_at(14), 0, row));
    EXPECT_NEAR(std::hypot(right, up), 14, 0.2) << "about the middle";
    angles.add(std::atan2(up, right) * 180 / M_PI);
  }
  EXPECT_NEAR(angles.low, -kMost + 1, 1 + kMeasured);
  EXPECT_NEAR(angles.high, kMost - 1, 1 + kMeasured);
  EXPECT_NEAR(angles.sum / kDraws, 0, 5 * 2 * kMost / std::sqrt(12.0 * kDraws));
}

TEST(Augment, DrawsFactorsOfTheSize) {
  constexpr double kMeasured = 0.03;
  AugmentConfig scale = entry(AugmentKind::kScale);
  scale.low = 0.5;
  scale.high = 1.5;
  const Augmenter augmenter({scale}, {kSide, kSide, 1}, {0}, "image");
  Range factors;
  for (int row = 0; row < kDraws; ++row) {
    const auto [right, up] = place_of(applied(augmenter, square_at(8), 0, row));
    EXPECT_NEAR(up, 0, 0.001);
    factors.add(right / 8);
  }
  EXPECT_NEAR(factors.low, 0.52, 0.02 + kMeasured);
  EXPECT_NEAR(factors.high, 1.48, 0.02 + kMeasured);
  EXPECT_NEAR(factors.sum / kDraws, 1, 5 / std::sqrt(12.0 * kDraws));
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

TEST(Augment, RecolorsAsTorchvisionDoes) {
  const Json golden = samples::golden("augment.json");
  const Pixels in = golden["pixels"].get<Pixels>();
  for (const Json& item : golden["recolored"]) {
    SCOPED_TRACE(item["factors"].dump());
    const auto f = item["factors"].get<std::vector<double>>();
    Pixels out = in;
    scale_colors(out.data(), shape_of(golden), {f[0], f[1], f[2]});
    expect_near(out, item["values"], kRounded + kLuma);
  }
  Pixels same = in;
  scale_colors(same.data(), shape_of(golden), {});
  EXPECT_EQ(same, in);
}

TEST(Augment, ColorsAreCutToBytesOnce) {
  Pixels pixels{200, 40};  // 300 and 60 about a mean of 180
  scale_colors(pixels.data(), {1, 2, 1}, {1.5, 0.5, 1});
  EXPECT_EQ(pixels, (Pixels{240, 120}));
}

TEST(Augment, DrawsFactorsOfTheColors) {
  AugmentConfig jitter = entry(AugmentKind::kColorJitter);
  jitter.brightness = 0.5;
  const Augmenter bright({jitter}, {1, 2, 1}, {0}, "image");
  Range brightness, contrasts, reds;
  for (int row = 0; row < kDraws; ++row) {
    const Pixels out = applied(bright, {100, 200}, 0, row);
    brightness.add(out[0]);
    EXPECT_NEAR(out[1], std::min(2 * out[0], 255), 1) << "one factor for the whole picture";
  }
  EXPECT_NEAR(brightness.low, 52.5, 2.5);
  EXPECT_NEAR(brightness.high, 147.5, 2.5);
  jitter = entry(AugmentKind::kColorJitter);
  jitter.contrast = 1.0;
  const Augmenter contrast({jitter}, {1, 2, 1}, {0}, "image");
  for (int row = 0; row < kDraws; ++row) {
    const Pixels out = applied(contrast, {100, 140}, 0, row);
    contrasts.add(out[1]);
    EXPECT_NEAR(out[0] + out[1], 240, 1) << "the mean stays";
  }
  EXPECT_NEAR(contrasts.low, 121, 1) << "120 + 20 f, f from 0";
  EXPECT_NEAR(contrasts.high, 159, 1) << "to 2";
  jitter = entry(AugmentKind::kColorJitter);
  jitter.saturation = 1.0;
  const Augmenter saturation({jitter}, {1, 1, 3}, {0, 0, 0}, "image");
  constexpr double kOwnGray = 119.68;  // 0.299 * 150 + 0.587 * 110 + 0.114 * 90
  for (int row = 0; row < kDraws; ++row) {
    const Pixels out = applied(saturation, {150, 110, 90}, 0, row);
    reds.add(out[0]);
    const double f = (out[0] - kOwnGray) / (150 - kOwnGray);  // half a byte of red is 0.0165 of it
    EXPECT_NEAR(out[1], kOwnGray + (110 - kOwnGray) * f, 0.7);
    EXPECT_NEAR(out[2], kOwnGray + (90 - kOwnGray) * f, 1);
  }
  EXPECT_NEAR(reds.low, 121.5, 1.5) << "119.68 + 30.32 f, f from 0";
  EXPECT_NEAR(reds.high, 178.5, 1.5) << "to 2";
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

AugmentConfig noise_of(double deviation) {
  AugmentConfig noise = entry(AugmentKind::kNoise);
  noise.deviation = deviation;
  return noise;
}

constexpr PictureShape kLarge{64, 64, 3};
constexpr uint8_t kGray = 128;

Pixels gray_picture() { return Pixels(static_cast<size_t>(kLarge.size()), kGray); }

/// Every tolerance is five standard errors.
TEST(Augment, NoiseIsNormalWithTheDeviationAsked) {
  constexpr double kBytes = 0.1 * 255;
  constexpr int kRows = 8;
  const Augmenter augmenter({noise_of(0.1)}, kLarge, {0, 0, 0}, "image");
  double sum = 0, squares = 0, neighbours = 0, within = 0;
  for (int row = 0; row < kRows; ++row) {
    const Pixels out = applied(augmenter, gray_picture(), 0, row);
    double before = 0;
    for (const uint8_t x : out) {
      const double d = x - kGray;
      sum += d;
      squares += d * d;
      neighbours += d * before;
      within += std::abs(d) < kBytes ? 1 : 0;
      before = d;
    }
  }
  const auto n = static_cast<double>(kRows * kLarge.size());
  EXPECT_NEAR(sum / n, 0, 5 * kBytes / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(squares / n), kBytes, 5 * kBytes / std::sqrt(2 * n));
  EXPECT_NEAR(neighbours / n, 0, 5 * kBytes * kBytes / std::sqrt(n));
  EXPECT_NEAR(within / n, 0.6827, 5 * std::sqrt(0.6827 * 0.3173 / n));
}

TEST(Augment, NoiseIsCutAtBlackAndWhite) {
  Pixels in(static_cast<size_t>(kLarge.size()), 0);
  std::fill(in.begin() + kLarge.size() / 2, in.end(), uint8_t{255});
  const Pixels out = applied(Augmenter({noise_of(0.1)}, kLarge, {0, 0, 0}, "image"), in, 0, 0);
  const auto half = out.begin() + kLarge.size() / 2;
  EXPECT_LT(*std::max_element(out.begin(), half), 150) << "24 bits reach 5.77 deviations";
  EXPECT_GT(*std::min_element(half, out.end()), 105);
  // Below half a byte, 0.0196 deviations, rounds to none: 0.5078 of all, to five standard errors.
  const auto size = static_cast<double>(kLarge.size() / 2);
  const double tolerance = 5 * std::sqrt(0.25 / size);
  EXPECT_NEAR(static_cast<double>(std::count(out.begin(), half, 0)) / size, 0.5078, tolerance);
  EXPECT_NEAR(static_cast<double>(std::count(half, out.end(), 255)) / size, 0.5078, tolerance);
}

TEST(Augment, NoiseIsAFunctionOfSeedEpochRowAndPlace) {
  const Augmenter augmenter({noise_of(0.1)}, kLarge, {0, 0, 0}, "image");
  const Pixels out = applied(augmenter, gray_picture(), 3, 7);
  EXPECT_EQ(applied(augmenter, gray_picture(), 3, 7), out);
  for (const Pixels& other :
       {applied(augmenter, gray_picture(), 4, 7), applied(augmenter, gray_picture(), 3, 8),
        applied(augmenter, gray_picture(), 3, 7, kSeed + 1)}) {
    double same = 0;
    for (size_t i = 0; i < out.size(); ++i) same += other[i] == out[i] ? 1 : 0;
    // Two draws of deviation 25.5 round to one byte with 1 / (2 * 25.5 * sqrt(pi)).
    EXPECT_NEAR(same / static_cast<double>(out.size()), 0.0111, 0.0048) << "five standard errors";
  }
  const Pixels one =
      applied(Augmenter({noise_of(0.1)}, {1, 1, 3}, {0, 0, 0}, "image"), Pixels(3, kGray), 3, 7);
  EXPECT_EQ(one, Pixels(out.begin(), out.begin() + 3)) << "an odd number of values";
  // Of two entries each has draws of its own: 0.05 * 255 * sqrt(2), not 0.05 * 255 * 2.
  const Augmenter twice({noise_of(0.05), noise_of(0.05)}, kLarge, {0, 0, 0}, "image");
  double squares = 0;
  for (const uint8_t x : applied(twice, gray_picture(), 0, 0)) squares += (x - kGray) * (x - kGray);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(kLarge.size())), 18.03, 0.58);
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
