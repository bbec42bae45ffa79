// SPDX-License-Identifier: Apache-2.0
// Every entry has 64 words of the row's stream of random numbers to itself, and noise 2^40 far
// behind those, so that adding one changes nothing about the others.
#include "data/transforms/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/philox.h"
#include "io/image.h"

namespace ingot::data {
namespace {

constexpr uint64_t kAugmentKey = 0x61756720696d67ULL;  // apart from other uses of the same seed
constexpr uint64_t kWords = 64;
constexpr uint64_t kNoiseWords = uint64_t{1} << 40;  // more than the values of a picture

/// Index into [0, size) mirrored about the first and the last; -size < i < 2 size - 1. One pixel
/// alone mirrors into itself.
int64_t mirrored(int64_t i, int64_t size) {
  if (size == 1) return 0;
  if (i < 0) return -i;
  return i < size ? i : 2 * size - 2 - i;
}

double uniform(Philox& random, double low, double high) {
  return low + (high - low) * random.uniform_double();
}

uint8_t byte_of(double x) { return static_cast<uint8_t>(std::clamp(x + 0.5, 0.0, 255.0)); }

double gray_of(const uint8_t* pixel, int64_t channels) {
  return channels == 1 ? pixel[0] : static_cast<double>(io::luma_of(pixel)) / 65536.0;
}

/// Source position (x, y) about the middle: m * (x, y) of the output.
struct Turn {
  double xx = 1, xy = 0, yx = 0, yy = 1;
};

/// Bilinear; what lies outside is black.
void warp(const uint8_t* in, uint8_t* out, const PictureShape& s, const Turn& turn) {
  const double middle_y = static_cast<double>(s.height - 1) / 2;
  const double middle_x = static_cast<double>(s.width - 1) / 2;
  for (int64_t y = 0; y < s.height; ++y) {
    for (int64_t x = 0; x < s.width; ++x, out += s.channels) {
      const double v = static_cast<double>(y) - middle_y, u = static_cast<double>(x) - middle_x;
      const double at_y = turn.yx * u + turn.yy * v + middle_y;
      const double at_x = turn.xx * u + turn.xy * v + middle_x;
      const auto y0 = static_cast<int64_t>(std::floor(at_y));
      const auto x0 = static_cast<int64_t>(std::floor(at_x));
      const double fy = at_y - static_cast<double>(y0), fx = at_x - static_cast<double>(x0);
      const auto tap = [&](int64_t ty, int64_t tx, int64_t c) {
        const bool is_inside = ty >= 0 && ty < s.height && tx >= 0 && tx < s.width;
        return is_inside ? static_cast<double>(in[(ty * s.width + tx) * s.channels + c]) : 0.0;
      };
      for (int64_t c = 0; c < s.channels; ++c) {
        const double above = tap(y0, x0, c) * (1 - fx) + tap(y0, x0 + 1, c) * fx;
        const double below = tap(y0 + 1, x0, c) * (1 - fx) + tap(y0 + 1, x0 + 1, c) * fx;
        out[c] = byte_of(above * (1 - fy) + below * fy);
      }
    }
  }
}

void flip_picture(const uint8_t* in, uint8_t* out, const PictureShape& s, bool is_vertical) {
  if (!is_vertical) return mirror_picture(in, out, s);
  const auto row = static_cast<size_t>(s.width * s.channels);
  for (int64_t y = 0; y < s.height; ++y) {
    std::memcpy(out + static_cast<size_t>(y) * row,
                in + static_cast<size_t>(s.height - 1 - y) * row, row);
  }
}

/// Every factor is drawn, given or not: a key more changes nothing about the others.
ColorFactors draw_factors(const AugmentConfig& config, Philox& random) {
  const auto factor = [&](const std::optional<double>& strength) {
    return uniform(random, 1 - strength.value_or(0), 1 + strength.value_or(0));
  };
  ColorFactors factors;
  factors.brightness = factor(config.brightness);
  factors.contrast = factor(config.contrast);
  factors.saturation = factor(config.saturation);
  return factors;
}

void cut_out(int64_t side, Philox& random, std::span<const uint8_t> color, uint8_t* pixels,
             const PictureShape& s) {
  const auto top = static_cast<int64_t>(random.bounded(static_cast<uint64_t>(s.height))) - side / 2;
  const auto left = static_cast<int64_t>(random.bounded(static_cast<uint64_t>(s.width))) - side / 2;
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + side, s.height); ++y) {
    for (int64_t x = std::max<int64_t>(left, 0); x < std::min(left + side, s.width); ++x) {
      std::copy(color.begin(), color.end(), pixels + (y * s.width + x) * s.channels);
    }
  }
}

}  // namespace

