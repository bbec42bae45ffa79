// SPDX-License-Identifier: Apache-2.0
// The weights of one axis are worked out once; a pass writes rows of the other axis.
#include "data/transforms/image_resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ingot::data {
namespace {

constexpr int kBits = 22;                            // of the weights' fraction
constexpr int64_t kMostBetween = int64_t{64} << 20;  // pixels of what lies between the two axes

/// What each output pixel of an axis is made from.
struct Axis {
  struct Window {
    int64_t first = 0;
    int64_t count = 0;
    size_t weights = 0;  // where they begin
  };
  std::vector<Window> windows;
  std::vector<int32_t> weights;
};

Axis axis_of(int64_t in, int64_t out) {
  Axis axis;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double support = std::max(scale, 1.0);
  const double narrow = 1.0 / support;
  std::vector<double> raw;
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const auto end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), in);
    raw.clear();
    double sum = 0;
    for (int64_t j = first; j < end; ++j) {
      const double distance = (static_cast<double>(j) - center + 0.5) * narrow;
      raw.push_back(std::max(1.0 - std::abs(distance), 0.0));
      sum += raw.back();
    }
    axis.windows.push_back({first, end - first, axis.weights.size()});
    for (const double w : raw) {
      axis.weights.push_back(static_cast<int32_t>(w / sum * (1 << kBits) + 0.5));
    }
  }
  return axis;
}

uint8_t from_fixed(int64_t sum) {
  return static_cast<uint8_t>(std::clamp<int64_t>(sum >> kBits, 0, 255));
}

constexpr int64_t kHalf = int64_t{1} << (kBits - 1);

/// [height, in, channels] -> [height, out, channels].
void along_x(const io::Image& image, const Axis& axis, uint8_t* out) {
  const int64_t channels = image.channels;
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* row = image.pixels.data() + y * image.width * channels;
    for (const Axis::Window& window : axis.windows) {
      const int32_t* w = axis.weights.data() + window.weights;
      for (int64_t c = 0; c < channels; ++c) {
        int64_t sum = kHalf;
        const uint8_t* x = row + window.first * channels + c;
        for (int64_t j = 0; j < window.count; ++j) sum += int64_t{w[j]} * x[j * channels];
        *out++ = from_fixed(sum);
      }
    }
  }
}

/// [in, row_bytes] -> [out, row_bytes].
void along_y(const uint8_t* in, int64_t row_bytes, const Axis& axis, uint8_t* out) {
  std::vector<int64_t> sums(static_cast<size_t>(row_bytes));
  for (const Axis::Window& window : axis.windows) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int64_t j = 0; j < window.count; ++j) {
      const int64_t w = axis.weights[window.weights + static_cast<size_t>(j)];
      const uint8_t* row = in + (window.first + j) * row_bytes;
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += w * row[i];
    }
    for (const int64_t sum : sums) *out++ = from_fixed(sum);
  }
}

/// round(a * b / c), halves up, at least 1.
int64_t scaled(int64_t a, int64_t b, int64_t c) {
  return std::max<int64_t>((2 * a * b + c) / (2 * c), 1);
}

struct Box {
  int64_t height = 0;
  int64_t width = 0;
};

/// The largest box of the proportions of `target` that fits into `outer`.
Box fitting(const Box& target, const Box& outer) {
  const bool is_wider = outer.width * target.height > target.width * outer.height;
  if (is_wider) return {outer.height, scaled(target.width, outer.height, target.height)};
  return {scaled(target.height, outer.width, target.width), outer.width};
}

/// Copies the middle of one picture into the middle of another.
void copy_middle(const uint8_t* from, const Box& in, uint8_t* to, const Box& out,
                 int64_t channels) {
  const int64_t rows = std::min(in.height, out.height), columns = std::min(in.width, out.width);
  for (int64_t y = 0; y < rows; ++y) {
    const int64_t from_pixel = ((in.height - rows) / 2 + y) * in.width + (in.width - columns) / 2;
    const int64_t to_pixel = ((out.height - rows) / 2 + y) * out.width + (out.width - columns) / 2;
    std::memcpy(to + to_pixel * channels, from + from_pixel * channels,
                static_cast<size_t>(columns * channels));
  }
}

}  // namespace

io::Image resize_image(const io::Image& image, int64_t height, int64_t width) {
  if (image.height == height && image.width == width) return image;
  const bool is_first_y = height < image.height && width > image.width;
  if (is_first_y && image.height * width > kMostBetween) {
    return resize_image(resize_image(image, height, image.width), height, width);
  }
  io::Image wide{image.height, width, image.channels};
  if (image.width == width) {
    wide.pixels = image.pixels;
  } else {
    wide.pixels.resize(static_cast<size_t>(image.height * width * image.channels));
    along_x(image, axis_of(image.width, width), wide.pixels.data());
  }
  if (image.height == height) return wide;
  io::Image out{height, width, image.channels};
  out.pixels.resize(static_cast<size_t>(height * width * image.channels));
  along_y(wide.pixels.data(), width * image.channels, axis_of(image.height, height),
          out.pixels.data());
  return out;
}

void fit_image(const io::Image& image, ImageFit fit, int64_t height, int64_t width,
               std::span<uint8_t> pixels) {
  const Box target{height, width}, whole{image.height, image.width};
  const int64_t channels = image.channels;
  if (fit == ImageFit::kCrop) {
    const Box kept = fitting(target, whole);
    io::Image middle{kept.height, kept.width, channels};
    middle.pixels.resize(static_cast<size_t>(kept.height * kept.width * channels));
    copy_middle(image.pixels.data(), whole, middle.pixels.data(), kept, channels);
    const io::Image resized = resize_image(middle, height, width);
    std::copy(resized.pixels.begin(), resized.pixels.end(), pixels.begin());
    return;
  }
  const Box kept = fit == ImageFit::kPad ? fitting(whole, target) : target;
  const io::Image resized = resize_image(image, kept.height, kept.width);
  std::fill(pixels.begin(), pixels.end(), uint8_t{0});
  copy_middle(resized.pixels.data(), kept, pixels.data(), target, channels);
}

}  // namespace ingot::data
