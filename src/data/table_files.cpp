// SPDX-License-Identifier: Apache-2.0
#include "data/table_files.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/formats/csv_writer.h"
#include "data/formats/table_parts.h"
#include "data/own_picture.h"
#include "data/picture_paths.h"
#include "io/image.h"

namespace ingot::data {
namespace {

/// Pictures that are cells, not files, cannot stand in a CSV.
void require_text(const TableReader& table, const std::vector<std::string_view>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    require(!io::is_image(cells[i]), Code::kUnsupported,
            "data: column \"{}\" of \"{}\" holds pixels, which a CSV file does not; training "
            "splits such a table by itself (table.split)",
            table.columns()[i], table.name());
  }
}

PictureColumns pictures_of(const TableConfig& config, TableReader& table) {
  std::vector<std::string_view> cells;
  table.rewind();
  if (table.next(cells)) require_text(table, cells);
  return find_picture_columns(config, table);
}

/// A file without a row is no use to the next call, and might take the place of one.
[[noreturn]] void refuse_nothing(const TableReader& table) {
  require(
      table.skipped() == 0, Code::kInvalidArgument,
      "data: none of {} records of \"{}\" has {} cells, as many as there are names, so that all "
      "are left out and there is nothing to write; table.format.ragged=error says where the first "
      "stands",
      with_thousands(table.skipped()), table.name(), table.columns().size());
  fail(Code::kCorruptFile,
       "data: \"{}\" holds no record, so there is nothing to write; where its only line is one and "
       "no "
       "header, set table.format.header=no",
       table.name());
}

/// Writes the rows that `takes` wants; returns how many, at least one.
int64_t write_rows(FileSystem& files, const std::string& path, TableReader& table,
                   const PictureColumns& pictures, const std::function<bool(int64_t row)>& takes) {
  PicturePaths paths(table, pictures, parent_path(path));
  int64_t rows = 0;
  write_atomically(files, path, [&](WritableFile& file) {
    CsvWriter writer(file, table.columns());
    std::vector<std::string_view> cells;
    table.rewind();
    for (int64_t row = 0; table.next(cells); ++row) {
      if (row == 0) require_text(table, cells);
      if (!takes(row)) continue;
      paths.move(cells);
      writer.add(cells);
    }
    rows = writer.finish();
    if (rows == 0) refuse_nothing(table);
  });
  return rows;
}

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code none;  // one of the two is not there
  return std::filesystem::equivalent(a, b, none);
}

/// The table and those held out of it, as far as they are there: opening the others says so.
std::vector<std::string> tables_of(const TableConfig& config) {
  std::vector<std::string> tables;
  for (const std::string& table :
       {config.path, config.split.validation_file, config.split.test_file}) {
    if (!table.empty() && !is_table_missing(table)) tables.push_back(table);
  }
  return tables;
}

/// Writing a file that is read, or that the next call needs, would lose rows for good.
void require_apart(const std::string& path, const TableConfig& config, std::string_view remedy) {
  for (const std::string& table : tables_of(config)) {
    for (const std::string& file : table_parts(table)) {
      require(!is_same_file(path, file), Code::kInvalidArgument,
              "data: \"{}\" is a file of the table and would be written over; {}", path, remedy);
    }
  }
}

constexpr std::string_view kOtherFolder = "set out=FOLDER to another one";

/// In the columns of these names.
void require_no_cell_names(const std::string& path, TableReader& table,
                           const std::vector<std::string>& pictures) {
  const std::vector<std::string>& names = table.columns();
  RowFolder folder(table);
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const bool is_path = std::find(pictures.begin(), pictures.end(), names[i]) != pictures.end();
      if (!is_path || io::is_image(cells[i])) continue;
      const std::string cell(trim(cells[i]));
      const std::string picture = cell.starts_with('/') ? cell : join_path(folder.get(), cell);
      require(!is_same_file(path, picture), Code::kInvalidArgument,
              "data: \"{}\" is a picture of \"{}\" (line {}) and would be written over; name "
              "another file",
              path, table.name(), table.line());
    }
  }
}

bool every_row(int64_t /*row*/) { return true; }

}  // namespace

void require_picture_apart(const std::string& path, const TableConfig& config) {
  require_apart(path, config, "name another file");
  const std::vector<std::string> tables = tables_of(config);
  for (const std::string& table : tables) {
    for (const std::string& part : table_parts(table)) {
      require(!directory_exists(part) || !is_inside(path, part), Code::kInvalidArgument,
              "data: \"{}\" lies in the table \"{}\" and would be a picture of it; name a file "
              "outside, for example {}",
              path, part, join_path(parent_path(part), "samples.png"));
    }
  }
  if (!file_exists(path)) return;
  if (!is_table_missing(config.path)) {
    const std::vector<std::string> pictures =
        find_picture_columns(config, *open_clean_table(config)).names;
    for (const std::string& table : tables) {
      if (pictures.empty()) break;
      require_no_cell_names(path, *open_table(table, config.format), pictures);
    }
  }
  require_own_picture(path);
}

CleanFile write_clean_table(FileSystem& files, const TableConfig& config, const std::string& path) {
  require_apart(path, config, kOtherFolder);
  const std::unique_ptr<CleanTable> table = open_clean_table(config);
  const PictureColumns pictures = pictures_of(config, *table);
  write_rows(files, path, *table, pictures, every_row);
  return {table->counts(), passed_over(*table, config.format.prefix)};
}

SplitFiles write_split_tables(FileSystem& files, const TableConfig& config,
                              const std::string& directory) {
  const auto path_of = [&](Split s) {
    return join_path(directory, std::string(split_name(s)) + ".csv");
  };
  for (const Split s : {Split::kTrain, Split::kValidation, Split::kTest}) {
    require_apart(path_of(s), config, kOtherFolder);
  }
  const std::unique_ptr<CleanTable> table = open_clean_table(config);
  const PictureColumns pictures = pictures_of(config, *table);
  const TableSplit split = split_table(*table, config.split, config.target.column, config.space);
  SplitFiles result;
  result.groups = split.groups;
  std::vector<std::string> passed;  // of the table that is split, the same in every pass
  const auto write = [&](Split s, const std::string& other) {
    const auto at = static_cast<size_t>(s);
    const std::string path = path_of(s);
    if (!other.empty()) {
      const std::unique_ptr<TableReader> rows = open_held_out(other, config);
      result.rows[at] = write_rows(files, path, *rows, pictures, every_row);
      for (const std::string& note : passed_over(*rows, config.format.prefix)) {
        result.notes.push_back(fmt::format("{}: {}", other, note));
      }
    } else if (split.counts[at] > 0) {
      result.rows[at] = write_rows(files, path, *table, pictures,
                                   [&](int64_t row) { return split.at(row) == s; });
      result.clean = table->counts();
      passed = passed_over(*table, config.format.prefix);
    } else {
      files.remove(path);
      return;
    }
    result.paths[at] = path;
  };
  write(Split::kTrain, "");
  write(Split::kValidation, config.split.validation_file);
  write(Split::kTest, config.split.test_file);
  result.notes.insert(result.notes.begin(), passed.begin(), passed.end());
  return result;
}

}  // namespace ingot::data