void shift_picture(const uint8_t* in, uint8_t* out, const PictureShape& s, int64_t dy, int64_t dx,
                   Border border) {
  const int64_t c = s.channels, row_bytes = s.width * c;
  const int64_t begin = std::clamp<int64_t>(-dx, 0, s.width);             // columns of out
  const int64_t end = std::clamp<int64_t>(s.width - dx, begin, s.width);  // that lie inside
  for (int64_t y = 0; y < s.height; ++y) {
    uint8_t* to = out + y * row_bytes;
    const bool is_inside = y + dy >= 0 && y + dy < s.height;
    if (border == Border::kZero) {
      std::memset(to, 0, static_cast<size_t>(row_bytes));
      if (!is_inside) continue;
    }
    const uint8_t* from = in + (is_inside ? y + dy : mirrored(y + dy, s.height)) * row_bytes;
    if (begin < end) {
      std::memcpy(to + begin * c, from + (begin + dx) * c, static_cast<size_t>((end - begin) * c));
    }
    if (border == Border::kZero) continue;
    const auto mirror = [&](int64_t x) {
      std::memcpy(to + x * c, from + mirrored(x + dx, s.width) * c, static_cast<size_t>(c));
    };
    for (int64_t x = 0; x < begin; ++x) mirror(x);
    for (int64_t x = end; x < s.width; ++x) mirror(x);
  }
}

void mirror_picture(const uint8_t* in, uint8_t* out, const PictureShape& s) {
  const int64_t c = s.channels;
  for (int64_t y = 0; y < s.height; ++y) {
    const uint8_t* from = in + y * s.width * c;
    uint8_t* to = out + ((y + 1) * s.width - 1) * c;
    for (int64_t x = 0; x < s.width; ++x, from += c, to -= c) {
      for (int64_t k = 0; k < c; ++k) to[k] = from[k];
    }
  }
}

void rotate_picture(const uint8_t* in, uint8_t* out, const PictureShape& shape, double degrees) {
  const double angle = degrees * M_PI / 180;
  const double c = std::cos(angle), s = std::sin(angle);
  warp(in, out, shape, {c, -s, s, c});
}

void scale_picture(const uint8_t* in, uint8_t* out, const PictureShape& shape, double factor) {
  const double step = 1 / factor;
  warp(in, out, shape, {step, 0, 0, step});
}

void scale_colors(uint8_t* pixels, const PictureShape& s, const ColorFactors& factors) {
  const int64_t size = s.height * s.width;
  double mean = 0;
  for (int64_t i = 0; i < size; ++i) mean += gray_of(pixels + i * s.channels, s.channels);
  mean = mean / static_cast<double>(size) * factors.brightness;
  for (int64_t i = 0; i < size; ++i) {
    uint8_t* pixel = pixels + i * s.channels;
    const double gray =
        mean + (gray_of(pixel, s.channels) * factors.brightness - mean) * factors.contrast;
    for (int64_t c = 0; c < s.channels; ++c) {
      const double x = mean + (pixel[c] * factors.brightness - mean) * factors.contrast;
      pixel[c] = byte_of(gray + (x - gray) * factors.saturation);
    }
  }
}

