// SPDX-License-Identifier: Apache-2.0
#include "data/formats/npy_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/scratch_file.h"
#include "data/formats/array_pictures.h"
#include "data/formats/npy.h"

namespace ingot::data {
namespace {

constexpr size_t kArrayBlock = size_t{1} << 16;         // bytes read at once, or one row
constexpr size_t kColumnsBlock = size_t{16} << 20;      // of rows that are gathered at once
constexpr size_t kCopyBlock = size_t{1} << 20;          // on the way to a temporary file
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

std::vector<std::string> array_columns(const NpyHead& head, const std::string& where,
                                       const TableFormat& format) {
  require(
      head.shape.rank() == 2, Code::kCorruptFile,
      "{} holds {} {}; a table is [rows, columns], pictures are uint8 [count, height, width] or "
      "[count, height, width, 3]{}",
      where, head.stored_name, head.shape.text(),
      head.shape.rank() == 1  ? ": arr[:, None] is one of one column"
      : head.shape.rank() < 3 ? ""
                              : ": numpy.rint(255 * arr).astype('u1') of those in 0 to 1");
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

/// The rows of an array one after the other, in whichever order the file has its numbers.
class ArrayRows {
 public:
  /// The source stands behind the head, of one axis (a single column) or two.
  ArrayRows(std::unique_ptr<io::ByteSource> source, const NpyHead& head)
      : source_(std::move(source)),
        head_(head),
        append_(append_of(head.dtype)),
        columns_(head.shape.rank() == 2 ? static_cast<size_t>(head.shape[1]) : 1),
        size_(static_cast<size_t>(head.stored_size)),
        row_size_(columns_ * size_) {}

  [[nodiscard]] const std::string& name() const { return source_->name(); }
  /// Those given since the opening or the last rewind.
  [[nodiscard]] int64_t given() const { return row_; }

  /// Appends the cells of the next row to `text`, and to `ends` where each ends; false at the end.
  bool next(std::string& text, std::vector<size_t>& ends) {
    if (row_ == head_.shape[0]) {
      if (!is_gathered_) require_end(*source_, "npy");
      return false;
    }
    if (at_ == rows_in_block_) {
      at_ = rows_in_block_ = 0;
      if (head_.is_fortran) {
        gather_rows();
      } else {
        read_rows();
      }
    }
    const std::byte* number = block_.data() + at_ * row_step_;
    for (size_t i = 0; i < columns_; ++i, number += column_step_) {
      append(number, text);
      ends.push_back(text.size());
    }
    ++at_;
    ++row_;
    return true;
  }
  void rewind() {
    row_ = 0;
    at_ = rows_in_block_ = 0;
    if (is_gathered_) return;
    source_->rewind();
    (void)read_npy_head(*source_);
  }

 private:
  void append(const std::byte* number, std::string& text) const {
    if (head_.widen == nullptr) return append_(number, text);
    std::array<std::byte, sizeof(int64_t)> wide{};
    head_.widen(number, wide.data());
    append_(wide.data(), text);
  }

  /// The next rows, as many as the block holds and the file has whole.
  void read_rows() {
    if (block_.empty()) block_.resize(std::max<size_t>(kArrayBlock / row_size_, 1) * row_size_);
    const auto left = static_cast<size_t>(head_.shape[0] - row_);
    const size_t rows = std::min(block_.size() / row_size_, left);
    const auto got =
        static_cast<size_t>(io::read_fully(*source_, std::span(block_).first(rows * row_size_)));
    require(got >= row_size_, Code::kCorruptFile,
            "npy: \"{}\": ends in row {} of {}; fetch the file again", name(), row_ + 1,
            head_.shape[0]);
    rows_in_block_ = got / row_size_;
    row_step_ = row_size_;
    column_step_ = size_;
  }

  /// The next rows of an array that lies column by column.
  void gather_rows() {
    if (!is_gathered_) keep_columns();
    const auto all = static_cast<size_t>(head_.shape[0]);
    row_step_ = size_;
    rows_in_block_ = all;
    if (file_) {
      const auto first = static_cast<size_t>(row_);
      rows_in_block_ = std::min(std::max<size_t>(kColumnsBlock / row_size_, 1), all - first);
      block_.resize(rows_in_block_ * row_size_);
      const size_t part = rows_in_block_ * size_;
      for (size_t i = 0; i < columns_; ++i) {
        file_->read_at(static_cast<int64_t>((i * all + first) * size_),
                       std::span(block_).subspan(i * part, part));
      }
    }
    column_step_ = rows_in_block_ * size_;
  }

  /// All numbers of the file: in the block, or in a temporary file where they are many.
  void keep_columns() {
    const int64_t bytes = checked_mul(static_cast<int64_t>(row_size_), head_.shape[0],
                                      fmt::format("npy: \"{}\": size", name()));
    if (bytes <= static_cast<int64_t>(kColumnsBlock)) {
      block_ = read_exactly(*source_, bytes, "npy");
    } else {
      file_ = std::make_unique<ScratchFile>();
      block_.resize(kCopyBlock);
      for (int64_t have = 0; have < bytes;) {
        const auto piece =
            static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(kCopyBlock), bytes - have));
        const std::span<std::byte> part = std::span(block_).first(piece);
        const int64_t got = io::read_fully(*source_, part);
        have += got;
        require(got == std::ssize(part), Code::kCorruptFile,
                "npy: \"{}\": ends after {} of {} bytes; fetch the file again", name(), have,
                bytes);
        file_->append(part);
      }
    }
    require_end(*source_, "npy");
    is_gathered_ = true;
  }

