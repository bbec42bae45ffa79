// SPDX-License-Identifier: Apache-2.0
#include "data/example_space.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "data/table_examples.h"

namespace ingot::data {
namespace {

constexpr int64_t kWorthANote = int64_t{1} << 30;
constexpr int64_t kSlot = 4;  // bytes of a float32 and of an id; records are padded to it

/// Bytes of a record that a feature fills, padded.
int64_t filled_bytes(const Feature& feature) {
  const FeatureLayout layout = feature.layout();
  const int64_t pixels = layout.pixels.rank() > 0 ? layout.pixels.size() : 0;
  return kSlot * (std::ssize(layout.columns) + layout.ids) + (pixels + kSlot - 1) / kSlot * kSlot;
}

const Feature& largest_feature(const FeatureSet& features) {
  const auto is_smaller = [](const auto& a, const auto& b) {
    return filled_bytes(*a) < filled_bytes(*b);
  };
  const auto all = features.features();
  return **std::max_element(all.begin(), all.end(), is_smaller);
}

/// The size of pictures of the same form that fill `slots`; empty where not one pixel does.
std::string size_that_fits(const Shape& pixels, int64_t slots) {
  const double share =
      std::sqrt(static_cast<double>(kSlot * slots) / static_cast<double>(pixels.size()));
  const auto height = static_cast<int64_t>(share * static_cast<double>(pixels[0]));
  const auto width = static_cast<int64_t>(share * static_cast<double>(pixels[1]));
  if (height < 1 || width < 1) return {};
  return fmt::format("image: {{size: [{}, {}]}}", height, width);
}

/// Keys under which a feature fills at most so many slots of a record; empty where none do.
std::string keys_that_fit(const Feature& feature, int64_t slots) {
  constexpr int64_t kFewestWords = 3;
  const FeatureConfig& config = feature.config();
  if (slots < 1) return {};
  if (config.kind == FeatureKind::kImage) return size_that_fits(feature.layout().pixels, slots);
  if (config.kind == FeatureKind::kCategory) return "encode: frequency";
  if (config.kind != FeatureKind::kText) return {};
  if (config.text.encode == TextEncode::kIds) return fmt::format("text: {{length: {}}}", slots);
  if (config.text.tokenizer.empty() && slots >= kFewestWords) {
    return fmt::format("text: {{words: {}}}", slots);
  }
  return fmt::format("text: {{encode: ids, length: {}}}", std::min(slots, config.text.length));
}

}  // namespace

void require_space(const FeatureSet& features, int64_t rows, const std::string& directory,
                   int64_t free_bytes) {
  const int64_t record = example_layout(features, true).record_bytes();
  const int64_t need = checked_mul(rows, record, "examples", Code::kInvalidArgument);
  if (free_bytes <= 0 || need <= free_bytes) return;
  const Feature& feature = largest_feature(features);
  const int64_t room = free_bytes / 10 * 9 / rows - (record - filled_bytes(feature));
  const std::string keys = keys_that_fit(feature, room / kSlot);
  fail(Code::kIo,
       "examples: {} rows of {} take {}, and {} are free in \"{}\"; take a folder of another disk "
       "(out=DIR){}",
       with_thousands(rows), human_bytes(record), human_bytes(need), human_bytes(free_bytes),
       directory,
       keys.empty() ? std::string()
                    : fmt::format(", or set {{name: \"{}\", {}}} in table.features",
                                  excerpt(feature.name()), keys));
}

std::string space_note(int64_t rows, int64_t record_bytes, const std::string& directory) {
  const int64_t bytes = checked_mul(rows, record_bytes, "examples", Code::kInvalidArgument);
  if (bytes < kWorthANote) return {};
  return fmt::format("{} rows of {} take {} in {}", with_thousands(rows), human_bytes(record_bytes),
                     human_bytes(bytes), directory);
}

}  // namespace ingot::data
