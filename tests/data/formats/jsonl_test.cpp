// SPDX-License-Identifier: Apache-2.0
// JSON Lines as tables: every kind of value as a cell, columns from keys, errors with their lines.
#include "data/formats/jsonl.h"

#include "data/temp_folder.h"

namespace ingot::data::jsonl_test {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::unique_ptr<TableReader> open_lines(const std::string& text, const TableFormat& format = {}) {
  return open_jsonl(io::memory_source(text, "f"), format);
}

Rows rows_of(TableReader& table) {
  Rows rows;
  std::vector<std::string_view> cells;
  while (table.next(cells)) rows.emplace_back(cells.begin(), cells.end());
  EXPECT_TRUE(cells.empty());
  return rows;
}

TEST(Jsonl, ValuesBecomeCells) {
  const auto table = open_lines(
      "{\"a\": \"x,\\n\\u00e9\", \"b\": 1, \"c\": -2.50, \"d\": true, \"e\": null}\n"
      "{\"e\": 1e30, \"a\": \"\"}\r\n");
  EXPECT_EQ(table->columns(), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(rows_of(*table),
              (Rows{{"x,\n\xc3\xa9", "1", "-2.5", "true", ""}, {"", "", "", "", "1e+30"}}));
    table->rewind();
  }
}

TEST(Jsonl, ColumnsAreTheUnionOfKeysOrWhatTheFormatNames) {
  const std::string text = "\xef\xbb\xbf{\"b\":1}\n\n  \n{\"a\":2,\"b\":3}";
  const auto table = open_lines(text);
  EXPECT_EQ(table->columns(), (std::vector<std::string>{"b", "a"}));
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(table->line(), 1);
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(table->line(), 4);
  EXPECT_FALSE(table->next(cells));
  TableFormat format;
  format.columns = {"z", "a"};
  EXPECT_EQ(rows_of(*open_lines(text, format)), (Rows{{"", ""}, {"", "2"}}));
  const std::string alone = "\xef\xbb\xbf\r\n{\"b\":1}\n";  // the mark on a line of its own
  EXPECT_EQ(rows_of(*open_lines(alone)), (Rows{{"1"}}));
}

TEST(Jsonl, LinesMayBeLongerThanTheBuffer) {
  std::string text;
  Rows expected;
  for (size_t i = 0; i < 20; ++i) {
    expected.push_back({std::string(i * 40'000, static_cast<char>('a' + i))});
    text += "{\"t\":\"" + expected.back()[0] + "\"}\n";
  }
  EXPECT_EQ(rows_of(*open_lines(text)), expected);
}

TEST(Jsonl, ReadsLatin1) {
  TableFormat format;
  format.encoding = Encoding::kLatin1;
  EXPECT_EQ(rows_of(*open_lines("{\"t\":\"caf\xe9\"}\n", format)), (Rows{{"caf\xc3\xa9"}}));
}

TEST(Jsonl, ErrorsNameTheLine) {
  const auto refusal = [](const std::string& text, const TableFormat& format = {}) {
    return message_of(Code::kCorruptFile, [&] { (void)rows_of(*open_lines(text, format)); });
  };
  const std::string good = "{\"a\":1}\n";
  EXPECT_EQ(refusal(good + "{\"a\":[1]}\n"),
            "jsonl: \"f\": line 2: \"a\" holds an array; only texts, numbers, true, false and null "
            "make cells");
  EXPECT_EQ(
      refusal(good + "{\"a\":{\"b\":1}}\n"),
      "jsonl: \"f\": line 2: \"a\" holds an object; only texts, numbers, true, false and null "
      "make cells");
  EXPECT_EQ(refusal(good + "[1]\n"),
            "jsonl: \"f\": line 2: an object is expected, this is of type array");
  EXPECT_TRUE(contains(refusal(good + "{\"a\":1\n"), "jsonl: \"f\": line 2"));
  EXPECT_TRUE(contains(refusal(good + "{\"a\":1,\"a\":2}\n"), "jsonl: \"f\": line 2"));
  EXPECT_EQ(refusal(good + "{\"a\":\"\xe9\"}\n"),
            "jsonl: \"f\": line 2: not UTF-8 at byte 7 of the line; table.format.encoding=latin-1 "
            "reads it, if that is what the file is; it takes any bytes: where letters are wrong "
            "then, iconv -f ENCODING -t UTF-8 converts the file");
  EXPECT_EQ(refusal("{\"a\":\"\xb1\xb1\xbe\xa9\"}\n"),
            "jsonl: \"f\": line 1: not UTF-8 at byte 7 of the line; its characters look like two "
            "bytes each; if it is Chinese, iconv -f GB18030 -t UTF-8 converts it");
  EXPECT_EQ(refusal(std::string("\xff\xfe{\0\"\0", 6)),
            "jsonl: \"f\": line 1: not UTF-8 at byte 1 of the line; it is UTF-16; convert it with "
            "iconv -f UTF-16 -t UTF-8");
  EXPECT_EQ(refusal("{\"\":1}\n"), "jsonl: \"f\": line 1: an empty key names no column");
  EXPECT_EQ(refusal("\n"), "jsonl: \"f\": the file holds no object with keys");
  EXPECT_EQ(refusal(""), "jsonl: \"f\": the file holds no object with keys");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += good;
  EXPECT_EQ(
      refusal(many + "{\"b\":1}\n"),
      "jsonl: \"f\": line 1001: the key \"b\" is in none of the first 1,000 objects; name all "
      "keys to read with table.format.columns=[...]");
  TableFormat small;
  small.max_record.bytes = 1024;
  EXPECT_EQ(refusal(good + "{\"a\":\"" + std::string(2000, 'x') + "\"}\n", small),
            "jsonl: \"f\": line 2 is longer than table.format.max_record=1.0 KiB");
  small.prefix = "format.";
  EXPECT_EQ(refusal(good + "{\"a\":\"" + std::string(2000, 'x') + "\"}\n", small),
            "jsonl: \"f\": line 2 is longer than format.max_record=1.0 KiB");
}

}  // namespace
}  // namespace ingot::data::jsonl_test
