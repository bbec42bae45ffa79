// SPDX-License-Identifier: Apache-2.0
// JSON Lines as a table: one flat object per line, its keys the columns. Strict JSON (base/json.h).
// Strings become cells as they are, numbers and true and false as JSON writes them, null and a key
// that is not there an empty cell. Not for nested values: those are refused, with their line.
#pragma once

#include <memory>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

/// The columns are format.columns (other keys are then left out), or else the keys of the first
/// 1,000 objects in the order of their first appearance. Empty lines are left out. Of the format,
/// columns, encoding and max_record matter. Error{kCorruptFile}:
///   jsonl: "f": line 3: "size" holds an array; only texts, numbers, true, false and null make …
///   jsonl: "f": line 3: an object is expected, this is of type array
///   jsonl: "f": line 2000: the key "x" is in none of the first 1,000 objects; name all keys to …
[[nodiscard]] std::unique_ptr<TableReader> open_jsonl(std::unique_ptr<io::ByteSource> source,
                                                      const TableFormat& format = {});

}  // namespace ingot::data
