// SPDX-License-Identifier: Apache-2.0
#include "data/image_grid.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "data/transforms/image_resize.h"

namespace ingot::data {
namespace {

constexpr int64_t kGridChannels = 3;
constexpr int64_t kMostPixels = int64_t{64} << 20;

/// Every pixel `factor` times in both directions.
io::Image enlarged(const io::Image& image, int64_t factor) {
  io::Image out{image.height * factor, image.width * factor, image.channels};
  out.pixels.reserve(static_cast<size_t>(out.height * out.width * out.channels));
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      const int64_t from = (y / factor * image.width + x / factor) * image.channels;
      for (int64_t c = 0; c < image.channels; ++c) {
        out.pixels.push_back(image.pixels[static_cast<size_t>(from + c)]);
      }
    }
  }
  return out;
}

void paste(const io::Image& image, int64_t top, int64_t left, io::Image& grid) {
  for (int64_t y = 0; y < image.height; ++y) {
    uint8_t* to = grid.pixels.data() + ((top + y) * grid.width + left) * kGridChannels;
    const uint8_t* from = image.pixels.data() + y * image.width * image.channels;
    for (int64_t x = 0; x < image.width; ++x, from += image.channels) {
      for (int64_t c = 0; c < kGridChannels; ++c) *to++ = from[image.channels == 1 ? 0 : c];
    }
  }
}

}  // namespace

io::Image in_cell(const io::Image& image, int64_t cell) {
  const int64_t side = std::max(image.height, image.width);
  if (side <= cell) return cell / side > 1 ? enlarged(image, cell / side) : image;
  return resize_image(image, std::max<int64_t>(image.height * cell / side, 1),
                      std::max<int64_t>(image.width * cell / side, 1));
}

io::Image image_grid(std::span<const io::Image> pictures, const GridOptions& options) {
  require(!pictures.empty() && options.columns >= 1 && options.cell >= 1 && options.gap >= 0,
          Code::kInvalidArgument, "grid: {} pictures in {} columns of {} pixels", pictures.size(),
          options.columns, options.cell);
  const auto count = static_cast<int64_t>(pictures.size());
  const int64_t step = options.cell + options.gap;
  const int64_t columns = std::min(options.columns, count);
  const int64_t rows = (count + columns - 1) / columns;
  io::Image grid{rows * step + options.gap, columns * step + options.gap, kGridChannels};
  require(grid.height <= kMostPixels / grid.width, Code::kInvalidArgument,
          "grid: {} rows of {} pictures are too many for one picture", rows, columns);
  grid.pixels.assign(static_cast<size_t>(grid.height * grid.width * kGridChannels), 255);
  for (int64_t i = 0; i < count; ++i) {
    const io::Image image = in_cell(pictures[static_cast<size_t>(i)], options.cell);
    paste(image, options.gap + i / columns * step + (options.cell - image.height) / 2,
          options.gap + i % columns * step + (options.cell - image.width) / 2, grid);
  }
  return grid;
}

}  // namespace ingot::data
