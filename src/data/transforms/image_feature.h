// SPDX-License-Identifier: Apache-2.0
// A column of pictures: read (a path or the picture itself), turned to one size and number of
// channels, and kept as bytes. The numbers that a network sees are made when a batch is filled:
//   y = (x / 255 - mean[channel]) / deviation[channel]
// by a table of the 256 values per channel, worked out once in double. Made by catalog.cpp; its
// bytes become numbers in feature_rows.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/transforms/augment.h"
#include "data/transforms/feature.h"
#include "io/image.h"

namespace ingot::data {

/// The bytes of the picture file that a cell is or names. Throws kCorruptFile for a path when the
/// cell allows none, kNotFound, kIo.
[[nodiscard]] std::string picture_bytes(const Cell& cell);
/// How messages call it: the path, or "the cell".
[[nodiscard]] std::string picture_name(const Cell& cell);

/// What tells pictures apart whatever their file is called: a 64-bit hash of their pixels.
[[nodiscard]] std::string pixel_digest(std::span<const uint8_t> pixels);

class ImageFeature final : public Feature {
 public:
  explicit ImageFeature(FeatureConfig config);
  ImageFeature(FeatureConfig config, const Json& state, std::string_view what);

  void add(const Cell& cell) override;
  [[nodiscard]] bool finish_pass(std::vector<std::string>& warnings) override;
  [[nodiscard]] FeatureLayout layout() const override;
  bool encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const override;
  [[nodiscard]] Json state() const override;

  // Fitted.
  [[nodiscard]] const PictureShape& shape() const { return shape_; }
  [[nodiscard]] const Augmenter& augmenter() const { return augmenter_; }
  /// Bytes [height, width, channels] as the network sees them.
  void to_numbers(std::span<const uint8_t> pixels, float* out) const;

 private:
  /// What a pass over the training rows is for.
  enum class Pass : uint8_t { kProbe, kMoments, kCount };

  [[nodiscard]] const ImageOptions& options() const { return config_.image; }
  [[nodiscard]] Pass pass_after_probe() const;
  void add_size(const Cell& cell, const io::ImageInfo& info);
  void add_pixels();
  void read(const Cell& cell, std::span<uint8_t> pixels) const;
  /// Runs `work`; its errors name the column and line. False: the picture is bad, and may be, for
  /// that reason.
  template <class Work>
  bool attempt(const Cell& cell, const Work& work, std::string& reason) const;
  void set_moments(int64_t pictures);
  void finish();

  // Fitted.
  PictureShape shape_;
  std::vector<double> mean_, deviation_;  // per channel, of numbers in [0, 1]
  Augmenter augmenter_;
  std::vector<float> numbers_;  // [channels, 256]

  // While fitting.
  Pass pass_ = Pass::kProbe;
  int64_t rows_ = 0;  // of this pass, good and bad
  int64_t bad_ = 0;
  std::string first_bad_;
  std::vector<uint64_t> sums_, squares_;  // per channel, of bytes
  std::vector<uint8_t> pixels_;
};

}  // namespace ingot::data
