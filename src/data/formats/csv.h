// SPDX-License-Identifier: Apache-2.0
// CSV and TSV tables: RFC 4180 records (records.h) with column names and one width. Adds what the
// standard leaves open: where the names come from, which character separates cells, and what a
// record of another width means. Empty lines of a table with two columns or more are left out, as
// Python's csv and pandas do; in a table of one column they are empty cells.
//
// header=auto: the first record names the columns when none of its cells is a number, at least one
// has text, and no cell of it occurs again in its column within the first 100 records. A name that
// stands twice is an error, never a reason to take the names for a row. Unnamed columns are called
// column_1, column_2, …
// delimiter=auto (.csv): the first of comma, semicolon, tab and bar that splits all of the first
// 100 records into the same number of cells, two or more; else comma. Under decimal=comma the
// comma is tried last.
#pragma once

#include <memory>
#include <string>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

enum class CsvKind : uint8_t { kCsv, kTsv };

/// Reads the first block of the source to decide what format leaves open. Throws kCorruptFile for
/// an empty file, a NUL byte (a binary or UTF-16 file) in that block, column names that occur twice
/// or are fewer or more than the cells below; kInvalidArgument when format.columns does not fit.
/// Records of another width than the header's: Error{kCorruptFile}
///   csv: "f": line 17 has 5 cells, the table 6 columns; mend it, or leave such records out with
///   table.format.ragged=skip
[[nodiscard]] std::unique_ptr<TableReader> open_csv(std::unique_ptr<io::ByteSource> source,
                                                    CsvKind kind, const TableFormat& format = {});

}  // namespace ingot::data
