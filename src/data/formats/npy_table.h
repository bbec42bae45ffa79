// SPDX-License-Identifier: Apache-2.0
// A NumPy array of numbers [rows, columns] as a table: every number is a cell, as text that reads
// back as the same number; NaN is an empty cell, which is a missing value. An array has no names:
// columns are called column_1, column_2, … as in a CSV file without a header, or what
// format.columns says. Numbers in a file beside it under the usual name (x_train.npy and
// y_train.npy, as labels_beside finds it) are its last column, "target". Rows are streamed; an
// array in Fortran order (pandas' to_numpy() often gives one) lies column by column: up to 16 MiB
// of it are kept in memory, beyond that it is copied to a temporary file of its size (TMPDIR), from
// which 16 MiB of rows are gathered at a time. Arrays of pictures are array_pictures.h. Called by
// table.cpp.
#pragma once

#include <memory>
#include <string_view>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

inline constexpr const char* kArrayTarget = "target";

/// Whether they are a column of the table: not where another column is the target.
[[nodiscard]] inline bool joins_target(std::string_view target) {
  return target.empty() || target == kArrayTarget;
}

/// `format` is checked (table.h) by the caller. Throws kCorruptFile for an array of other than two
/// axes, without columns or with more than 65,536, a file that ends early or goes on behind its
/// end, and a target beside it that is not [rows] or [rows, 1] of as many rows; kInvalidArgument
/// when format.columns are not as many or one is "target" beside such a file; kUnsupported as
/// read_npy; reading throws kIo for a temporary file.
[[nodiscard]] std::unique_ptr<TableReader> open_npy_table(std::unique_ptr<io::ByteSource> source,
                                                          const TableFormat& format = {});

}  // namespace ingot::data
