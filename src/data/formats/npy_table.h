// SPDX-License-Identifier: Apache-2.0
// A NumPy array of numbers [rows, columns] as a table: every number is a cell, as text that reads
// back as the same number; NaN is an empty cell, which is a missing value. An array has no names:
// columns are called column_1, column_2, … as in a CSV file without a header, or what
// format.columns says. Arrays of pictures are array_pictures.h. Called by table.cpp.
#pragma once

#include <memory>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

/// `format` is checked (table.h) by the caller. Throws kCorruptFile for an array of other than two
/// axes, without columns or with more than 65,536, a file that ends early or goes on behind its
/// end; kInvalidArgument when format.columns are not as many; kUnsupported as read_npy.
[[nodiscard]] std::unique_ptr<TableReader> open_npy_table(std::unique_ptr<io::ByteSource> source,
                                                          const TableFormat& format = {});

}  // namespace ingot::data
