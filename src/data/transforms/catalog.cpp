// SPDX-License-Identifier: Apache-2.0
// The families of features: number, category, text, and image, which fills no slot (its cell is a
// path that the caller reads).
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/transforms/category_feature.h"
#include "data/transforms/feature.h"
#include "data/transforms/number_feature.h"
#include "data/transforms/text_feature.h"

namespace ingot::data {
namespace {

class ImageFeature final : public Feature {
 public:
  explicit ImageFeature(FeatureConfig config) : Feature(std::move(config)) {}

  void add(const Cell& cell) override {
    rows_ += 1;
    require_path(cell);
  }
  [[nodiscard]] bool finish_pass(std::vector<std::string>& /*warnings*/) override {
    require(rows_ > 0, Code::kInvalidArgument,
            "features: column \"{}\" has no value in {} training rows; set kind=ignore", name(),
            rows_);
    return false;
  }
  [[nodiscard]] FeatureLayout layout() const override { return {}; }
  void encode(const Cell& cell, Slots /*slots*/, FeatureScratch& /*scratch*/) const override {
    require_path(cell);
  }
  [[nodiscard]] Json state() const override { return Json::object(); }

 private:
  void require_path(const Cell& cell) const {
    require(!cell.missing, Code::kInvalidArgument,
            "features: column \"{}\"{}: no path of an image; set missing=drop_row to leave such "
            "rows out",
            name(), at_line(cell.line));
  }
  int64_t rows_ = 0;
};

FeatureConfig checked(const FeatureConfig& config) {
  check(config);
  return config;
}

}  // namespace

std::string at_line(int64_t line) {
  return line > 0 ? fmt::format(" (line {})", line) : std::string();
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
  fail(Code::kInvalidArgument, "features: column \"{}\" has kind {}, which makes no feature",
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
    default:
      return make_feature(config);
  }
}

}  // namespace ingot::data
