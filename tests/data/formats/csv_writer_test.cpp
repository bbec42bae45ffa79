// SPDX-License-Identifier: Apache-2.0
// What is written is read back cell for cell, whatever the cells hold.
#include "data/formats/csv_writer.h"

#include "data/formats/table.h"
#include "data/temp_folder.h"

namespace ingot::data::csv_writer_test {
namespace {

using Cells = std::vector<std::string>;

TEST(CsvCell, IsQuotedOnlyWhenItMustBe) {
  EXPECT_EQ(csv_cell("plain text"), "plain text");
  EXPECT_EQ(csv_cell(""), "");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
}

TEST(CsvWriter, WhatIsWrittenIsReadBack) {
  const TempFolder folder;
  const std::unique_ptr<FileSystem> files = real_files();
  const Cells names = {"na,me", "text", "last"};
  const std::vector<Cells> rows = {
      {"1", "a \"quote\"", ""}, {"", "two\r\nlines", "x"}, {" s ", "é", "7"}};
  write_atomically(*files, folder.file("t.csv"), [&](WritableFile& file) {
    CsvWriter writer(file, names);
    for (const Cells& row : rows) {
      writer.add(std::vector<std::string_view>(row.begin(), row.end()));
    }
    EXPECT_EQ(writer.finish(), 3);
  });
  const std::unique_ptr<TableReader> table = open_table(folder.file("t.csv"));
  EXPECT_EQ(table->columns(), names);
  std::vector<std::string_view> cells;
  for (const Cells& row : rows) {
    ASSERT_TRUE(table->next(cells));
    EXPECT_EQ(Cells(cells.begin(), cells.end()), row);
  }
  EXPECT_FALSE(table->next(cells));
}

}  // namespace
}  // namespace ingot::data::csv_writer_test
