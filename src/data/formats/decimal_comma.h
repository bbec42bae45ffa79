// SPDX-License-Identifier: Apache-2.0
// Numbers as most of Europe writes them: a comma in front of the fraction. Under
// TableFormat::decimal=comma a cell that is such a number is read with a point, before anything
// else looks at it; every other cell stays as it is, one with a point too. No sign between
// thousands is taken: 1.234,5 is no number. Called by open_table and by who answers rows that come
// from no file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/table.h"

namespace ingot::data {

/// [+-] digits , digits [e exponent], without regard to spaces at its ends: 1,5 and ,5 and -2,5e3.
[[nodiscard]] bool is_comma_number(std::string_view cell);

/// Puts the point into the cells of one row after the other. One per thread.
class DecimalCommas {
 public:
  /// Cells that change are valid until the next call.
  void rewrite(std::vector<std::string_view>& cells);

 private:
  std::vector<std::string> changed_;  // per column
};

/// The same table, its comma numbers with a point.
[[nodiscard]] std::unique_ptr<TableReader> with_decimal_commas(std::unique_ptr<TableReader> table);

}  // namespace ingot::data
