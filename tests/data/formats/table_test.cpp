// SPDX-License-Identifier: Apache-2.0
// Which reader a name opens, and the ranges of the format's keys.
#include "data/formats/table.h"

#include "base/config.h"
#include "data/temp_folder.h"

namespace ingot::data::table_test {
namespace {

std::string first_cell(const std::string& path, const TableFormat& format = {}) {
  const auto table = open_table(path, format);
  EXPECT_EQ(table->name(), path);
  std::vector<std::string_view> cells;
  EXPECT_TRUE(table->next(cells));
  return std::string(cells.at(0));
}

TEST(Table, TheNameChoosesTheReader) {
  const TempFolder folder;
  EXPECT_EQ(first_cell(folder.put("a.csv", "a,b\n1\t,2\n")), "1\t");
  EXPECT_EQ(first_cell(folder.put("a.TSV", "a\tb\n1,\t2\n")), "1,");
  EXPECT_EQ(first_cell(folder.put("a.jsonl", "{\"a\":\"1;\"}")), "1;");
  EXPECT_EQ(first_cell(folder.put("a.ndjson", "{\"a\":2}")), "2");
  EXPECT_EQ(first_cell(folder.put("a.csv.gz", "a,b\n1,2\n")), "1") << "gzip is told by its bytes";
  EXPECT_EQ(first_cell(folder.put("a.csv.xz", "a,b\n1,2\n")), "1");
  const auto table = open_table(io::memory_source("a\n7\n", "standard input"), "x.csv");
  EXPECT_EQ(table->name(), "standard input");
}

TEST(Table, RefusesOtherNames) {
  const TempFolder folder;
  const std::string path = folder.put("a.xlsx", "PK");
  const auto refusal = [](const std::string& file) {
    return message_of(Code::kInvalidArgument, [&] { (void)open_table(file); });
  };
  const std::string kinds =
      "\" ends in none of .csv, .tsv, .jsonl, .ndjson, .npy; of pictures .bin, idx3-ubyte, .npy "
      "(each also .gz or .xz), and is no folder: ";
  EXPECT_EQ(refusal(path), "table: \"" + path + kinds +
                               "convert it to one of them, or give it the name of its kind");
  const std::string arrays = folder.put("a.npz", "PK"), moving = folder.put("a.GIF", "GIF89a");
  EXPECT_EQ(refusal(arrays),
            "table: \"" + arrays + kinds + "save each array of it with numpy.save, as .npy");
  EXPECT_EQ(refusal(moving), "table: \"" + moving + kinds +
                                 "convert it to .png or .jpg, which `ingot predict` takes");
  EXPECT_FALSE(is_table_name(path));
  EXPECT_TRUE(is_table_name("some/where.TSV.gz"));
  EXPECT_TRUE(contains(message_of(Code::kNotFound, [] { (void)open_table("/no/such.csv"); }),
                       "/no/such.csv"));
}

TEST(Table, WhatIsNotThereIsNamedWithItsKeyAndWhatIsThere) {
  const TempFolder folder;
  const auto refusal = [&](const std::string& name) {
    return message_of(Code::kNotFound, [&] { require_table(folder.file(name), "table.path"); });
  };
  (void)folder.put("houses.csv", "a\n");
  (void)folder.put("notes.txt", "a");
  (void)folder.put("pictures/cat/1.png", "");
  const std::string said = "table: table.path is \"" + folder.path();
  EXPECT_EQ(refusal("hoses.csv"), said + "/hoses.csv\", which is not there. Did you mean \"" +
                                      folder.file("houses.csv") + "\"?");
  EXPECT_EQ(refusal("q.csv"), said + "/q.csv\", which is not there. Known: houses.csv.");
  EXPECT_EQ(refusal("picture"), said + "/picture\", which is not there. Did you mean \"" +
                                    folder.file("pictures") + "\"?");
  EXPECT_EQ(refusal("part_[1-4].csv"),
            said + "/part_[1-4].csv\", which no file matches. Known: houses.csv.");
  EXPECT_EQ(refusal("no/q.csv"), said + "/no/q.csv\", which is not there. There is no folder \"" +
                                     folder.file("no") + "\".");
  EXPECT_NO_THROW(require_table(folder.file("houses.csv"), "table.path"));
  EXPECT_NO_THROW(require_table(folder.file("pictures"), "table.path"));
  EXPECT_NO_THROW(require_table(folder.file("h*.csv"), "table.path"));
}

TEST(Table, KeysComeFromYamlAndAreChecked) {
  TableFormat format;
  bind_text(
      "delimiter: tab\nheader: no\ncolumns: [a, b]\nencoding: latin-1\nquote: none\nragged: skip\n"
      "max_record: 1MiB\n",
      "recipe.yaml", format);
  EXPECT_EQ(format.delimiter, "tab");
  EXPECT_EQ(format.header, HeaderRow::kNo);
  EXPECT_EQ(format.encoding, Encoding::kLatin1);
  EXPECT_EQ(format.quote, Quoting::kNone);
  EXPECT_EQ(format.ragged, RaggedRows::kSkip);
  EXPECT_EQ(format.max_record.bytes, 1 << 20);
  EXPECT_NO_THROW(check(format));
  const auto refusal = [](const TableFormat& bad) {
    return message_of(Code::kInvalidArgument, [&] { check(bad); });
  };
  for (const char* delimiter : {"", "ab", "\"", "\n", "\xc3\xa9"}) {
    format.delimiter = delimiter;
    EXPECT_TRUE(contains(
        refusal(format),
        "table.format.delimiter must be auto, tab or one ASCII character that is no quote"))
        << delimiter;
  }
  format = {};
  format.max_record.bytes = 1000;
  EXPECT_EQ(refusal(format), "table.format.max_record must lie in 1KiB .. 1GiB, got 1000 bytes");
  format = {};
  format.columns = {"a", "b", "a"};
  EXPECT_EQ(refusal(format), "table.format.columns: \"a\" stands at 1 and 3; names must differ");
  format.columns = {"a", ""};
  EXPECT_EQ(refusal(format), "table.format.columns: name 2 is empty");
  format.prefix = "format.";
  EXPECT_EQ(refusal(format), "format.columns: name 2 is empty");
  EXPECT_EQ(to_yaml(TableFormat{.prefix = "format."}), to_yaml(TableFormat{}))
      << "where the keys stand is no key";
}

}  // namespace
}  // namespace ingot::data::table_test
