// SPDX-License-Identifier: Apache-2.0
// Small helpers that write HTML as text: escaping, tables with right-aligned numbers, and the
// number formats of the page that base/text.h does not have. Not a template engine. Used by
// report/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::report {

/// Safe in element content and in quoted attributes; control characters that HTML forbids and bytes
/// that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string escape(std::string_view text);

struct Column {
  std::string title;
  bool number = true;  ///< right-aligned with tabular numerals
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// Cells are plain text and are escaped here; missing ones are empty.
  Table& row(std::vector<std::string> cells, bool strong = false);
  /// Cells are HTML.
  Table& html_row(std::vector<std::string> cells, bool strong = false);
  [[nodiscard]] bool empty() const { return rows_ == 0; }
  [[nodiscard]] std::string html(std::string_view caption = {}) const;

 private:
  std::vector<Column> columns_;
  std::string body_;
  int64_t rows_ = 0;
};

/// A drawing with its caption, and a remark below; "" without a drawing.
[[nodiscard]] std::string figure(std::string_view caption, const std::string& svg,
                                 std::string_view note = {});

/// Fixed decimals; "–" when not finite.
[[nodiscard]] std::string fixed(double value, int decimals);
/// At most `digits` significant digits, no trailing zeros: 0.0006, 6e-05, 12.5.
[[nodiscard]] std::string significant(double value, int digits);
/// "+0.4 %", "−12 %"
[[nodiscard]] std::string percent_change(double ratio);

}  // namespace ingot::report
