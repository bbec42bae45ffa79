// SPDX-License-Identifier: Apache-2.0
// A table seen through a filter: only rows whose cell in one column is among given values, as if
// the file held no others. Two classes of four, one shop, one year: the file stays as it is. Lines
// are those of the file. Every pass over a recipe's table goes through it, so it is also where a
// pass looks whether to stop. Called by data/table_examples.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/signals.h"
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

/// Which of the values some row of a file must have.
enum class Met : uint8_t { kAny, kAll };

class KeptRows final : public TableReader {
 public:
  /// Throws as check(), and kInvalidArgument for a column that the table lacks. Spaces at the ends
  /// of a cell do not count. A table of its own for a split may lack a class: Met::kAny. Between
  /// rows kCancelled is thrown once `stop` is requested.
  KeptRows(std::unique_ptr<TableReader> table, KeepConfig config, Met needed = Met::kAll,
           const StopFlag* stop = nullptr);

  [[nodiscard]] const std::vector<std::string>& columns() const override {
    return table_->columns();
  }
  /// At the end of a table that lacks a value that it needs, Error{kInvalidArgument}:
  ///   table.keep: no row of "f" has "Sport" in column "label". Did you mean "Sports"?
  bool next(std::vector<std::string_view>& cells) override;
  [[nodiscard]] int64_t line() const override { return table_->line(); }
  void rewind() override;
  [[nodiscard]] const std::string& name() const override { return table_->name(); }
  [[nodiscard]] int64_t skipped() const override { return table_->skipped(); }
  [[nodiscard]] std::vector<SkippedRecord> first_skipped() const override {
    return table_->first_skipped();
  }
  [[nodiscard]] UnreadPictures unread() const override { return table_->unread(); }

  /// Rows passed over since the opening or the last rewind.
  [[nodiscard]] int64_t left_out() const { return left_out_; }

 private:
  void require_met() const;

  std::unique_ptr<TableReader> table_;
  KeepConfig config_;
  Met needed_;
  const StopFlag* stop_;
  size_t column_ = 0;
  int64_t left_out_ = 0;
  std::vector<bool> met_;            // [config_.values]
  std::vector<std::string> others_;  // the first different cells that are no value, for messages
};

}  // namespace ingot::data
