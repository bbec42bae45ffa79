// SPDX-License-Identifier: Apache-2.0
// What is in a table before anything is learned from it: schema, outliers, balance of the classes,
// duplicates, rows that stand in two splits, texts that will be cut, and some rows as they are.
// Three passes, one more under clean.duplicates=drop and one for texts whose unknown words vanish.
// Memory: two bits per row for the split, and what config.space allows for each of two sorts that
// find duplicates, however long the table is. Changes nothing. Called by `ingot data inspect`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/signals.h"
#include "data/table_examples.h"
#include "data/text_lengths.h"

namespace ingot::data {

/// Numbers beyond Tukey's outer fences: more than three times the distance of the quartiles away
/// from them. Nothing is wrong with such a number by itself.
struct Outliers {
  double low = 0;
  double high = 0;
  int64_t below = 0;
  int64_t above = 0;
};

struct ColumnFindings {
  std::optional<Outliers> outliers;      ///< numbers whose quartiles differ
  std::optional<Truncation> truncation;  ///< texts that become ids
};

struct SampleRow {
  int64_t line = 0;
  std::vector<std::string> cells;
};

struct TableReport {
  std::string path;
  int64_t rows = 0;  ///< of the table; the schema may be of the first ones only (infer.max_rows)
  Schema schema;
  std::vector<ColumnFindings> findings;  ///< per column
  std::string target;                    ///< "": none is known
  bool has_class_folders = false;        ///< none is named, but the folders of the table are one
  bool is_class = false;
  std::vector<CategoryCount> classes;  ///< of a class target, most frequent first; at most 1,000
  int64_t other_classes = 0;           ///< rows of classes that came when 1,000 were known
  int64_t without_target = 0;          ///< rows of the table whose target has no value
  std::array<int64_t, kSplits> splits{};
  std::string split_method;
  LeakReport leaks;       ///< of the rows that training takes; none when no column is a feature
  int64_t conflicts = 0;  ///< rows with the features of a row that has another target
  CleanCounts clean;
  std::vector<SampleRow> samples;  ///< the same rows every time
  std::vector<std::string> warnings;

  [[nodiscard]] Json to_json() const;
  /// Aligned plain text.
  [[nodiscard]] std::string text() const;
};

/// Throws what the readers, the schema and a text.tokenizer refuse, kIo for a temporary file,
/// kCancelled between rows (`stop` and config.space.stop). A split that is not possible is a
/// warning of the report.
[[nodiscard]] TableReport inspect_table(const TableConfig& config, const StopFlag* stop = nullptr);

}  // namespace ingot::data
