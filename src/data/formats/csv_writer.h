// SPDX-License-Identifier: Apache-2.0
// A table as RFC 4180 text: names first, a line per record. What csv.h reads back cell for cell.
// Called by the data verbs and predict.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace ingot::data {

/// A cell as it stands in a CSV file: quoted when it holds a comma, a quote or a line end.
[[nodiscard]] std::string csv_cell(std::string_view text);

/// Streams records into an open file.
class CsvWriter {
 public:
  /// Writes the names.
  CsvWriter(WritableFile& file, std::span<const std::string> columns);
  /// As many cells as there are columns.
  void add(std::span<const std::string_view> cells);
  /// What is still in the buffer. Call once, last; returns the records written.
  int64_t finish();

 private:
  void flush();

  WritableFile& file_;
  size_t width_;
  std::string buffer_;
  int64_t rows_ = 0;
};

}  // namespace ingot::data
