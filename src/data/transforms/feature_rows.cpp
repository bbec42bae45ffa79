// SPDX-License-Identifier: Apache-2.0
#include "data/transforms/feature_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/transforms/image_feature.h"

namespace ingot::data {

FeatureRows::FeatureRows(const FeatureSet& features, uint64_t seed)
    : features_(features), seed_(seed) {
  for (const Block& block : features.blocks()) {
    if (block.dtype == DType::kU8) {
      scratch_bytes_ = std::max(scratch_bytes_, 2 * block.shape.size());
    }
  }
}

std::span<const uint8_t> FeatureRows::pixels(const ImageFeature& image,
                                             std::span<const std::byte> stored, const RowView& view,
                                             std::span<std::byte> scratch) const {
  const size_t size = stored.size();
  auto* now = reinterpret_cast<uint8_t*>(scratch.data());
  uint8_t* next = now + size;
  std::memcpy(now, stored.data(), size);
  if (view.is_training) {
    image.augmenter().apply(seed_, view.epoch, view.row, {now, size}, {next, size});
    return {now, size};
  }
  if (view.is_mirrored) {
    mirror_picture(now, next, image.shape());
    std::swap(now, next);
  }
  if (view.shift_y != 0 || view.shift_x != 0) {
    shift_picture(now, next, image.shape(), view.shift_y, view.shift_x, Border::kReflect);
    std::swap(now, next);
  }
  return {now, size};
}

void FeatureRows::fill(const ExampleField& field, std::span<const std::byte> stored,
                       const RowView& view, std::span<std::byte> scratch,
                       std::span<std::byte> out) const {
  if (field.dtype == DType::kU8) {
    const ImageFeature* image = features_.find_image(field.name);
    INGOT_ASSERT(image != nullptr);
    image->to_numbers(pixels(*image, stored, view, scratch), reinterpret_cast<float*>(out.data()));
    return;
  }
  RowFiller::fill(field, stored, view, scratch, out);
  // Arrays may be filled in place of columns: floats of another name are no numbers of a table.
  if (!view.is_training || field.dtype != DType::kF32 || field.name != kTableBlock) return;
  features_.add_noise(seed_, view.epoch, view.row,
                      {reinterpret_cast<float*>(out.data()), out.size() / sizeof(float)});
}

}  // namespace ingot::data
