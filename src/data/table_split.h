// SPDX-License-Identifier: Apache-2.0
// Train, validation or test for every row of a table: at random, with the classes in equal shares,
// by whole groups (users, machines), or by time. The assignment depends on the seed and the rows,
// never on threads or a library's random numbers. Whether equal rows ended up apart is
// leak_check.h's; text corpora are split by near duplicates in data/split.h. Called by the data
// verbs and data/examples.
//
// Counts. n rows, shares v and t: test gets round(n·t) rows, validation round(n·v) (halves up; at
// least 1 when the share is above 0), the rest trains; at least one row must be left to train.
//   random      rows in the order of a keyed hash of (seed, row): first test, then validation
//   stratified  the same inside every class; the counts are shared out by largest remainder, so
//               totals stay exact, except that one row of every class always trains
//   group       groups in the order of a keyed hash of (seed, name); each is added while that
//               brings the split's rows nearer to its count. Names of equal hashes are one group
//   time        the latest rows are test, those before validation; rows of one time stay together,
//               in the earlier split. Times: numbers, or ISO 8601 texts of one time zone
// No method holds the rows: they are counted, or sorted by what decides (external_sort.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
#include "data/external_sort.h"
#include "data/formats/table.h"
#include "data/split.h"

namespace ingot::data {

enum class SplitMethod : uint8_t { kRandom, kStratified, kGroup, kTime };
inline constexpr EnumName kSplitMethodNames[] = {{"random", SplitMethod::kRandom},
                                                 {"stratified", SplitMethod::kStratified},
                                                 {"group", SplitMethod::kGroup},
                                                 {"time", SplitMethod::kTime}};
constexpr std::span<const EnumName> enum_names(SplitMethod) { return kSplitMethodNames; }

struct TableSplitConfig {
  SplitMethod method = SplitMethod::kRandom;
  std::string column;
  double validation = 0.1;
  double test = 0.1;
  uint64_t seed = 1;
  std::string validation_file;
  std::string test_file;

  void visit(auto& field) {
    field("method", method,
          "random; stratified: equal shares of every class; group: whole groups; time: the latest "
          "rows are held out");
    field("column", column, "of the classes (empty: the target), groups or times");
    field("validation", validation,
          "share of rows, in [0, 1); 0 when there is a table.split.validation_file");
    field("test", test, "share of rows, in [0, 1); 0 when there is a table.split.test_file");
    field("seed", seed, "of the random order");
    field("validation_file", validation_file, "a table of its own for validation");
    field("test_file", test_file, "a table of its own for the test");
  }
};

/// Throws kInvalidArgument naming the key, its value and what is allowed.
void check(const TableSplitConfig& config);

/// A split for each of a number of rows, in two bits.
class SplitList {
 public:
  SplitList() = default;
  /// All of them train.
  explicit SplitList(int64_t rows)
      : bits_(static_cast<size_t>((rows + 3) / 4)), size_(rows), counts_{rows, 0, 0} {}

  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] Split at(int64_t row) const {
    return static_cast<Split>(bits_[static_cast<size_t>(row / 4)] >> (row % 4 * 2) & 3);
  }
  void set(int64_t row, Split split) {
    uint8_t& bits = bits_[static_cast<size_t>(row / 4)];
    const auto shift = static_cast<unsigned>(row % 4 * 2);
    counts_[bits >> shift & 3U] -= 1;
    counts_[static_cast<size_t>(split)] += 1;
    bits = static_cast<uint8_t>((bits & ~(3U << shift)) | static_cast<unsigned>(split) << shift);
  }
  /// Rows of train, validation, test.
  [[nodiscard]] const std::array<int64_t, kSplits>& counts() const { return counts_; }
  friend bool operator==(const SplitList&, const SplitList&) = default;

 private:
  std::vector<uint8_t> bits_;
  int64_t size_ = 0;
  std::array<int64_t, kSplits> counts_{};
};

struct TableSplit {
  SplitList rows;                         ///< the records of the table
  std::array<int64_t, kSplits> counts{};  ///< rows of train, validation, test
  std::array<int64_t, kSplits> groups{};  ///< by group: groups of each

  [[nodiscard]] Split at(int64_t row) const { return rows.at(row); }
};

/// Reads the table once (rewinds it before and after). `target`: the column of the classes when
/// config.column is empty. Memory: two bits per row (and per group), the names of the classes, and
/// `space` where classes, groups or times decide. Throws kInvalidArgument: the column is not there,
/// too few rows or groups, a time that is none (names the line); kIo, kCancelled as
/// external_sort.h.
[[nodiscard]] TableSplit split_table(TableReader& table, const TableSplitConfig& config,
                                     std::string_view target = {}, const SortSpace& space = {});

}  // namespace ingot::data