  std::unique_ptr<io::ByteSource> source_;
  NpyHead head_;
  AppendNumber append_;
  size_t columns_;
  size_t size_;  // of a number in the file
  size_t row_size_;
  std::vector<std::byte> block_;
  size_t row_step_ = 0, column_step_ = 0;  // from a number of it to the next one, in bytes
  size_t at_ = 0, rows_in_block_ = 0;
  int64_t row_ = 0;
  bool is_gathered_ = false;           // the columns are kept, the source is not read again
  std::unique_ptr<ScratchFile> file_;  // the columns of a large array in Fortran order
};

/// The numbers that lie beside the array `numbers` of so many rows, as one more of its columns.
std::optional<ArrayRows> target_beside(const std::string& numbers, int64_t rows,
                                       const TableFormat& format,
                                       std::vector<std::string>& columns) {
  const std::string path = format.joins_target ? labels_beside(numbers) : "";
  if (path.empty()) return std::nullopt;
  std::unique_ptr<io::ByteSource> source = io::open_source(path);
  const NpyHead head = read_npy_head(*source);
  const Shape& shape = head.shape;
  require(shape.rank() == 1 || (shape.rank() == 2 && shape[1] == 1), Code::kCorruptFile,
          "npy: \"{}\" holds {} {}; the target of the rows in \"{}\" is [rows] or [rows, 1]{}",
          path, head.stored_name, shape.text(), numbers,
          shape.rank() == 2 ? ": of one column per class it is arr.argmax(axis=1)" : "");
  require(shape[0] == rows, Code::kCorruptFile,
          "npy: \"{}\" holds {} rows but \"{}\" {} targets; are they of one split?", numbers, rows,
          path, shape[0]);
  require(std::find(columns.begin(), columns.end(), kArrayTarget) == columns.end(),
          Code::kInvalidArgument,
          "npy: {}columns=[...] calls a column of \"{}\" \"{}\", as the numbers of \"{}\" are "
          "called; give it another name",
          format.prefix, numbers, kArrayTarget, path);
  columns.emplace_back(kArrayTarget);
  return ArrayRows(std::move(source), head);
}

class NpyTable final : public TableReader {
 public:
  NpyTable(ArrayRows numbers, std::optional<ArrayRows> target, std::vector<std::string> columns)
      : numbers_(std::move(numbers)), target_(std::move(target)), columns_(std::move(columns)) {}

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] int64_t line() const override { return numbers_.given(); }
  [[nodiscard]] const std::string& name() const override { return numbers_.name(); }
  [[nodiscard]] int64_t skipped() const override { return 0; }

  bool next(std::vector<std::string_view>& cells) override {
    cells.clear();
    text_.clear();
    ends_.clear();
    const bool has_row = numbers_.next(text_, ends_);
    if (target_) (void)target_->next(text_, ends_);  // it has as many
    if (!has_row) return false;
    size_t begin = 0;
    for (const size_t end : ends_) {
      cells.push_back(std::string_view(text_).substr(begin, end - begin));
      begin = end;
    }
    return true;
  }
  void rewind() override {
    numbers_.rewind();
    if (target_) target_->rewind();
  }

 private:
  ArrayRows numbers_;
  std::optional<ArrayRows> target_;
  std::vector<std::string> columns_;
  std::string text_;  // the cells of a row, one behind the other
  std::vector<size_t> ends_;
};

}  // namespace

std::unique_ptr<TableReader> open_npy_table(std::unique_ptr<io::ByteSource> source,
                                            const TableFormat& format) {
  const NpyHead head = read_npy_head(*source);
  const std::string name = source->name();
  std::vector<std::string> columns = array_columns(head, fmt::format("npy: \"{}\"", name), format);
  std::optional<ArrayRows> target = target_beside(name, head.shape[0], format, columns);
  return std::make_unique<NpyTable>(ArrayRows(std::move(source), head), std::move(target),
                                    std::move(columns));
}

}  // namespace ingot::data
