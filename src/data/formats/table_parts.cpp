// SPDX-License-Identifier: Apache-2.0
#include "data/formats/table_parts.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include <glob.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot::data {
namespace {

class ChainReader final : public TableReader {
 public:
  ChainReader(std::vector<std::string> files, TableFormat format)
      : files_(std::move(files)), format_(std::move(format)) {
    open(0);
    columns_ = table_->columns();
  }

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  bool next(std::vector<std::string_view>& cells) override {
    while (!table_->next(cells)) {
      if (at_ + 1 == files_.size()) return false;
      first_skipped_ = first_skipped();
      skipped_ += table_->skipped();
      unread_ = unread();
      open(at_ + 1);
      require(table_->columns() == columns_, Code::kCorruptFile,
              "table: \"{}\" has the columns {}, \"{}\" has {}; files of one table have the same",
              table_->name(), join(table_->columns(), ", "), files_[0], join(columns_, ", "));
    }
    return true;
  }
  [[nodiscard]] int64_t line() const override { return table_->line(); }
  void rewind() override {
    if (at_ == 0) {
      table_->rewind();
    } else {
      open(0);
    }
    skipped_ = 0;
    first_skipped_.clear();
    unread_ = {};
  }
  [[nodiscard]] const std::string& name() const override { return table_->name(); }
  [[nodiscard]] int64_t skipped() const override { return skipped_ + table_->skipped(); }
  [[nodiscard]] std::vector<SkippedRecord> first_skipped() const override {
    std::vector<SkippedRecord> all = first_skipped_;
    for (SkippedRecord& record : table_->first_skipped()) {
      if (all.size() == kNamedRecords) break;
      if (files_.size() > 1) record.file = files_[at_];
      all.push_back(std::move(record));
    }
    return all;
  }
  [[nodiscard]] UnreadPictures unread() const override {
    const UnreadPictures here = table_->unread();
    return {unread_.count + here.count, unread_.count > 0 ? unread_.first : here.first};
  }

 private:
  void open(size_t at) {
    table_ = open_table(files_[at], format_);
    at_ = at;
  }

  std::vector<std::string> files_;
  TableFormat format_;
  std::vector<std::string> columns_;
  std::unique_ptr<TableReader> table_;  // of files_[at_]
  size_t at_ = 0;
  int64_t skipped_ = 0;  // in the files before
  std::vector<SkippedRecord> first_skipped_;
  UnreadPictures unread_;  // in the folders before
};

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> files;
  glob_t found{};
  const int failed = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  for (size_t i = 0; failed == 0 && i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  return files;
}

/// A file that lies there plain and packed would be read twice.
void require_once(const std::vector<std::string>& files) {
  std::map<std::string_view, std::string_view> plain;  // name → file
  for (const std::string_view file : files) {
    const bool is_packed = file.ends_with(".gz") || file.ends_with(".xz");
    const auto [found, is_new] =
        plain.emplace(is_packed ? file.substr(0, file.size() - 3) : file, file);
    require(
        is_new, Code::kInvalidArgument,
        "table: \"{}\" and \"{}\" are one file, packed and not, and would be read twice; remove "
        "one, or narrow the pattern",
        found->second, file);
  }
}

}  // namespace

bool is_pattern(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos && !file_exists(path) &&
         !directory_exists(path);
}

std::vector<std::string> table_parts(const std::string& path) {
  if (!is_pattern(path)) return {path};
  std::vector<std::string> files = matches(path);
  require(!files.empty(), Code::kNotFound, "table: no file matches \"{}\"", path);
  std::sort(files.begin(), files.end());
  require_once(files);
  return files;
}

bool is_table_missing(const std::string& path) {
  if (is_pattern(path)) return matches(path).empty();
  std::error_code unknown;  // a folder that may not be entered: opening says so
  return !std::filesystem::exists(path, unknown) && !unknown;
}

std::unique_ptr<TableReader> chain_tables(std::vector<std::string> files,
                                          const TableFormat& format) {
  return std::make_unique<ChainReader>(std::move(files), format);
}

}  // namespace ingot::data
