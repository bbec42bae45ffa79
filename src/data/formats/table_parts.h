// SPDX-License-Identifier: Apache-2.0
// Tables in several files: a path with * ? or [...] in it stands for the files it matches, sorted
// by their bytes, read one after the other as one table. Called by table.cpp and table_state.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/formats/table.h"

namespace ingot::data {

/// Whether `path` is no file or folder itself and has a *, ? or [ in it.
[[nodiscard]] bool is_pattern(const std::string& path);

/// The files of a pattern, or the path itself. Throws kNotFound when a pattern matches nothing,
/// kInvalidArgument when it matches a file and the same one packed (.gz, .xz), naming both.
[[nodiscard]] std::vector<std::string> table_parts(const std::string& path);

/// Whether nothing is there: no file, no folder, nothing that a pattern matches.
[[nodiscard]] bool is_table_missing(const std::string& path);

/// The files as one table; name() and line() are those of the file being read. Throws what opening
/// one throws, and kCorruptFile (at the latest when reading comes to it) for a file whose columns
/// are not those of the first, naming both.
[[nodiscard]] std::unique_ptr<TableReader> chain_tables(std::vector<std::string> files,
                                                        const TableFormat& format);

}  // namespace ingot::data
