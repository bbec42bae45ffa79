// SPDX-License-Identifier: Apache-2.0
#include "data/formats/table_state.h"

#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/formats/array_pictures.h"
#include "data/formats/image_folder.h"
#include "data/formats/table.h"
#include "data/formats/table_parts.h"

namespace ingot::data {
namespace {

constexpr int64_t kRead = int64_t{64} << 20;  // bytes that are read; of files beyond, the time
constexpr int64_t kLookedAt = 100;            // rows that tell the columns of pictures

/// Files one after the other, each by name, size and content or time.
class FileStates {
 public:
  void add(const std::string& name, const std::string& path) {
    const int64_t size = file_size(path);
    digest_.update(fmt::format("{} {} ", name, size));
    if (read_ + size <= kRead) {
      read_ += size;
      digest_.update(sha256_file(path));
    } else {
      const auto changed = std::filesystem::last_write_time(path).time_since_epoch();
      digest_.update(std::to_string(changed.count()));
    }
  }
  /// The files below a folder; `prefix` stands before their names.
  void add_folder(const std::string& folder, const std::string& prefix) {
    for (const FileEntry& file : list_files(folder).files) {
      add(prefix + file.path, join_path(folder, file.path));
    }
  }
  std::string take() { return digest_.hex(); }

 private:
  Sha256 digest_;
  int64_t read_ = 0;
};

/// The columns whose first cells name pictures.
std::vector<size_t> picture_columns(TableReader& table) {
  std::vector<bool> names(table.columns().size());
  std::vector<std::string_view> cells;
  for (int64_t row = 0; row < kLookedAt && table.next(cells); ++row) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (is_image_name(trim(cells[i]))) names[i] = true;
    }
  }
  std::vector<size_t> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i]) columns.push_back(i);
  }
  return columns;
}

/// The pictures that cells name; what is no file is left to the reader of pictures.
void add_pictures(TableReader& table, FileStates& states) {
  const std::vector<size_t> columns = picture_columns(table);
  if (columns.empty()) return;
  RowFolder folder(table);
  std::vector<std::string_view> cells;
  table.rewind();
  while (table.next(cells)) {
    for (const size_t i : columns) {
      const std::string name(trim(cells[i]));
      if (name.empty()) continue;
      const std::string path = name.starts_with('/') ? name : join_path(folder.get(), name);
      if (file_exists(path)) states.add(name, path);
    }
  }
}

}  // namespace

std::string table_state(const std::string& path, const TableFormat& format) {
  FileStates states;
  if (directory_exists(path)) {
    states.add_folder(path, "");
    return states.take();
  }
  if (path.empty() || is_table_missing(path) || (!is_pattern(path) && !file_exists(path)))
    return "";
  bool is_folders = true;  // whose pictures are their rows
  for (const std::string& file : table_parts(path)) {
    if (directory_exists(file)) {
      states.add_folder(file, base_name(file) + "/");
      continue;
    }
    is_folders = false;
    states.add(base_name(file), file);
    const std::string labels = labels_beside(file);
    if (!labels.empty()) states.add(base_name(labels), labels);
  }
  if (is_folders || is_array_name(path)) return states.take();
  try {
    add_pictures(*open_table(path, format), states);
  } catch (const Error&) {  // the stage that reads the table says what is wrong with it
  }
  return states.take();
}

}  // namespace ingot::data
