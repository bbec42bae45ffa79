// SPDX-License-Identifier: Apache-2.0
// What is kept of one column while a table streams by, in bounded memory: figures of its numbers
// and lengths, its values while they are few, and the smallest hashes of them (the k-minimum-values
// sketch of Bar-Yossef et al., "Counting distinct elements in a data stream", 2002). Samples are
// uniform (Li's algorithm L, 1994) and drawn with Philox, so equal tables give equal profiles. The
// rules that make a kind of it stand in schema.h. Called by infer_schema.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/philox.h"
#include "data/cell_form.h"
#include "data/schema.h"

namespace ingot::data {

/// Mean, spread, range and quantiles of a stream of numbers.
class RunningDistribution {
 public:
  RunningDistribution(int64_t sample, uint64_t stream)
      : sample_(static_cast<size_t>(sample)), random_(0, stream) {}

  void add(double value);
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return (sum_ + rest_) / static_cast<double>(count_); }
  /// Nothing when no value came.
  [[nodiscard]] std::optional<Distribution> finish() const;

 private:
  void plan_next();

  size_t sample_;
  Philox random_;
  int64_t count_ = 0;
  int64_t next_ = 0;           // the value of this number takes a random place of the sample
  double weight_ = 1;          // algorithm L's W
  double sum_ = 0, rest_ = 0;  // the sum and what rounding took from it (Neumaier)
  double running_mean_ = 0;
  double squares_ = 0;  // sum of squared distances from the mean (Welford)
  double min_ = 0;
  double max_ = 0;
  std::vector<double> kept_;
};

/// How many different values a stream holds: exact below 4,096, then within 5 % (three standard
/// errors of 1/√4096).
class DistinctCounter {
 public:
  void add(std::string_view value);
  [[nodiscard]] int64_t count() const;

 private:
  static constexpr size_t kKept = 4096;
  [[nodiscard]] static std::vector<uint64_t> smallest(std::vector<uint64_t> hashes);

  uint64_t limit_ = ~uint64_t{0};  // hashes from here on are not among the smallest
  std::vector<uint64_t> hashes_;   // up to twice kKept, some perhaps twice
  std::vector<uint64_t> recent_;   // by their low bits: keeps most repeated ones out
};

class ColumnProfile {
 public:
  /// `position`, from 0, picks the random numbers; `given` is the kind that a user or a locked
  /// schema names. `max_values`: with more values the column is no category.
  ColumnProfile(int64_t position, std::optional<ColumnKind> given, int64_t max_values,
                int64_t sample);

  /// A cell with a value, without spaces at its ends, and its line.
  void add(std::string_view value, int64_t line);
  void add_missing() { ++missing_; }
  /// The column under the rules of schema.h. Throws kInvalidArgument when it is given as category
  /// and holds too many or too long values.
  [[nodiscard]] ColumnSchema finish(const std::string& name) const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void add_picture(std::string_view bytes);
  void add_number(std::string_view value, int64_t line);
  void add_value(std::string_view value);
  void add_text(std::string_view value);
  [[nodiscard]] bool is_number() const { return present_ > 0 && others_ == 0; }
  [[nodiscard]] bool is_row_number() const;
  [[nodiscard]] bool looks_like_texts() const;
  /// Of all values, or kNearlyNumber.
  [[nodiscard]] CellForm form() const;
  [[nodiscard]] ColumnKind inferred(int64_t distinct) const;
  [[nodiscard]] std::string note(ColumnKind kind, int64_t distinct) const;

  std::optional<ColumnKind> given_;
  size_t max_values_;
  int64_t missing_ = 0;
  int64_t present_ = 0;

  // as numbers
  RunningDistribution numbers_;
  int64_t others_ = 0;  // values that are no number
  std::string first_other_;
  int64_t first_other_line_ = 0;
  bool whole_ = true;
  int64_t infinite_ = 0;
  double first_number_ = 0;
  bool counts_up_ = true;  // each value is the one before it plus one, no cell is missing

  CellForms forms_;  // of values that are no picture

  // as categories
  std::unordered_map<std::string, int64_t, TextHash, std::equal_to<>> values_;
  bool few_values_ = true;  // values_ is complete
  DistinctCounter distinct_;

  // as texts
  RunningDistribution characters_;
  RunningDistribution words_;
  int64_t non_ascii_ = 0;  // characters
  int64_t letters_ = 0;    // ASCII letters and all that is not ASCII
  int64_t solid_ = 0;      // characters that are no space
  int64_t images_ = 0;     // pictures, or names of their files
};

}  // namespace ingot::data
