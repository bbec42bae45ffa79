// SPDX-License-Identifier: Apache-2.0
// The rows of a recipe's table as CSV files: cleaned, or apart by split, exactly the rows that
// training would take. Cells stay as they were, but for paths of pictures, which lead to the same
// files from the new place (picture_paths.h); transforms are not applied. And what keeps the files
// that are written apart from those that are read. Called by `ingot data`.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/table_examples.h"

namespace ingot::data {

/// Throws kInvalidArgument when a picture that is drawn into `path` would become a part of the
/// table or take the place of one: a file of the table or of its held-out ones, a path in a folder
/// of pictures, a picture that a cell names; and when a file is there that `ingot data` did not
/// draw (own_picture.h). Cost: where a file is there already, a pass over a
/// table that names pictures.
void require_picture_apart(const std::string& path, const TableConfig& config);

struct CleanFile {
  CleanCounts counts;
  std::vector<std::string> notes;  ///< what was no row at all (passed_over)
};

/// Writes the table without the rows that config.clean leaves out, atomically. Throws
/// kInvalidArgument, as write_split_tables, rather than write over a file of the table itself, and
/// for a table.infer.kinds that names no column; kCancelled between rows.
CleanFile write_clean_table(FileSystem& files, const TableConfig& config, const std::string& path);

struct SplitFiles {
  CleanCounts clean;
  std::array<std::string, kSplits> paths{};  ///< "" for a split without rows
  std::array<int64_t, kSplits> rows{};
  std::array<int64_t, kSplits> groups{};  ///< by group: groups of each
  std::vector<std::string> notes;         ///< what was no row at all, of all tables
};

/// Writes train.csv, validation.csv and test.csv into `directory`, each atomically, one pass over
/// the table for each; the rows of a table.split.validation_file or test_file are written as its
/// split. A file of an earlier call whose split has no rows now is removed.
SplitFiles write_split_tables(FileSystem& files, const TableConfig& config,
                              const std::string& directory);

}  // namespace ingot::data
