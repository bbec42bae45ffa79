// SPDX-License-Identifier: Apache-2.0
// A table without the rows that a recipe does not want: exact duplicates, rows without a value that
// is needed or with too few values, abnormal numbers. A reader around a reader, so that schema,
// split, features and `ingot data clean` all see the same rows; nothing is counted twice or left
// out in silence. Which rows are duplicates is found by one pass ahead of the first, for all that
// follow. Values are changed elsewhere (data/transforms). Called by data/table_examples,
// data/table_files and data/inspect_table.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/external_sort.h"
#include "data/formats/table.h"

namespace ingot::data {

/// Rows that equal an earlier one in every cell.
enum class Duplicates : uint8_t { kKeep, kDrop };
inline constexpr EnumName kDuplicatesNames[] = {{"keep", Duplicates::kKeep},
                                                {"drop", Duplicates::kDrop}};
constexpr std::span<const EnumName> enum_names(Duplicates /*tag*/) { return kDuplicatesNames; }

/// Numbers of a column that are believed.
struct ColumnRange {
  std::string column;
  std::optional<double> low;
  std::optional<double> high;
  void visit(auto& field) {
    field("column", column, "of numbers");
    field("low", low, "smallest value that stays");
    field("high", high, "largest value that stays");
  }
};

struct TableCleanConfig {
  Duplicates duplicates = Duplicates::kKeep;
  std::vector<std::string> required;
  double max_missing = 1;
  std::vector<ColumnRange> ranges;

  void visit(auto& field) {
    field("duplicates", duplicates,
          "rows that equal an earlier one in every cell: keep, or drop all but the first");
    field("required", required, "columns without whose value a row is left out");
    field("max_missing", max_missing,
          "rows with a larger share of cells without a value are left out, in [0, 1]");
    field("ranges", ranges, "rows with a number outside are left out; other texts stay");
  }
};

/// Throws kInvalidArgument naming the key, its value and what is allowed.
void check(const TableCleanConfig& config);

/// Whether the config leaves any row out.
[[nodiscard]] bool cleans(const TableCleanConfig& config);

/// Rows since the first record; a row is counted under the first reason that holds.
struct CleanCounts {
  int64_t rows = 0;
  int64_t required = 0;
  int64_t missing = 0;  ///< beyond max_missing
  int64_t range = 0;
  int64_t duplicates = 0;
  std::vector<std::string> examples;  ///< `line 7: age is 340, above 120`, at most 5

  [[nodiscard]] int64_t kept() const { return rows - required - missing - range - duplicates; }
  [[nodiscard]] Json to_json() const;
  [[nodiscard]] std::string text() const;  ///< one line for people
};

class CleanTable final : public TableReader {
 public:
  /// `missing`: the texts that count as no value. duplicates=drop: 16 bytes per row while they are
  /// found, then 8 per duplicate, at most those of the space. Throws kInvalidArgument for a column
  /// that is not there, and what check does.
  CleanTable(std::unique_ptr<TableReader> table, TableCleanConfig config,
             std::vector<std::string> missing, SortSpace space = {});

  [[nodiscard]] const std::vector<std::string>& columns() const override {
    return table_->columns();
  }
  /// The first call under duplicates=drop reads the whole table, and throws what that throws; all
  /// of them then kIo and kCancelled as external_sort.h. At the end Error{kInvalidArgument} for a
  /// range of a column that holds texts alone, and for a table of which no row stays:
  ///   clean: "f.csv": 0 of 3 rows stay; 3 lack a value that is required (line 2: no age);
  ///   table.clean.required=[] keeps them
  bool next(std::vector<std::string_view>& cells) override;
  [[nodiscard]] int64_t line() const override { return table_->line(); }
  void rewind() override;
  [[nodiscard]] const std::string& name() const override { return table_->name(); }
  [[nodiscard]] int64_t skipped() const override { return table_->skipped(); }
  [[nodiscard]] std::vector<SkippedRecord> first_skipped() const override {
    return table_->first_skipped();
  }
  [[nodiscard]] UnreadPictures unread() const override { return table_->unread(); }
  /// Of the pass since the opening or the last rewind.
  [[nodiscard]] const CleanCounts& counts() const { return counts_; }

 private:
  /// What tells numbers from texts: whether there was one, and else the first text.
  struct Seen {
    bool has_number = false;
    int64_t line = 0;
    std::string text{};
  };

  void find_duplicates();
  void next_duplicate();
  /// By every reason but that it stands twice.
  [[nodiscard]] bool keeps(const std::vector<std::string_view>& cells);
  [[nodiscard]] bool in_range(const std::vector<std::string_view>& cells);
  [[nodiscard]] size_t position(const std::string& column, const char* key) const;
  void note(const std::string& text);
  void require_any() const;
  void require_numbers() const;

  std::unique_ptr<TableReader> table_;
  TableCleanConfig config_;
  std::vector<std::string> missing_;
  SortSpace space_;
  std::vector<size_t> required_;               // positions
  std::vector<size_t> ranges_;                 // of config_.ranges
  std::vector<Seen> seen_;                     // in the columns of ranges_, in this pass
  std::optional<ExternalSort<1>> duplicates_;  // numbers of the rows that equal an earlier one
  std::array<uint64_t, 1> next_duplicate_{~uint64_t{0}};  // of them, the next that will come
  CleanCounts counts_;
};

}  // namespace ingot::data
