// SPDX-License-Identifier: Apache-2.0
// What the target is on average per category, without telling a training row its own target:
//   value(c) = prior + (sum(c) - count(c) prior) / (count(c) + smoothing)
// over training rows with that category, prior being the mean of all training rows
// (Micci-Barreca 2001). Every training row belongs to one of `folds` parts, and the value that it
// gets leaves out the rows of its own part; all other rows get the value of all training rows. The
// prior is one number for all rows, so it tells no row more than another: a category that stands
// in one row alone is worth the prior to that row. Two columns of the same table have the same
// parts. Not for tests of the model: those rows never count. Called by category_feature.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/transforms/feature.h"
#include "data/transforms/target.h"

namespace ingot::data {

/// The part, 0 .. folds - 1, of a training row: a keyed hash of its number.
[[nodiscard]] int64_t fold_of(uint64_t seed, int64_t row, int64_t folds);

class TargetMeans {
 public:
  static constexpr int64_t kNone = -1;  ///< of places: no category, which is worth the prior

  /// For places 0 .. places - 1 of the column that config names, with its folds and smoothing.
  /// Columns: the mean of a number, the share of the second of two classes, or of every class.
  /// Throws kInvalidArgument when the sums would take more than 2^24 numbers.
  TargetMeans(const FeatureConfig& config, int64_t places, const Target& target, uint64_t seed);
  /// From state(), which holds no sums: of no training row any more. Throws kInvalidArgument.
  TargetMeans(const Json& state, int64_t places, std::string_view what);

  /// Every training row, then finish().
  void add(int64_t place, const TrainingRow& row);
  void finish();

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// One number per column. `row`: that of a training row, kNotTrained for all others.
  void write(int64_t place, int64_t row, std::span<float> out) const;
  [[nodiscard]] Json state() const;

 private:
  [[nodiscard]] size_t width() const { return columns_.size(); }
  /// Of the rows of a place outside part `left_out` (-1: of all of them), a number per column.
  void means(int64_t place, int64_t left_out, std::span<double> out) const;

  std::vector<std::string> columns_;
  std::vector<double> prior_;   // [width]
  std::vector<double> values_;  // [places, width], over all training rows

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
