// SPDX-License-Identifier: Apache-2.0
// The families of features: number, category, text, image.
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "data/transforms/category_feature.h"
#include "data/transforms/feature.h"
#include "data/transforms/image_feature.h"
#include "data/transforms/number_feature.h"
#include "data/transforms/text_feature.h"

namespace ingot::data {
namespace {

FeatureConfig checked(const FeatureConfig& config) {
  check(config);
  return config;
}

}  // namespace

std::string at_line(int64_t line) {
  return line > 0 ? fmt::format(" (line {})", line) : std::string();
}

std::string Feature::advice(std::string_view keys) const {
  return fmt::format("{} {{name: \"{}\", {}}} in table.features",
                     is_loaded_ ? "train again with" : "set", excerpt(name()), keys);
}

void Feature::require_missing_allowed(const Cell& cell, std::string_view keys) const {
  if (config_.missing != Missing::kError) return;
  fail(Code::kInvalidArgument,
       "features: column \"{}\"{}: the cell has no value, and missing=error allows none; {}",
       name(), at_line(cell.line), advice(keys));
}

std::unique_ptr<Feature> make_feature(const FeatureConfig& config) {
  switch (config.kind) {
    case FeatureKind::kNumber:
      return std::make_unique<NumberFeature>(checked(config));
    case FeatureKind::kCategory:
      return std::make_unique<CategoryFeature>(checked(config));
    case FeatureKind::kText:
      return std::make_unique<TextFeature>(checked(config));
    case FeatureKind::kImage:
      return std::make_unique<ImageFeature>(checked(config));
    default:
      break;
  }
  fail(Code::kInvalidArgument, "table.features: column \"{}\" has kind {}, which makes no feature",
       config.name, enum_name(config.kind));
}

std::unique_ptr<Feature> load_feature(const FeatureConfig& config, const Json& state,
                                      std::string_view what) {
  switch (config.kind) {
    case FeatureKind::kNumber:
      return std::make_unique<NumberFeature>(checked(config), state, what);
    case FeatureKind::kCategory:
      return std::make_unique<CategoryFeature>(checked(config), state, what);
    case FeatureKind::kText:
      return std::make_unique<TextFeature>(checked(config), state, what);
    case FeatureKind::kImage:
      return std::make_unique<ImageFeature>(checked(config), state, what);
    default:
      return make_feature(config);
  }
}

}  // namespace ingot::data
