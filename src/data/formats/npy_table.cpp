// SPDX-License-Identifier: Apache-2.0
#include "data/formats/npy_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "data/formats/npy.h"

namespace ingot::data {
namespace {

constexpr size_t kArrayBlock = size_t{1} << 16;         // bytes read at once, or one row
constexpr int64_t kMaxArrayColumns = int64_t{1} << 16;  // a head may say anything

using AppendNumber = void (*)(const std::byte* from, std::string& text);

template <class T>
void append_number(const std::byte* from, std::string& text) {
  T value{};
  std::memcpy(&value, from, sizeof(value));
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return;
  }
  fmt::format_to(std::back_inserter(text), "{}", value);
}

AppendNumber append_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return &append_number<float>;
    case DType::kF64:
      return &append_number<double>;
    case DType::kI32:
      return &append_number<int32_t>;
    case DType::kI64:
      return &append_number<int64_t>;
    case DType::kU8:
      return &append_number<uint8_t>;
    default:
      fail(Code::kUnsupported, "npy: {} makes no cells", dtype_name(dtype));
  }
}

std::vector<std::string> array_columns(const ArrayHead& head, const std::string& where,
                                       const TableFormat& format) {
  require(
      head.shape.rank() == 2, Code::kCorruptFile,
      "{} holds {} {}; a table is [rows, columns], pictures are uint8 [count, height, width] or "
      "[count, height, width, 3]",
      where, dtype_name(head.dtype), head.shape.text());
  const int64_t count = head.shape[1];
  require(count > 0 && count <= kMaxArrayColumns, Code::kCorruptFile,
          "{} holds rows of {} columns, must be 1 to {}", where, count, kMaxArrayColumns);
  require(format.columns.empty() || std::ssize(format.columns) == count, Code::kInvalidArgument,
          "{}: {}columns=[...] gives {} names, the array has {} columns", where, format.prefix,
          format.columns.size(), count);
  std::vector<std::string> names = format.columns;
  for (int64_t i = std::ssize(names); i < count; ++i) {
    names.push_back(fmt::format("column_{}", i + 1));
  }
  return names;
}

class NpyTable final : public TableReader {
 public:
  NpyTable(std::unique_ptr<io::ByteSource> source, const TableFormat& format)
      : source_(std::move(source)),
        head_(read_npy_head(*source_)),
        append_(append_of(head_.dtype)),
        columns_(array_columns(head_, fmt::format("npy: \"{}\"", name()), format)),
        number_size_(static_cast<size_t>(dtype_size(head_.dtype))),
        row_size_(columns_.size() * number_size_),
        block_(std::max<size_t>(kArrayBlock / row_size_, 1) * row_size_),
        ends_(columns_.size()) {}

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] int64_t line() const override { return record_; }
  [[nodiscard]] const std::string& name() const override { return source_->name(); }
  [[nodiscard]] int64_t skipped() const override { return 0; }

  bool next(std::vector<std::string_view>& cells) override {
    cells.clear();
    if (record_ == head_.shape[0]) {
      require_end(*source_, "npy");
      return false;
    }
    if (at_ == end_) read_block();
    const std::byte* const row = block_.data() + at_;
    at_ += row_size_;
    ++record_;
    text_.clear();
    for (size_t i = 0; i < ends_.size(); ++i) {
      append_(row + i * number_size_, text_);
      ends_[i] = text_.size();
    }
    size_t begin = 0;
    for (const size_t end : ends_) {
      cells.push_back(std::string_view(text_).substr(begin, end - begin));
      begin = end;
    }
    return true;
  }
  void rewind() override {
    source_->rewind();
    (void)read_npy_head(*source_);
    record_ = 0;
    at_ = end_ = 0;
  }

 private:
  /// The next rows, as many as the block holds and the file has whole.
  void read_block() {
    const auto left = static_cast<size_t>(head_.shape[0] - record_);
    const size_t rows = std::min(block_.size() / row_size_, left);
    const auto got =
        static_cast<size_t>(io::read_fully(*source_, std::span(block_).first(rows * row_size_)));
    require(got >= row_size_, Code::kCorruptFile,
            "npy: \"{}\": ends in row {} of {}; fetch the file again", name(), record_ + 1,
            head_.shape[0]);
    at_ = 0;
    end_ = got / row_size_ * row_size_;
  }

  std::unique_ptr<io::ByteSource> source_;
  ArrayHead head_;
  AppendNumber append_;
  std::vector<std::string> columns_;
  size_t number_size_;
  size_t row_size_;
  std::vector<std::byte> block_;  // of whole rows
  size_t at_ = 0, end_ = 0;       // in block_: of the next row and of those that were read
  std::string text_;              // the cells of a row, one behind the other
  std::vector<size_t> ends_;
  int64_t record_ = 0;
};

}  // namespace

std::unique_ptr<TableReader> open_npy_table(std::unique_ptr<io::ByteSource> source,
                                            const TableFormat& format) {
  return std::make_unique<NpyTable>(std::move(source), format);
}

}  // namespace ingot::data
