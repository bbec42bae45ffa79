// SPDX-License-Identifier: Apache-2.0
// How the rows of a table reach a network: numbers with the noise of training, pictures augmented
// in training, mirrored or moved when an evaluation asks for it, and as numbers. One definition for
// training, evaluation, prediction and serving. Called through batch_filler.h.
#pragma once

#include <cstdint>

#include "data/batch_filler.h"
#include "data/transforms/feature_set.h"

namespace ingot::data {

class FeatureRows final : public RowFiller {
 public:
  /// `features` must outlive it. `seed` is that of noise and augmentation.
  FeatureRows(const FeatureSet& features, uint64_t seed);

  void fill(const ExampleField& field, std::span<const std::byte> stored, const RowView& view,
            std::span<std::byte> scratch, std::span<std::byte> out) const override;
  [[nodiscard]] int64_t scratch_bytes() const override { return scratch_bytes_; }

  /// The bytes of a picture in some version, before they become numbers; they lie in `scratch`.
  [[nodiscard]] std::span<const uint8_t> pixels(const ImageFeature& image,
                                                std::span<const std::byte> stored,
                                                const RowView& view,
                                                std::span<std::byte> scratch) const;

 private:
  const FeatureSet& features_;
  uint64_t seed_;
  int64_t scratch_bytes_ = 0;
};

}  // namespace ingot::data
