// SPDX-License-Identifier: Apache-2.0
#include "data/formats/jsonl.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "data/formats/encoding_hint.h"
#include "data/formats/latin1.h"

namespace ingot::data {
namespace {

constexpr size_t kLinesBlock = size_t{1} << 18;
constexpr int64_t kSampleRows = 1000;

/// Lines of a source, in memory bounded by the longest.
class LineReader {
 public:
  LineReader(std::unique_ptr<io::ByteSource> source, const TableFormat& format)
      : source_(std::move(source)),
        max_line_(static_cast<size_t>(format.max_record.bytes)),
        prefix_(format.prefix) {}

  /// Without its line end; valid until the next call.
  bool next(std::string_view& line) {
    ++number_;
    for (size_t searched = 0;;) {
      const char* const from = buffer_.data() + begin_ + searched;
      const void* const feed = std::memchr(from, '\n', end_ - begin_ - searched);
      const size_t size =
          feed != nullptr ? static_cast<size_t>(static_cast<const char*>(feed) - from) + searched
                          : end_ - begin_;
      require(size <= max_line_, Code::kCorruptFile,
              "jsonl: \"{}\": line {} is longer than {}max_record={}", name(), number_, prefix_,
              human_bytes(static_cast<int64_t>(max_line_)));
      searched = size;
      if (feed == nullptr && fill()) continue;
      line = std::string_view(buffer_.data() + begin_, size);
      begin_ += std::min(size + 1, end_ - begin_);
      return feed != nullptr || size > 0;
    }
  }
  void rewind() {
    source_->rewind();
    begin_ = end_ = 0;
    number_ = 0;
    ended_ = false;
  }
  [[nodiscard]] int64_t number() const { return number_; }
  [[nodiscard]] const std::string& name() const { return source_->name(); }

 private:
  bool fill() {
    if (ended_) return false;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    // Doubling keeps one very long line linear.
    if (buffer_.size() < 2 * end_) buffer_.resize(2 * end_);
    const auto room = std::as_writable_bytes(std::span(buffer_).subspan(end_));
    const auto got = static_cast<size_t>(io::read_fully(*source_, room));
    ended_ = got < room.size();
    end_ += got;
    return got > 0;
  }

  std::unique_ptr<io::ByteSource> source_;
  size_t max_line_;
  std::string prefix_;  // of the keys that messages propose
  std::vector<char> buffer_ = std::vector<char>(kLinesBlock);
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t number_ = 0;
  bool ended_ = false;
};

class JsonlReader final : public TableReader {
 public:
  JsonlReader(std::unique_ptr<io::ByteSource> source, const TableFormat& format)
      : lines_(std::move(source), format),
        prefix_(format.prefix),
        latin1_(format.encoding == Encoding::kLatin1),
        chosen_(!format.columns.empty()) {
    for (const std::string& name : format.columns) add_column(name);
    Json object;
    for (int64_t row = 0; row < kSampleRows && !chosen_ && next_object(object); ++row) {
      for (const auto& [key, value] : object.items()) add_column(key);
    }
    require(!columns_.empty(), Code::kCorruptFile,
            "jsonl: \"{}\": the file holds no object with keys", name());
    values_.resize(columns_.size());
    rewind();
  }

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] int64_t line() const override { return line_; }
  [[nodiscard]] const std::string& name() const override { return lines_.name(); }
  [[nodiscard]] int64_t skipped() const override { return 0; }
  void rewind() override { lines_.rewind(); }

  bool next(std::vector<std::string_view>& cells) override {
    Json object;
    if (!next_object(object)) {
      cells.clear();
      return false;
    }
    for (std::string& value : values_) value.clear();
    for (const auto& [key, value] : object.items()) {
      const auto column = index_.find(key);
      if (column != index_.end()) {
        set_value(key, value, values_[column->second]);
        continue;
      }
      if (chosen_) continue;
      fail(Code::kCorruptFile,
           "{}: the key \"{}\" is in none of the first 1,000 objects; name all keys to read with "
           "{}columns=[...]",
           where(), excerpt(key), prefix_);
    }
    cells.assign(values_.begin(), values_.end());
    return true;
  }

 private:
  [[nodiscard]] std::string where() const {
    return fmt::format("jsonl: \"{}\": line {}", name(), lines_.number());
  }

  void add_column(const std::string& name) {
    require(!name.empty(), Code::kCorruptFile, "{}: an empty key names no column", where());
    if (index_.emplace(name, columns_.size()).second) columns_.push_back(name);
  }

  void set_value(const std::string& key, const Json& value, std::string& out) const {
    if (value.is_structured()) {
      fail(Code::kCorruptFile,
           "{}: \"{}\" holds an {}; only texts, numbers, true, false and null make cells", where(),
           excerpt(key), value.type_name());
    }
    out = json_cell(value);
  }

  bool next_object(Json& object) {
    std::string_view text;
    do {
      if (!lines_.next(text)) return false;
      if (lines_.number() == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    } while (trim(text).empty());
    line_ = lines_.number();
    if (latin1_) {
      converted_.clear();
      append_latin1(text, converted_);
      text = converted_;
    }
    const int64_t bad = first_invalid_utf8(text);
    if (bad >= 0) {
      fail(Code::kCorruptFile, "jsonl: \"{}\": line {}: not UTF-8 at byte {} of the line; {}",
           name(), line_, bad + 1, encoding_hint(text, prefix_));
    }
    object = parse_json(text, where(), {.code = Code::kCorruptFile});
    require(object.is_object(), Code::kCorruptFile, "{}: an object is expected, this is of type {}",
            where(), object.type_name());
    return true;
  }

  LineReader lines_;
  std::string prefix_;  // of the keys that messages propose
  bool latin1_;
  bool chosen_;
  std::vector<std::string> columns_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<std::string> values_;
  std::string converted_;
  int64_t line_ = 0;
};

}  // namespace

std::unique_ptr<TableReader> open_jsonl(std::unique_ptr<io::ByteSource> source,
                                        const TableFormat& format) {
  check(format);
  return std::make_unique<JsonlReader>(std::move(source), format);
}

}  // namespace ingot::data
