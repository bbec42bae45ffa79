// SPDX-License-Identifier: Apache-2.0
// What the target is on average per category, without telling a training row its own target:
//   value(c) = (sum(c) + smoothing prior) / (count(c) + smoothing), the prior where count(c) is 0,
// over training rows with that category, prior being the mean of all training rows
// (Micci-Barreca 2001). Every training row belongs to one of `folds` parts, and the value that it
// gets leaves out the rows of its own part; all other rows get the value of all training rows. The
// prior is one number for all rows, so it tells no row more than another: a category that stands
// in one row alone is worth the prior to that row. Rows of a group (MeansOptions) are in one part,
// so none gets the targets of its own group. Two columns of the same table have the same parts.
// What is written has mean 0 and deviation 1 over what the training rows get; where those all get
// the same, the column is 0 for all rows. Not for tests of the model: those rows never count.
// Called by category_feature.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/transforms/feature.h"
#include "data/transforms/number_scale.h"
#include "data/transforms/target.h"

namespace ingot::data {

/// The part, 0 .. folds - 1, of a training row: a keyed hash of its number or its group's.
[[nodiscard]] int64_t fold_of(uint64_t seed, int64_t part_key, int64_t folds);

class TargetMeans {
 public:
  static constexpr int64_t kNone = -1;  ///< of places: no category, which is worth the prior

  /// For places 0 .. places - 1 of the column that config names, with its folds and smoothing.
  /// Columns: the mean of a number, the share of the second of two classes, or of every class.
  /// Throws kInvalidArgument when bytes() would be more than `space`.
  TargetMeans(const FeatureConfig& config, int64_t places, const Target& target, uint64_t seed,
              int64_t space);
  /// From state(), which holds no sums: of no training row any more. Throws kInvalidArgument.
  TargetMeans(const Json& state, int64_t places, std::string_view what);

  /// Every training row, then finish().
  void add(int64_t place, const TrainingRow& row);
  void finish();

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// What the sums, counts and values of one that is fitted take.
  [[nodiscard]] int64_t bytes() const;
  /// One number per column. `part_key`: that of a training row, kNotTrained for all others.
  void write(int64_t place, int64_t part_key, std::span<float> out) const;
  [[nodiscard]] Json state() const;

 private:
  [[nodiscard]] size_t width() const { return columns_.size(); }
  /// Of the rows of a place outside part `left_out` (-1: of all of them), a number per column.
  void means(int64_t place, int64_t left_out, std::span<double> out) const;
  void fit_scales();

  std::vector<std::string> columns_;
  std::vector<double> prior_;        // [width]
  std::vector<double> values_;       // [places, width], over all training rows
  std::vector<NumberScale> scales_;  // [width]

  // Of the rows that are fitted on.
  int64_t places_ = 0;
  int64_t folds_ = 0;
  double smoothing_ = 0;
  uint64_t seed_ = 0;
  bool is_class_ = false;
  int64_t rows_ = 0;
  std::vector<double> sums_;     // [places, folds, width]
  std::vector<int64_t> counts_;  // [places, folds]
};

}  // namespace ingot::data
