// SPDX-License-Identifier: Apache-2.0
// The RFC 4180 machine: bytes in, records of cells out, in memory bounded by the longest record.
//   record = cell (delimiter cell)* line-end        line-end = CRLF, LF or CR; optional at the end
//   cell   = text  |  '"' (any byte but '"', or '""')* '"'
// One leniency, shared with Python's csv module: a quote inside an unquoted cell is text. Text
// after a closing quote is an error, because both readings lose something. It knows neither column
// names nor numbers of cells: csv.h does. No byte is looked at twice, whatever the file holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/byte_scan.h"
#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

struct RecordFormat {
  char delimiter = ',';
  bool quoting = true;
  Encoding encoding = Encoding::kUtf8;
  int64_t max_record = int64_t{16} << 20;
  std::string prefix = "table.format.";  ///< of the keys that messages propose
};

class RecordReader {
 public:
  /// `verb` starts the messages: "csv", "tsv".
  RecordReader(std::unique_ptr<io::ByteSource> source, std::string verb,
               const RecordFormat& format);

  /// The next record in UTF-8, valid until the next call; an empty line gives one empty cell.
  /// false at the end of the file. Error{kCorruptFile}:
  ///   csv: "f": line 3: the quote that opens cell 2 is never closed …
  ///   csv: "f": line 3: text follows the closing quote of cell 2 …
  ///   csv: "f": line 3: not UTF-8: byte 0xe9 at offset 17 of the file; table.format.encoding=…
  ///   csv: "f": line 3: the record is longer than table.format.max_record=16.0 MiB …
  bool next(std::vector<std::string_view>& cells);
  /// Line on which the record last given began, from 1.
  [[nodiscard]] int64_t line() const { return line_; }
  /// Whether the record last given was an empty line: no cell, not even a quoted empty one.
  [[nodiscard]] bool is_blank_line() const { return blank_; }
  void rewind();
  [[nodiscard]] const std::string& name() const { return source_->name(); }

 private:
  struct Cell {
    uint32_t begin, end;  // relative to the start of the record
    bool escaped;         // holds doubled quotes
  };
  enum class State { kPlain, kQuoted, kQuoteSeen };

  [[nodiscard]] bool find_special(size_t& index);
  [[nodiscard]] bool load_block();
  [[nodiscard]] bool refill();
  void start_record();
  [[nodiscard]] bool parse_record();
  [[nodiscard]] bool take_plain(size_t index);
  void take_quoted(size_t index);
  void check_quote_closes(size_t index) const;
  [[nodiscard]] bool take_after_quote(size_t index);
  void end_cell(size_t index);
  void end_quoted_cell();
  void end_record(size_t index);
  [[nodiscard]] bool end_of_file();
  void check_length(size_t size) const;
  void check_record() const;
  void deliver(std::vector<std::string_view>& cells);
  [[nodiscard]] std::string_view unescaped(const Cell& cell);
  [[nodiscard]] std::string where(int64_t line) const;
  [[nodiscard]] int64_t line_ends(size_t begin, size_t end) const;

  std::unique_ptr<io::ByteSource> source_;
  std::string verb_;
  RecordFormat format_;
  char quote_;                 // '\n' when quotes are text: nothing more to look for
  std::vector<char> buffer_;   // followed by 64 bytes that may be scanned
  size_t capacity_ = 0;        // of buffer_ without those
  int64_t buffer_offset_ = 0;  // of buffer_[0] in the file
  size_t begin_ = 0;           // start of the record
  size_t end_ = 0;             // of the bytes in the buffer
  bool file_ended_ = false;

  // The scan: specials of [block_, block_end_) not yet taken.
  size_t block_ = 0;
  size_t block_end_ = 0;
  uint64_t specials_ = 0;
  bool block_non_ascii_ = false;

  // The record being parsed.
  State state_ = State::kPlain;
  std::vector<Cell> cells_;
  size_t cell_begin_ = 0;
  size_t quote_at_ = 0;  // the last quote inside a quoted cell
  bool escaped_ = false;
  int64_t lines_inside_ = 0;  // line ends inside quotes
  bool non_ascii_ = false;
  bool blank_ = false;
  bool skip_feed_ = false;  // a CR ended the last record: an LF after it is no empty line
  size_t record_end_ = 0;   // of the record's text
  size_t next_begin_ = 0;   // start of the next record
  int64_t line_ = 1;
  int64_t next_line_ = 1;
  std::string latin_;  // the record in UTF-8 when the file is Latin-1
};

}  // namespace ingot::data
