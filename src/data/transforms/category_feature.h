// SPDX-License-Identifier: Apache-2.0
// A column of categories: the values of the training rows, sorted by their bytes, become one-hot
// columns, an id for an embedding (0 for unseen values, from 1 on for known ones), or their share
// of the training rows. Never looks at the target, so nothing leaks from it. Made by catalog.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/transforms/feature.h"

namespace ingot::data {

class CategoryFeature final : public Feature {
 public:
  explicit CategoryFeature(FeatureConfig config) : Feature(std::move(config)) {}
  CategoryFeature(FeatureConfig config, const Json& state, std::string_view what);

  void add(const Cell& cell) override;
  [[nodiscard]] bool finish_pass(std::vector<std::string>& warnings) override;
  [[nodiscard]] FeatureLayout layout() const override;
  bool encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const override;
  [[nodiscard]] Json state() const override;

 private:
  struct Category {
    std::string value;
    int64_t count = 0;
  };
  /// Position of a cell: a category, own_place() for a missing one, or kUnseen.
  static constexpr int64_t kUnseen = -1;
  [[nodiscard]] int64_t place_of(const Cell& cell, FeatureScratch& scratch) const;
  [[nodiscard]] int64_t unseen(const Cell& cell, FeatureScratch& scratch) const;
  [[nodiscard]] int64_t own_place() const { return static_cast<int64_t>(categories_.size()); }
  void keep_most_frequent(std::vector<std::string>& warnings);
  void index_categories();

  // Fitted.
  std::vector<Category> categories_;
  int64_t rows_ = 0;
  int64_t missing_ = 0;
  bool own_ = false;  // missing is a category
  int64_t most_frequent_ = 0;
  text::WordMap<int64_t> places_;
  // While fitting.
  text::WordMap<int64_t> counts_;
};

}  // namespace ingot::data
