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
//               brings the split's rows nearer to its count
//   time        the latest rows are test, those before validation; rows of one time stay together,
//               in the earlier split. Times: numbers, or ISO 8601 texts of one time zone
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
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
    field("validation", validation, "share of rows, in [0, 1); 0 when there is a validation_file");
    field("test", test, "share of rows, in [0, 1); 0 when there is a test_file");
    field("seed", seed, "of the random order");
    field("validation_file", validation_file, "a table of its own for validation");
    field("test_file", test_file, "a table of its own for the test");
  }
};

/// YYYY-MM-DD, or with a time behind a space or T: ordered by its bytes.
[[nodiscard]] bool is_iso_time(std::string_view text);

/// Throws kInvalidArgument naming the key, its value and what is allowed.
void check(const TableSplitConfig& config);

struct TableSplit {
  std::vector<Split> rows;                ///< per record of the table
  std::array<int64_t, kSplits> counts{};  ///< rows of train, validation, test
  std::array<int64_t, kSplits> groups{};  ///< by group: groups of each

  [[nodiscard]] Split at(int64_t row) const { return rows[static_cast<size_t>(row)]; }
};

/// Reads the table once (rewinds it before and after). `target`: the column of the classes when
/// config.column is empty. Memory: 9 bytes per row, 13 with classes, groups or times, and
/// the distinct texts of that column. Throws kInvalidArgument: the column is not there, too few
/// rows or groups, a time that is none (names the line).
[[nodiscard]] TableSplit split_table(TableReader& table, const TableSplitConfig& config,
                                     std::string_view target = {});

}  // namespace ingot::data
