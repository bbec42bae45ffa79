// SPDX-License-Identifier: Apache-2.0
#include "data/preview.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/transforms/feature_rows.h"
#include "data/transforms/image_feature.h"

namespace ingot::data {
namespace {

/// Bytes become numbers by a line per channel, so a mean of numbers is that of their bytes.
void blend_pixels(std::span<uint8_t> own, std::span<const uint8_t> partner, float share) {
  const auto s = static_cast<double>(share);
  for (size_t i = 0; i < own.size(); ++i) {
    own[i] = static_cast<uint8_t>(std::lround(s * own[i] + (1.0 - s) * partner[i]));
  }
}

}  // namespace

io::Image preview(const FeatureSet& features, const ExampleReader& train,
                  const PreviewOptions& options) {
  const auto blocks = features.blocks();
  const auto block = std::find_if(blocks.begin(), blocks.end(),
                                  [](const Block& b) { return b.dtype == DType::kU8; });
  require(block != blocks.end() && train.rows() > 0, Code::kInvalidArgument,
          "preview: {}; a preview shows pictures that are trained on",
          block == blocks.end() ? "the table has no column of pictures" : "no example trains");
  const ImageFeature& image = *features.find_image(block->name);
  const ExampleField& field = *train.layout().find(block->name);
  const FeatureRows filler(features, options.seed);
  std::vector<std::byte> scratch(static_cast<size_t>(filler.scratch_bytes()));
  const auto version_of = [&](const RowView& view) {
    const auto stored = train.row(view.row).subspan(static_cast<size_t>(field.offset),
                                                    static_cast<size_t>(field.bytes()));
    const auto pixels = filler.pixels(image, stored, view, scratch);
    return std::vector<uint8_t>(pixels.begin(), pixels.end());
  };
  const PictureShape& shape = image.shape();
  std::vector<io::Image> pictures;
  const int64_t rows = std::min(options.rows, train.rows());
  for (int64_t i = 0; i < rows; ++i) {
    RowView view;
    view.row = i * train.rows() / rows;
    for (int64_t version = 0; version <= options.versions; ++version) {
      view.is_training = version > 0;
      view.epoch = static_cast<uint64_t>(std::max<int64_t>(version - 1, 0));
      std::vector<uint8_t> pixels = version_of(view);
      if (view.is_training && options.mix) {
        const PreviewMix mix = options.mix(view.row, view.epoch);
        RowView partner = view;  // varied as in a turn of its own in this epoch
        partner.row = mix.partner;
        blend_pixels(pixels, version_of(partner), mix.share);
      }
      pictures.push_back({shape.height, shape.width, shape.channels, std::move(pixels)});
    }
  }
  GridOptions grid;
  grid.columns = options.versions + 1;
  return image_grid(pictures, grid);
}

}  // namespace ingot::data
