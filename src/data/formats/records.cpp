// SPDX-License-Identifier: Apache-2.0
// The machine has three states (plain, inside quotes, behind a quote that closes or escapes) and
// moves only at the bytes that scan_64 finds. Positions are indices of the buffer; when the buffer
// is refilled the record moves to its front and the positions move along, so nothing is parsed
// again. Cells are unescaped in place, once the record is complete.
#include "data/formats/records.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "data/formats/encoding_hint.h"
#include "data/formats/latin1.h"

namespace ingot::data {
namespace {

constexpr size_t kScan = 64;
constexpr size_t kFirstBuffer = size_t{1} << 16;

std::string_view without_mark(std::string_view head) {
  return head.starts_with("\xEF\xBB\xBF") ? head.substr(3) : head;
}

}  // namespace

RecordReader::RecordReader(std::unique_ptr<io::ByteSource> source, std::string verb,
                           const RecordFormat& format)
    : source_(std::move(source)),
      verb_(std::move(verb)),
      format_(format),
      quote_(format.quoting ? '"' : '\n'),
      buffer_(kFirstBuffer + kScan),
      capacity_(kFirstBuffer) {}

void RecordReader::rewind() {
  source_->rewind();
  buffer_offset_ = 0;
  begin_ = end_ = block_ = block_end_ = next_begin_ = cell_begin_ = quote_at_ = 0;
  specials_ = 0;
  file_ended_ = block_non_ascii_ = skip_feed_ = false;
  line_ = next_line_ = 1;
}

std::string RecordReader::where(int64_t line) const {
  return fmt::format("{}: \"{}\": line {}", verb_, name(), line);
}

int64_t RecordReader::line_ends(size_t begin, size_t end) const {
  int64_t count = 0;
  for (size_t i = begin; i < end; ++i) {
    const bool pair = buffer_[i] == '\r' && i + 1 < end && buffer_[i + 1] == '\n';
    count += buffer_[i] == '\n' || (buffer_[i] == '\r' && !pair);
  }
  return count;
}

void RecordReader::check_length(size_t size) const {
  if (static_cast<int64_t>(size) <= format_.max_record) return;
  fail(Code::kCorruptFile,
       "{0}: the record is longer than {1}max_record={2}; a closing quote may be missing "
       "({1}quote=none reads quotes as text)",
       where(line_), format_.prefix, human_bytes(format_.max_record));
}

// Reads more behind what the buffer holds, after moving the record to its front.
bool RecordReader::refill() {
  if (file_ended_) return false;
  const size_t shift = begin_;
  std::memmove(buffer_.data(), buffer_.data() + shift, end_ - shift);
  buffer_offset_ += static_cast<int64_t>(shift);
  for (size_t* position : {&begin_, &end_, &block_, &block_end_, &cell_begin_, &quote_at_}) {
    *position -= std::min(*position, shift);
  }
  check_length(end_);
  if (end_ > capacity_ / 2) {
    capacity_ *= 2;
    buffer_.resize(capacity_ + kScan);
  }
  const auto room = std::as_writable_bytes(std::span(buffer_).subspan(end_, capacity_ - end_));
  const auto got = static_cast<size_t>(io::read_fully(*source_, room));
  file_ended_ = got < room.size();
  end_ += got;
  return got > 0;
}

bool RecordReader::load_block() {
  if (block_end_ == end_ && !refill()) return false;
  block_ = block_end_;
  const size_t size = std::min(kScan, end_ - block_);
  const ScanMasks masks = scan_64(buffer_.data() + block_, format_.delimiter, quote_);
  specials_ = size == kScan ? masks.special : masks.special & ((uint64_t{1} << size) - 1);
  block_end_ = block_ + size;
  block_non_ascii_ = masks.non_ascii;
  non_ascii_ |= masks.non_ascii;
  return true;
}

inline bool RecordReader::find_special(size_t& index) {
  while (specials_ == 0) {
    if (!load_block()) return false;
  }
  index = block_ + static_cast<size_t>(std::countr_zero(specials_));
  specials_ &= specials_ - 1;
  return true;
}

void RecordReader::start_record() {
  begin_ = cell_begin_ = next_begin_;
  line_ = next_line_;
  cells_.clear();
  state_ = State::kPlain;
  escaped_ = blank_ = false;
  lines_inside_ = 0;
  non_ascii_ = block_non_ascii_;
  const bool at_start = buffer_offset_ == 0 && begin_ == 0;
  if (!at_start && !skip_feed_) return;
  if (begin_ == end_ && !refill()) return;
  if (at_start) {
    const std::string_view head(buffer_.data(), end_);
    begin_ = cell_begin_ = head.size() - without_mark(head).size();
  }
  if (skip_feed_ && buffer_[begin_] == '\n') {
    size_t feed = 0;
    INGOT_ASSERT(find_special(feed) && feed == begin_);
    begin_ = cell_begin_ = begin_ + 1;
  }
  skip_feed_ = false;
}

inline void RecordReader::end_cell(size_t index) {
  cells_.push_back(
      {static_cast<uint32_t>(cell_begin_ - begin_), static_cast<uint32_t>(index - begin_), false});
  cell_begin_ = index + 1;
}

void RecordReader::end_quoted_cell() {
  cells_.push_back({static_cast<uint32_t>(cell_begin_ + 1 - begin_),
                    static_cast<uint32_t>(quote_at_ - begin_), escaped_});
  cell_begin_ = quote_at_ + 2;  // behind the quote and the delimiter
  state_ = State::kPlain;
  escaped_ = false;
}

void RecordReader::end_record(size_t index) {
  record_end_ = index;
  next_begin_ = std::min(index + 1, end_);
  skip_feed_ = index < end_ && buffer_[index] == '\r';
  next_line_ = line_ + 1 + lines_inside_;
}

// Each take_… moves the machine over one special byte and tells whether it ended the record.
inline bool RecordReader::take_plain(size_t index) {
  const char c = buffer_[index];
  if (c == format_.delimiter) {
    end_cell(index);
    return false;
  }
  if (c == '\n' || c == '\r') {
    blank_ = index == begin_;
    end_cell(index);
    end_record(index);
    return true;
  }
  if (index == cell_begin_) state_ = State::kQuoted;  // elsewhere a quote is text
  return false;
}

inline void RecordReader::take_quoted(size_t index) {
  const char c = buffer_[index];
  if (c == '"') {
    quote_at_ = index;
    state_ = State::kQuoteSeen;
  } else if (c != format_.delimiter) {
    lines_inside_ += c == '\r' || buffer_[index - 1] != '\r';  // CRLF is one line end
  }
}

void RecordReader::check_quote_closes(size_t index) const {
  if (index == quote_at_ + 1) return;
  fail(
      Code::kCorruptFile,
      "{}: text follows the closing quote of cell {}; write a quote inside a quoted cell twice, or "
      "set {}quote=none to read quotes as text",
      where(line_ + line_ends(begin_, quote_at_)), cells_.size() + 1, format_.prefix);
}

inline bool RecordReader::take_after_quote(size_t index) {
  const char c = buffer_[index];
  check_quote_closes(index);
  if (c == '"') {
    escaped_ = true;
    state_ = State::kQuoted;
    return false;
  }
  end_quoted_cell();
  if (c == format_.delimiter) return false;
  end_record(index);
  return true;
}

// The last record, when no line end closes it.
bool RecordReader::end_of_file() {
  if (state_ == State::kQuoted) {
    fail(Code::kCorruptFile,
         "{}: the quote that opens cell {} is never closed; close it, or set {}quote=none to read "
         "quotes as text",
         where(line_ + line_ends(begin_, cell_begin_)), cells_.size() + 1, format_.prefix);
  }
  if (state_ == State::kPlain && begin_ == end_) return false;
  if (state_ == State::kQuoteSeen) {
    check_quote_closes(end_);
    end_quoted_cell();
  } else {
    end_cell(end_);
  }
  end_record(end_);
  return true;
}

bool RecordReader::parse_record() {
  for (size_t index = 0; find_special(index);) {
    switch (state_) {
      case State::kPlain:
        if (take_plain(index)) return true;
        break;
      case State::kQuoted:
        take_quoted(index);
        break;
      case State::kQuoteSeen:
        if (take_after_quote(index)) return true;
        break;
    }
  }
  return end_of_file();
}

void RecordReader::check_record() const {
  const std::string_view record(buffer_.data() + begin_, record_end_ - begin_);
  check_length(record.size());
  if (!non_ascii_ || format_.encoding != Encoding::kUtf8) return;
  const int64_t bad = first_invalid_utf8(record);
  if (bad < 0) return;
  const size_t index = begin_ + static_cast<size_t>(bad);
  fail(Code::kCorruptFile, "{}: not UTF-8: byte 0x{:02x} at offset {} of the file; {}",
       where(line_ + line_ends(begin_, index)), static_cast<unsigned char>(buffer_[index]),
       buffer_offset_ + static_cast<int64_t>(index), encoding_hint(record, format_.prefix));
}

// The cell without the second of each pair of quotes, written over itself.
std::string_view RecordReader::unescaped(const Cell& cell) {
  char* const start = buffer_.data() + begin_ + cell.begin;
  char* const stop = buffer_.data() + begin_ + cell.end;
  if (!cell.escaped) return {start, static_cast<size_t>(stop - start)};
  char* out = start;
  for (const char* in = start; in < stop;) {
    const void* quote = std::memchr(in, '"', static_cast<size_t>(stop - in));
    const char* const piece_end = quote != nullptr ? static_cast<const char*>(quote) + 1 : stop;
    const auto size = static_cast<size_t>(piece_end - in);
    std::memmove(out, in, size);
    out += size;
    in = piece_end + (quote != nullptr ? 1 : 0);
  }
  return {start, static_cast<size_t>(out - start)};
}

void RecordReader::deliver(std::vector<std::string_view>& cells) {
  cells.resize(cells_.size());
  const bool latin = format_.encoding == Encoding::kLatin1 && non_ascii_;
  latin_.clear();
  if (latin) latin_.reserve(2 * (record_end_ - begin_));  // views into it must stay
  for (size_t i = 0; i < cells.size(); ++i) {
    cells[i] = unescaped(cells_[i]);
    if (!latin) continue;
    const size_t start = latin_.size();
    append_latin1(cells[i], latin_);
    cells[i] = std::string_view(latin_).substr(start);
  }
}

bool RecordReader::next(std::vector<std::string_view>& cells) {
  start_record();
  if (!parse_record()) {
    cells.clear();
    return false;
  }
  check_record();
  deliver(cells);
  return true;
}

}  // namespace ingot::data
