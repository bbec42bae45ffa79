// SPDX-License-Identifier: Apache-2.0
// The rows of a table that became the examples of one split, in the order of the examples: what a
// report shows of an example. The table is read again and may have changed since; record() tells.
// Used by the evaluation of tables.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/table_examples.h"

namespace ingot::data {

class SplitRows {
 public:
  /// `features` must outlive it. Throws what opening and splitting the table throw.
  SplitRows(const TableConfig& config, const FeatureSet& features, Split split);

  /// The row of the next example; cells stay valid until the next call. false at the end.
  bool next(std::vector<std::string_view>& cells);
  [[nodiscard]] const std::vector<std::string>& columns() const { return table_->columns(); }
  /// Whether the row last given is what the stored example was made from, as far as an example
  /// tells. Means of the target are not compared in rows that train: what such a row was given
  /// leaves out rows that only the fitting knew (transforms/target_means.h).
  [[nodiscard]] bool is_same(std::span<const std::byte> stored) const;
  /// Line of the row last given, in the file that the split's rows come from.
  [[nodiscard]] int64_t line() const { return table_->line(); }

 private:
  void open(std::unique_ptr<TableReader> table);

  const TableConfig& config_;
  const FeatureSet& features_;
  Split split_;
  std::unique_ptr<TableReader> table_;
  std::optional<TableSplit> splits_;  // of the table itself; empty in the split's own file
  std::optional<ExampleEncoder> encoder_;
  std::vector<std::byte> record_;
  std::vector<std::pair<size_t, size_t>> means_;  // bytes of records, from and to
  int64_t row_ = 0;
};

}  // namespace ingot::data
