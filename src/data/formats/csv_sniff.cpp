// SPDX-License-Identifier: Apache-2.0
#include "data/formats/csv_sniff.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "data/formats/decimal_comma.h"
#include "data/formats/encoding_hint.h"
#include "data/schema.h"

namespace ingot::data {
namespace {

constexpr size_t kHead = size_t{1} << 16;
constexpr size_t kRecords = 100;
constexpr int64_t kRareNul = 8;  // in wide characters more than one byte of so many is NUL
constexpr std::string_view kDelimiters = ",;\t|";
constexpr std::string_view kBesideCommas = ";\t|,";  // which stand in numbers

using Records = std::vector<std::vector<std::string>>;

char given_delimiter(const std::string& text) {
  if (text == "tab" || text == "\\t") return '\t';
  return text.front();
}

std::string read_head(io::ByteSource& source, const char* verb) {
  std::string head(kHead, '\0');
  head.resize(static_cast<size_t>(io::read_fully(source, std::as_writable_bytes(std::span(head)))));
  source.rewind();
  const std::string& name = source.name();
  require(!head.empty(), Code::kCorruptFile, "{}: \"{}\": the file is empty", verb, name);
  const std::string_view marked = marked_encoding(head);
  require(marked.empty(), Code::kCorruptFile,
          "{0}: \"{1}\": the file is {2}; convert it with iconv -f {2} -t UTF-8", verb, name,
          marked);
  const size_t nul = head.find('\0');
  if (nul != std::string::npos) {
    const int64_t line = position_of(head, static_cast<int64_t>(nul)).line;
    // Of UTF-16 every second byte of an ASCII letter is one, and other letters are no UTF-8.
    const auto nuls = std::count(head.begin(), head.end(), '\0');
    const std::string_view whole = std::string_view(head).substr(0, head.rfind('\n'));
    require(
        kRareNul * nuls > std::ssize(head) || !is_valid_utf8(whole), Code::kCorruptFile,
        "{}: \"{}\": line {} holds a NUL byte, which no text does; take it out, for example with "
        "tr -d '\\000'",
        verb, name, line);
    const std::string_view wide = unmarked_encoding(head);
    fail(Code::kCorruptFile,
         "{}: \"{}\": line {} holds a NUL byte: not a text file, or {}, which iconv -f {} -t UTF-8 "
         "converts",
         verb, name, line, wide.substr(0, 6), wide);
  }
  return head;
}

// A first line like {"a": 1}, which would be a header of odd names.
void require_no_json(std::string_view head, const char* verb, const std::string& name) {
  const std::string_view line = trim(head.substr(0, head.find('\n')));
  const bool is_object =
      line.starts_with("{\"") && line.ends_with("}") && line.find("\":") != std::string_view::npos;
  require(!is_object, Code::kCorruptFile,
          "{}: \"{}\": line 1 is an object of JSON; rename the file so that it ends in .jsonl",
          verb, name);
}

// The first records of the block. What cannot be parsed ends them: the reader itself will say so
// when it comes there. The last one is dropped when the block cuts it.
Records first_records(const std::string& head, bool is_whole, const RecordFormat& format) {
  Records records;
  RecordReader reader(io::memory_source(head, ""), "", format);
  bool ended = false;
  try {
    std::vector<std::string_view> cells;
    while (records.size() < kRecords && !(ended = !reader.next(cells))) {
      if (reader.is_blank_line()) continue;
      auto& record = records.emplace_back();
      for (const std::string_view cell : cells) record.emplace_back(trim(cell));
    }
  } catch (const Error&) {
    ended = false;
  }
  if (ended && !is_whole && records.size() > 1) records.pop_back();
  return records;
}

bool is_regular(const Records& records) {
  return !records.empty() && records.front().size() > 1 &&
         std::all_of(records.begin(), records.end(),
                     [&](const auto& record) { return record.size() == records.front().size(); });
}

bool looks_like_names(const Records& records) {
  const auto& first = records.front();
  const auto is_number = [](const std::string& cell) {
    return parse_number(cell).has_value() || is_comma_number(cell);
  };
  const auto is_empty = [](const std::string& cell) { return cell.empty(); };
  if (std::any_of(first.begin(), first.end(), is_number)) return false;
  if (std::all_of(first.begin(), first.end(), is_empty)) return false;
  for (size_t row = 1; row < records.size(); ++row) {
    const size_t width = std::min(first.size(), records[row].size());
    for (size_t i = 0; i < width; ++i) {
      if (!first[i].empty() && records[row][i] == first[i]) return false;
    }
  }
  return true;
}

bool has_header(const Records& records, const TableFormat& format) {
  if (format.header != HeaderRow::kAuto) return format.header == HeaderRow::kYes;
  if (records.empty()) return false;
  if (!format.columns.empty()) return records.front() == format.columns;
  return looks_like_names(records);
}

}  // namespace

CsvLayout sniff_csv(io::ByteSource& source, bool is_tsv, const TableFormat& format) {
  const char* const verb = is_tsv ? "tsv" : "csv";
  const std::string head = read_head(source, verb);
  require_no_json(head, verb, source.name());
  const bool is_whole = head.size() < kHead;
  CsvLayout layout;
  const bool has_commas = format.decimal == Decimal::kComma;  // inside of numbers
  layout.records = {
      .delimiter = is_tsv       ? '\t'
                   : has_commas ? kBesideCommas[0]
                                : ',',
      .quoting = format.quote == Quoting::kAuto ? !is_tsv : format.quote == Quoting::kDouble,
      .encoding = format.encoding,
      .max_record = format.max_record.bytes,
      .prefix = format.prefix};
  if (format.delimiter != "auto") layout.records.delimiter = given_delimiter(format.delimiter);
  Records records = first_records(head, is_whole, layout.records);
  if (format.delimiter == "auto" && !is_tsv) {
    for (const char delimiter : has_commas ? kBesideCommas : kDelimiters) {
      RecordFormat tried = layout.records;
      tried.delimiter = delimiter;
      Records found = first_records(head, is_whole, tried);
      if (!is_regular(found)) continue;
      layout.records = tried;
      records = std::move(found);
      break;
    }
  }
  layout.has_header = has_header(records, format);
  return layout;
}

}  // namespace ingot::data
