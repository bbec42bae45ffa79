// SPDX-License-Identifier: Apache-2.0
// The RFC 4180 machine against Python's csv module (tests/golden/data/csv.json, written by
// scripts/golden/csv_golden.py), against a parser that takes one byte at a time for inputs larger
// than the buffer, and its errors.
#include "data/formats/records.h"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/philox.h"
#include "data/temp_folder.h"
#include "source_dir.h"

namespace ingot::data::records_test {
namespace {

using Records = std::vector<std::vector<std::string>>;

struct Read {
  Records records;  // blank lines as records without cells, as Python's csv gives them
  std::vector<int64_t> lines;
};

Read read(const std::string& text, const RecordFormat& format = {}) {
  RecordReader reader(io::memory_source(text, "f"), "csv", format);
  Read result;
  for (std::vector<std::string_view> cells; reader.next(cells);) {
    result.lines.push_back(reader.line());
    if (reader.is_blank_line()) {
      result.records.emplace_back();
    } else {
      result.records.emplace_back(cells.begin(), cells.end());
    }
  }
  return result;
}

TEST(Records, EqualPythonsCsvModule) {
  std::ifstream file(INGOT_SOURCE_DIR "/tests/golden/data/csv.json");
  std::stringstream text;
  text << file.rdbuf();
  const Json golden = parse_json(text.str(), "csv.json");
  int accepted = 0, refused = 0;
  for (const Json& one : golden["cases"]) {
    const auto input = one["text"].get<std::string>();
    const RecordFormat format{.quoting = one["quoting"].get<bool>()};
    if (one["records"].is_null()) {
      EXPECT_THROW((void)read(input, format), Error) << input;
      ++refused;
    } else {
      EXPECT_EQ(read(input, format).records, one["records"].get<Records>()) << input;
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 2000);
  EXPECT_GT(refused, 500);
}

/// The grammar, one byte at a time.
Records parse_slowly(const std::string& text) {
  Records records(1, {""});
  bool quoted = false, any = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& cell = records.back().back();
    any = true;
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      records.back().emplace_back();
    } else if (c == '\n') {
      records.push_back({""});
      any = false;
    } else if (c != '\r') {
      cell += c;
    }
  }
  if (!any) records.pop_back();
  return records;
}

std::string in_quotes(const std::string& cell) {
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

TEST(Records, DoNotDependOnWhereTheBufferEnds) {
  Philox random(7);
  std::string text;
  int64_t lines = 1;
  std::vector<int64_t> starts;
  while (text.size() < 3'000'000) {
    starts.push_back(lines);
    const uint64_t cells = 1 + random.bounded(5);
    for (uint64_t i = 0; i < cells; ++i) {
      if (i > 0) text += ',';
      // Some cells are longer than the first buffer of 64 KiB, so that it must grow.
      const uint64_t size = random.bounded(50) == 0 ? random.bounded(400'000) : random.bounded(90);
      std::string cell;
      constexpr const char* kPieces[] = {"a", "b", "\"", ",", "\n", "\r", "\r\n", " ", "\xc3\xa9"};
      while (cell.size() < size) cell += kPieces[random.bounded(std::size(kPieces))];
      for (size_t at = 0; at < cell.size(); ++at) {
        lines += cell[at] == '\n' || (cell[at] == '\r' && cell.substr(at + 1, 1) != "\n");
      }
      text += in_quotes(cell);
    }
    text += random.bounded(2) == 0 ? "\r\n" : "\n";
    ++lines;
  }
  const Read found = read(text);
  EXPECT_EQ(found.records, parse_slowly(text));
  EXPECT_EQ(found.lines, starts);
}

TEST(Records, ManyShortRecordsOfEveryLengthCrossTheBuffer) {
  std::string text;
  for (int64_t i = 0; i < 200'000; ++i) text += std::to_string(i * i % 1'000'003) + ",x\r\n";
  const Read found = read(text);
  ASSERT_EQ(found.records.size(), 200'000U);
  EXPECT_EQ(found.records, parse_slowly(text));
  EXPECT_EQ(found.lines.back(), 200'000);
}

TEST(Records, KnowTheirLines) {
  EXPECT_EQ(read("a\n\"b\n\n\"\nc\r\nd\re").lines, (std::vector<int64_t>{1, 2, 5, 6, 7}));
  EXPECT_EQ(read("\"a\r\nb\rc\"\nd").lines, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(read("\"a\"\n\n\nb").lines, (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST(Records, LeaveTheByteOrderMarkOut) {
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a,b\n")
                .records,
            (Records{{"a", "b"}}));
  EXPECT_EQ(read("\xef\xbb\xbf\"a,b\"").records, (Records{{"a,b"}}));
  EXPECT_TRUE(read("\xef\xbb\xbf").records.empty());
}

TEST(Records, StartAgainAfterRewind) {
  RecordReader reader(io::memory_source("a\r\rb\r\n\"c\nd\"", "f"), "csv", {});
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string_view> cells;
    std::string all;
    while (reader.next(cells)) all += std::to_string(reader.line()) + std::string(cells[0]) + ";";
    EXPECT_EQ(all, "1a;2;3b;4c\nd;");
    EXPECT_FALSE(reader.next(cells));
    reader.rewind();
  }
}

TEST(Records, ReadLatin1AsUtf8) {
  const RecordFormat latin{.encoding = Encoding::kLatin1};
  EXPECT_EQ(read("caf\xe9,\"\xff\"\"\x80\"\nplain,b\n", latin).records,
            (Records{{"caf\xc3\xa9", "\xc3\xbf\"\xc2\x80"}, {"plain", "b"}}));
}

std::string refusal(const std::string& text, const RecordFormat& format = {}) {
  return message_of(Code::kCorruptFile, [&] { (void)read(text, format); });
}

TEST(Records, ErrorsNameTheLineAndTheRemedy) {
  EXPECT_EQ(refusal("a\nb,\"c\nd\ne"),
            "csv: \"f\": line 2: the quote that opens cell 2 is never closed; close it, or set "
            "table.format.quote=none to read quotes as text");
  EXPECT_EQ(refusal("a\n\"b\n\",\"x"),
            "csv: \"f\": line 3: the quote that opens cell 2 is never closed; close it, or set "
            "table.format.quote=none to read quotes as text");
  const std::string after =
      "text follows the closing quote of cell 1; write a quote inside a quoted cell twice, or set "
      "table.format.quote=none to read quotes as text";
  EXPECT_EQ(refusal("a\n\"b\"c\n"), "csv: \"f\": line 2: " + after);
  EXPECT_EQ(refusal("\"b\n\"c"), "csv: \"f\": line 2: " + after);
  EXPECT_EQ(refusal("a,b\n\"c\nd\",caf\xe9\n"),
            "csv: \"f\": line 3: not UTF-8: byte 0xe9 at offset 13 of the file; "
            "table.format.encoding=latin-1 reads it, if that is what the file is; it takes any "
            "bytes: where letters are wrong then, iconv -f ENCODING -t UTF-8 converts the file");
  // The two cities of line 2 as iconv -t GB18030 writes them.
  EXPECT_EQ(refusal("a,b\n\xb3\xc7\xca\xd0,\xb1\xb1\xbe\xa9\n"),
            "csv: \"f\": line 2: not UTF-8: byte 0xb3 at offset 4 of the file; its characters look "
            "like two bytes each; if it is Chinese, iconv -f GB18030 -t UTF-8 converts it");
}

TEST(Records, OneRecordIsBounded) {
  const RecordFormat format{.max_record = 1024};
  const std::string message =
      "csv: \"f\": line 2: the record is longer than table.format.max_record=1.0 KiB; a closing "
      "quote may be missing (table.format.quote=none reads quotes as text)";
  EXPECT_EQ(read(std::string(1024, 'x') + "\n", format).records.size(), 1U);
  EXPECT_EQ(refusal("a\n" + std::string(1025, 'x') + "\n", format), message);
  EXPECT_EQ(refusal("a\n\"" + std::string(600'000, 'x'), format), message);
  EXPECT_EQ(refusal("a\n" + std::string(600'000, '\xe9'), format), message);
}

}  // namespace
}  // namespace ingot::data::records_test
