// SPDX-License-Identifier: Apache-2.0
// A table seen through a filter: only rows whose cell in one column is among given values, as if
// the file held no others. Two classes of four, one shop, one year: the file stays as it is. Lines
// are those of the file. Called by data/table_examples.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/table.h"

namespace ingot::data {

struct KeepConfig {
  std::string column;
  std::vector<std::string> values;

  void visit(auto& field) {
    field("column", column, "decides about a row; empty: all rows are kept");
    field("values", values, "a row is kept when its cell is one of these");
  }
};

/// Throws kInvalidArgument when one of the two keys is given without the other, or a value twice.
void check(const KeepConfig& config);

class KeptRows final : public TableReader {
 public:
  /// Throws as check(), and kInvalidArgument for a column that the table lacks. Spaces at the ends
  /// of a cell do not count.
  KeptRows(std::unique_ptr<TableReader> table, KeepConfig config);

  [[nodiscard]] const std::vector<std::string>& columns() const override {
    return table_->columns();
  }
  /// Throws as require_all_met() at the end of a table without any of the values.
  bool next(std::vector<std::string_view>& cells) override;
  [[nodiscard]] int64_t line() const override { return table_->line(); }
  void rewind() override;
  [[nodiscard]] const std::string& name() const override { return table_->name(); }
  [[nodiscard]] int64_t skipped() const override { return table_->skipped(); }

  /// Rows passed over since the opening or the last rewind.
  [[nodiscard]] int64_t left_out() const { return left_out_; }
  /// After a pass over the table: Error{kInvalidArgument} for a value that no row held,
  ///   table.keep: no row of "f" has "Sport" in column "label". Did you mean "Sports"?
  void require_all_met() const;

 private:
  std::unique_ptr<TableReader> table_;
  KeepConfig config_;
  size_t column_ = 0;
  int64_t left_out_ = 0;
  std::vector<bool> met_;            // [config_.values]
  std::vector<std::string> others_;  // the first different cells that are no value, for messages
};

}  // namespace ingot::data
