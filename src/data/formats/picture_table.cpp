// SPDX-License-Identifier: Apache-2.0
// The head of the PNM file stands in the cell from the start; a record is written behind it.
#include "data/formats/picture_table.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/image.h"

namespace ingot::data {
namespace {

constexpr int64_t kMaxNames = int64_t{1} << 20;

class PictureTable final : public TableReader {
 public:
  PictureTable(std::unique_ptr<PictureSource> source, std::vector<std::string> classes)
      : source_(std::move(source)), classes_(std::move(classes)) {
    const PictureShape s = source_->shape();
    cell_ = io::pnm_head(s.height, s.width, s.channels);
    head_ = cell_.size();
    columns_.emplace_back(kImageColumn);
    if (source_->has_labels()) columns_.emplace_back(kClassColumn);
  }

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  bool next(std::vector<std::string_view>& cells) override {
    cells.clear();
    int32_t label = 0;
    cell_.resize(head_);
    if (!source_->next(cell_, label)) return false;
    ++record_;
    cells.emplace_back(cell_);
    if (columns_.size() == 1) return true;
    const auto at = static_cast<size_t>(label);
    class_ = at < classes_.size() ? classes_[at] : std::to_string(label);
    cells.emplace_back(class_);
    return true;
  }
  [[nodiscard]] int64_t line() const override { return record_; }
  void rewind() override {
    source_->rewind();
    record_ = 0;
  }
  [[nodiscard]] const std::string& name() const override { return source_->name(); }
  [[nodiscard]] int64_t skipped() const override { return 0; }

 private:
  std::unique_ptr<PictureSource> source_;
  std::vector<std::string> classes_;
  std::vector<std::string> columns_;
  std::string cell_;  // a PNM file
  size_t head_ = 0;   // bytes of cell_ before the pixels
  std::string class_;
  int64_t record_ = 0;
};

}  // namespace

bool append_pixels(io::ByteSource& source, int64_t size, std::string& cell) {
  constexpr int64_t kFirst = int64_t{1} << 20;
  for (int64_t have = 0; have < size;) {
    const int64_t piece = std::min(std::max(kFirst, have), size - have);
    const size_t end = cell.size();
    cell.resize(end + static_cast<size_t>(piece));
    have += piece;
    if (io::read_fully(source, std::as_writable_bytes(std::span(cell)).subspan(end)) != piece) {
      return false;
    }
  }
  return true;
}

std::unique_ptr<TableReader> picture_table(std::unique_ptr<PictureSource> source,
                                           std::vector<std::string> classes) {
  return std::make_unique<PictureTable>(std::move(source), std::move(classes));
}

std::vector<std::string> class_names(const std::string& path) {
  std::vector<std::string> names;
  if (!file_exists(path)) return names;
  const std::string text = read_file(path, kMaxNames);
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) names.emplace_back(trim(line));
  }
  return names;
}

}  // namespace ingot::data
