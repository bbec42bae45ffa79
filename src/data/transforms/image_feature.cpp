// SPDX-License-Identifier: Apache-2.0
// Fitting takes up to two passes: sizes and channels when they are not given, then the moments of
// the bytes when they are needed. Moments are sums of whole numbers: exact, in any order.
#include "data/transforms/image_feature.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/transforms/image_resize.h"

namespace ingot::data {
namespace {

constexpr int64_t kMaxFile = int64_t{1} << 30;
constexpr size_t kValues = 256;  // of a byte

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::vector<double> numbers_of(const Json& state, std::string_view key, int64_t count,
                               std::string_view what) {
  const Json& list = json_member(state, key, what);
  require(list.is_array() && static_cast<int64_t>(list.size()) == count, Code::kInvalidArgument,
          "{}: \"{}\" must be a list of {} numbers", what, key, count);
  std::vector<double> numbers;
  for (const Json& x : list) {
    require(x.is_number(), Code::kInvalidArgument, "{}: \"{}\" must hold numbers", what, key);
    numbers.push_back(x.get<double>());
  }
  return numbers;
}

}  // namespace

ImageFeature::ImageFeature(FeatureConfig config) : Feature(std::move(config)) {
  if (!options().size.empty()) {
    shape_.height = options().size[0];
    shape_.width = options().size[1];
  }
  shape_.channels = options().channels;
  if (!options().size.empty() && options().channels != 0) pass_ = pass_after_probe();
}

ImageFeature::ImageFeature(FeatureConfig config, const Json& state, std::string_view what)
    : Feature(std::move(config), true) {
  shape_ = {json_int(state, "height", what), json_int(state, "width", what),
            json_int(state, "channels", what)};
  require(shape_.height >= 1 && shape_.height <= kMaxImageSide && shape_.width >= 1 &&
              shape_.width <= kMaxImageSide && (shape_.channels == 1 || shape_.channels == 3),
          Code::kInvalidArgument, "{}: pictures of {} x {} x {}", what, shape_.height, shape_.width,
          shape_.channels);
  mean_ = numbers_of(state, "mean", shape_.channels, what);
  deviation_ = numbers_of(state, "deviation", shape_.channels, what);
  finish();
}

ImageFeature::Pass ImageFeature::pass_after_probe() const {
  return options().scale == PixelScale::kStandard ? Pass::kMoments : Pass::kCount;
}

// ---- reading

std::string picture_name(const Cell& cell) {
  return io::is_image(cell.text) ? "the cell" : std::string(trim(cell.text));
}

std::string picture_bytes(const Cell& cell) {
  if (io::is_image(cell.text)) return std::string(cell.text);
  require(!cell.folder.empty(), Code::kCorruptFile,
          "image: a picture is expected here, the bytes of a PNG or JPEG file, or of a PGM or PPM "
          "file whose head is width, height and 255 alone, not the text \"{}\"",
          excerpt(cell.text));
  const std::string path(trim(cell.text));
  try {
    return read_regular_file(path.starts_with('/') ? path : join_path(cell.folder, path), kMaxFile);
  } catch (const Error& error) {
    // A folder, a pipe: a cell that is no picture, and no key of the recipe makes it one.
    fail(error.code() == Code::kInvalidArgument ? Code::kCorruptFile : error.code(), "{}",
         error.what());
  }
}

std::string pixel_digest(std::span<const uint8_t> pixels) {
  return fmt::format("{:016x}", hash64(std::as_bytes(pixels)));
}

template <class Work>
bool ImageFeature::attempt(const Cell& cell, const Work& work, std::string& reason) const {
  if (cell.missing && options().bad == BadImage::kDropRow && config().missing != Missing::kError) {
    reason = fmt::format("the cell{} is empty", at_line(cell.line));
    return false;
  }
  if (cell.missing) {
    fail(Code::kInvalidArgument,
         "features: column \"{}\"{}: no path of an image; {} to leave such rows out", name(),
         at_line(cell.line), advice("missing: drop_row"));
  }
  try {
    work();
    return true;
  } catch (const Error& error) {
    reason = error.what();
    if (options().bad == BadImage::kDropRow) return false;
    const bool is_too_large = error.code() == Code::kInvalidArgument;
    fail(error.code(), "features: column \"{}\"{}: {}; {}, or {}", name(), at_line(cell.line),
         error.what(), is_too_large ? "raise its image.max_pixels" : "correct it",
         advice("image: {bad: drop_row}"));
  }
}

void ImageFeature::read(const Cell& cell, std::span<uint8_t> pixels) const {
  const io::Image image = io::decode_image(as_bytes(picture_bytes(cell)), picture_name(cell),
                                           {shape_.channels, options().max_pixels});
  fit_image(image, options().fit, shape_.height, shape_.width, pixels);
}

// ---- fitting

void ImageFeature::add_size(const Cell& cell, const io::ImageInfo& info) {
  if (options().channels == 0) shape_.channels = std::max(shape_.channels, info.channels);
  if (!options().size.empty()) return;
  if (shape_.height == 0) {
    shape_.height = info.height;
    shape_.width = info.width;
  }
  if (info.height == shape_.height && info.width == shape_.width) return;
  fail(Code::kShapeMismatch,
       "features: column \"{}\"{}: \"{}\" is {} high and {} wide, the first picture {} and {}; "
       "{} to give all one size",
       name(), at_line(cell.line), picture_name(cell), info.height, info.width, shape_.height,
       shape_.width, advice(fmt::format("image: {{size: [{}, {}]}}", shape_.height, shape_.width)));
}

void ImageFeature::add_pixels() {
  sums_.resize(static_cast<size_t>(shape_.channels));
  squares_.resize(static_cast<size_t>(shape_.channels));
  for (size_t i = 0; i < pixels_.size();) {
    for (size_t c = 0; c < sums_.size(); ++c, ++i) {
      sums_[c] += pixels_[i];
      squares_[c] += uint64_t{pixels_[i]} * pixels_[i];
    }
  }
}

void ImageFeature::add(const Cell& cell) {
  rows_ += 1;
  std::string reason;
  io::ImageInfo info;
  const bool is_good = attempt(
      cell,
      [&] {
        if (pass_ == Pass::kProbe) {
          info = io::probe_image(as_bytes(picture_bytes(cell)), picture_name(cell),
                                 {0, options().max_pixels});
        } else if (pass_ == Pass::kMoments) {
          pixels_.resize(static_cast<size_t>(shape_.height * shape_.width * shape_.channels));
          read(cell, pixels_);
        }
      },
      reason);
  if (!is_good) {
    if (bad_++ == 0) first_bad_ = reason;
  } else if (pass_ == Pass::kProbe) {
    add_size(cell, info);
  } else if (pass_ == Pass::kMoments) {
    add_pixels();
  }
}

bool ImageFeature::finish_pass(std::vector<std::string>& warnings) {
  require(rows_ > bad_, Code::kInvalidArgument,
          "features: column \"{}\" has no picture in {} training rows{}{}; {}", name(), rows_,
          bad_ > 0 ? ", the first: " : "", first_bad_, advice("kind: ignore"));
  const bool is_last = pass_ != Pass::kProbe || pass_after_probe() == Pass::kCount;
  if (bad_ > 0 && is_last) {
    warnings.push_back(fmt::format("{}: {} of {} training pictures cannot be read; the first: {}",
                                   name(), bad_, rows_, first_bad_));
  }
  require(std::max(shape_.height, shape_.width) <= kMaxImageSide, Code::kInvalidArgument,
          "features: column \"{}\": pictures of {} x {} pixels are too large to learn from; {}",
          name(), shape_.width, shape_.height, advice("image: {size: [64, 64]}"));
  const int64_t pictures = rows_ - bad_;
  rows_ = bad_ = 0;
  if (pass_ == Pass::kProbe) {
    pass_ = pass_after_probe();
    if (pass_ == Pass::kMoments) return true;
  }
  set_moments(pictures);
  for (size_t c = 0; c < deviation_.size(); ++c) {
    if (deviation_[c] > 0) continue;
    warnings.push_back(fmt::format("{}: channel {} is {} in all training pictures, scaled to 0",
                                   name(), c + 1, std::lround(mean_[c] * 255)));
  }
  finish();
  return false;
}

/// mean_ and deviation_ by the scale; those that leave numbers as they are included.
void ImageFeature::set_moments(int64_t pictures) {
  const auto channels = static_cast<size_t>(shape_.channels);
  const double unit = options().scale == PixelScale::kNone ? 1.0 / 255.0 : 1.0;
  mean_.assign(channels, 0.0);
  deviation_.assign(channels, unit);
  if (options().scale == PixelScale::kGiven) {
    require(
        options().mean.size() == channels, Code::kInvalidArgument,
        "features: column \"{}\": image.mean has {} numbers, the pictures have {} channels; {}, or "
        "give {} numbers",
        name(), options().mean.size(), channels,
        advice(fmt::format("image: {{channels: {}}}", options().mean.size())), channels);
    mean_ = options().mean;
    deviation_ = options().deviation;
  } else if (options().scale == PixelScale::kStandard) {
    const auto count = static_cast<double>(pictures * shape_.height * shape_.width);
    for (size_t c = 0; c < channels; ++c) {
      const double mean = static_cast<double>(sums_[c]) / count;
      const double variance = static_cast<double>(squares_[c]) / count - mean * mean;
      mean_[c] = mean / 255;
      deviation_[c] = std::sqrt(std::max(variance, 0.0)) / 255;
    }
  }
}

/// What follows from shape and moments.
void ImageFeature::finish() {
  const auto channels = static_cast<size_t>(shape_.channels);
  numbers_.resize(channels * kValues);
  std::vector<uint8_t> mean_color(channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t x = 0; x < kValues; ++x) {
      const double y = static_cast<double>(x) / 255 - mean_[c];
      numbers_[c * kValues + x] = deviation_[c] > 0 ? static_cast<float>(y / deviation_[c]) : 0.0F;
    }
    mean_color[c] = static_cast<uint8_t>(std::lround(std::clamp(mean_[c], 0.0, 1.0) * 255));
  }
  augmenter_ = Augmenter(options().augment, shape_, std::move(mean_color),
                         fmt::format("table.features: column \"{}\": image", name()));
}

FeatureLayout ImageFeature::layout() const {
  FeatureLayout layout;
  layout.pixels = {shape_.height, shape_.width, shape_.channels};
  return layout;
}

// ---- encoding

bool ImageFeature::encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const {
  return attempt(
      cell, [&] { read(cell, slots.pixels); }, scratch.reason);
}

void ImageFeature::to_numbers(std::span<const uint8_t> pixels, float* out) const {
  const float* table = numbers_.data();
  if (shape_.channels == 1) {
    for (size_t i = 0; i < pixels.size(); ++i) out[i] = table[pixels[i]];
    return;
  }
  for (size_t i = 0; i < pixels.size(); i += 3) {
    out[i] = table[pixels[i]];
    out[i + 1] = table[kValues + pixels[i + 1]];
    out[i + 2] = table[2 * kValues + pixels[i + 2]];
  }
}

Json ImageFeature::state() const {
  return Json{{"height", shape_.height},
              {"width", shape_.width},
              {"channels", shape_.channels},
              {"mean", mean_},
              {"deviation", deviation_}};
}

}  // namespace ingot::data