void add_pixel_noise(std::span<uint8_t> pixels, double deviation, Philox random) {
  for (size_t i = 0; i < pixels.size(); i += 2) {
    // Two normal numbers of two uniform ones (Box and Muller).
    const auto below_one = static_cast<double>(random.uniform());
    const double radius = 255 * deviation * std::sqrt(-2 * std::log(1 - below_one));
    const double angle = 2 * M_PI * static_cast<double>(random.uniform());
    pixels[i] = byte_of(pixels[i] + radius * std::cos(angle));
    if (i + 1 < pixels.size()) pixels[i + 1] = byte_of(pixels[i + 1] + radius * std::sin(angle));
  }
}

Augmenter::Augmenter(std::vector<AugmentConfig> entries, const PictureShape& shape,
                     std::vector<uint8_t> mean_color, const std::string& where)
    : entries_(std::move(entries)), shape_(shape), mean_color_(std::move(mean_color)) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    const AugmentConfig& entry = entries_[i];
    const bool is_mirrored = entry.border.value_or(Border::kZero) == Border::kReflect;
    require(!is_mirrored || entry.padding.value_or(0) < std::min(shape.height, shape.width),
            Code::kInvalidArgument,
            "{}.augment.{}: border=reflect has {} x {} pixels to mirror, padding is {}", where, i,
            shape.height, shape.width, entry.padding.value_or(0));
    require(!entry.saturation || shape.channels == 3, Code::kInvalidArgument,
            "{}.augment.{}: saturation is for colours, the pictures are gray", where, i);
  }
}

void Augmenter::apply(uint64_t seed, uint64_t epoch, int64_t row, std::span<uint8_t> pixels,
                      std::span<uint8_t> scratch) const {
  const auto stream = static_cast<uint64_t>(row);
  uint8_t* now = pixels.data();
  uint8_t* next = scratch.data();
  for (size_t i = 0; i < entries_.size(); ++i) {
    const AugmentConfig& entry = entries_[i];
    const bool is_alternate = entry.alternate.value_or(false);
    // An alternating flip is drawn once for all epochs.
    Philox random(mix64(seed ^ mix64((is_alternate ? 0 : epoch) ^ kAugmentKey)), stream);
    random.seek(i * kWords);
    switch (entry.kind) {
      case AugmentKind::kCrop: {
        const int64_t padding = *entry.padding;
        const auto places = static_cast<uint64_t>(2 * padding + 1);
        const int64_t dy = static_cast<int64_t>(random.bounded(places)) - padding;
        const int64_t dx = static_cast<int64_t>(random.bounded(places)) - padding;
        shift_picture(now, next, shape_, dy, dx, entry.border.value_or(Border::kZero));
        std::swap(now, next);
        break;
      }
      case AugmentKind::kFlip: {
        const bool coin = (random() & 1U) != 0;
        if (coin == (is_alternate && epoch % 2 != 0)) break;
        flip_picture(now, next, shape_, entry.vertical.value_or(false));
        std::swap(now, next);
        break;
      }
      case AugmentKind::kRotate:
        rotate_picture(now, next, shape_, uniform(random, -*entry.degrees, *entry.degrees));
        std::swap(now, next);
        break;
      case AugmentKind::kScale:
        scale_picture(now, next, shape_, uniform(random, *entry.low, *entry.high));
        std::swap(now, next);
        break;
      case AugmentKind::kColorJitter:
        scale_colors(now, shape_, draw_factors(entry, random));
        break;
      case AugmentKind::kCutout:
        cut_out(*entry.size, random, mean_color_, now, shape_);
        break;
      case AugmentKind::kNoise:
        random.seek((i + 1) * kNoiseWords);
        add_pixel_noise({now, pixels.size()}, *entry.deviation, random);
        break;
    }
  }
  if (now != pixels.data()) std::memcpy(pixels.data(), now, pixels.size());
}

}  // namespace ingot::data
