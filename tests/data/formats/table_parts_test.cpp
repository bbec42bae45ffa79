// SPDX-License-Identifier: Apache-2.0
// Several files as one table: order, names and lines, and files that do not belong together.
#include "data/formats/table_parts.h"

#include "base/files.h"
#include "data/temp_folder.h"

namespace ingot::data {
namespace {

using Texts = std::vector<std::string>;

TEST(TableParts, APatternIsItsFilesInOrder) {
  const TempFolder folder;
  (void)folder.put("part_2.csv", "x,y\n5,6\n");
  (void)folder.put("part_1.csv", "x,y\n1,2\n3,4\n");
  (void)folder.put("part_9.csv", "x,y\n7,8\n");
  const std::string pattern = folder.file("part_[12].csv");
  EXPECT_EQ(table_parts(pattern), (Texts{folder.file("part_1.csv"), folder.file("part_2.csv")}));
  const auto table = open_table(pattern);
  EXPECT_EQ(table->columns(), (Texts{"x", "y"}));
  for (int pass = 0; pass < 2; ++pass) {
    Texts rows;
    std::vector<std::string_view> cells;
    while (table->next(cells)) {
      rows.push_back(std::string(base_name(table->name())) + ":" + std::to_string(table->line()) +
                     ":" + std::string(cells[1]));
    }
    EXPECT_EQ(rows, (Texts{"part_1.csv:2:2", "part_1.csv:3:4", "part_2.csv:2:6"}));
    table->rewind();
  }
}

TEST(TableParts, AFileOfThatNameIsNoPattern) {
  const TempFolder folder;
  const std::string path = folder.put("a[1].csv", "x\n1\n");
  EXPECT_FALSE(is_pattern(path));
  EXPECT_EQ(table_parts(path), Texts{path});
  EXPECT_FALSE(is_pattern(folder.file("plain.csv")));
  EXPECT_TRUE(is_pattern(folder.file("a*.csv")));
}

TEST(TableParts, SkippedRecordsAreCountedOverAllFiles) {
  const TempFolder folder;
  (void)folder.put("a.csv", "x,y\n1,2\n3\n");
  (void)folder.put("b.csv", "x,y\n1,2,3\n5,6\n");
  TableFormat format;
  format.ragged = RaggedRows::kSkip;
  const auto table = open_table(folder.file("?.csv"), format);
  std::vector<std::string_view> cells;
  int rows = 0;
  while (table->next(cells)) ++rows;
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(table->skipped(), 2);
}

TEST(TableParts, WhatDoesNotBelongTogetherIsNamed) {
  const TempFolder folder;
  const std::string a = folder.put("a.csv", "x,y\n1,2\n");
  const std::string b = folder.put("b.csv", "x,z\n1,2\n");
  const auto table = open_table(folder.file("[ab].csv"));
  std::vector<std::string_view> cells;
  EXPECT_EQ(message_of(Code::kCorruptFile,
                       [&] {
                         while (table->next(cells)) {
                         }
                       }),
            "table: \"" + b + "\" has the columns x, z, \"" + a +
                "\" has x, y; files of one table have the same");
  EXPECT_EQ(message_of(Code::kNotFound, [&] { (void)open_table(folder.file("c*.csv")); }),
            "table: no file matches \"" + folder.file("c*.csv") + "\"");
}

TEST(TableParts, TheStateChangesWithTheData) {
  const TempFolder folder;
  (void)folder.put("pets/cat/a.png", "1");
  (void)folder.put("pets/dog/b.png", "1");
  const std::string before = table_state(folder.file("pets"));
  EXPECT_EQ(before, "cat/a.png 1\ndog/b.png 1\n");
  (void)folder.put("pets/dog/b.png", "12");
  EXPECT_NE(table_state(folder.file("pets")), before);
  (void)folder.put("p1.csv", "x");
  (void)folder.put("p2.csv", "xy");
  EXPECT_EQ(table_state(folder.file("p*.csv")), "p1.csv 1\np2.csv 2\n");
  EXPECT_EQ(table_state(folder.file("p2.csv")), "p2.csv 2\n");
  EXPECT_EQ(table_state(""), "");
  EXPECT_EQ(table_state(folder.file("none.csv")), "");
}

}  // namespace
}  // namespace ingot::data
