// SPDX-License-Identifier: Apache-2.0
// A column of categories: the values of the training rows, sorted by their bytes, become one-hot
// columns, an id for an embedding (0 for unseen values, from 1 on for known ones), their share of
// the training rows, or the target's mean over them. Only the last one looks at the target, and
// lets no training row see its own (target_means.h). Made by catalog.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/transforms/feature.h"
#include "data/transforms/target_means.h"

namespace ingot::data {

class CategoryFeature final : public Feature {
 public:
  explicit CategoryFeature(FeatureConfig config) : Feature(std::move(config)) {}
  CategoryFeature(FeatureConfig config, const Json& state, std::string_view what);

  void add(const Cell& cell) override;
  [[nodiscard]] bool finish_pass(std::vector<std::string>& warnings) override;
  int64_t begin_target(const Target& target, uint64_t seed, int64_t space) override;
  void add_with_target(const Cell& cell, const TrainingRow& row) override;
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
  [[nodiscard]] bool has_bucket() const { return config_.unknown == Unknown::kBucket; }
  /// Whether a cell that has no place of its own stands in the bucket.
  [[nodiscard]] bool is_in_bucket(const Cell& cell) const {
    return has_bucket() && !(cell.missing && config_.missing == Missing::kZero);
  }
  /// Places of the means: the categories, a missing one, the bucket.
  [[nodiscard]] int64_t mean_places() const {
    return own_place() + (own_ ? 1 : 0) + (has_bucket() ? 1 : 0);
  }
  [[nodiscard]] int64_t mean_place(const Cell& cell, FeatureScratch& scratch) const;
  void count_categories(std::vector<std::string>& warnings);
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
  std::optional<TargetMeans> means_;  // encode=target
  // While fitting.
  text::WordMap<int64_t> counts_;
};

}  // namespace ingot::data
