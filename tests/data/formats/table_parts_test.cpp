// SPDX-License-Identifier: Apache-2.0
// Several files as one table: order, names and lines, and files that do not belong together. The
// state of a table changes with every byte that a stage may read, and with nothing else.
#include "data/formats/table_parts.h"

#include <chrono>
#include <filesystem>

#include "base/files.h"
#include "data/formats/table_state.h"
#include "data/temp_folder.h"

namespace ingot::data::table_parts_test {
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
  EXPECT_EQ(passed_over(*table, "predict.input."),
            Texts{"2 records have another number of cells and were left out "
                  "(predict.input.ragged=skip): lines " +
                  folder.file("a.csv") + ":3, " + folder.file("b.csv") + ":2"});
  table->rewind();
  EXPECT_EQ(passed_over(*table, "predict.input."), Texts{});
}

TEST(TableParts, UnreadPicturesAreCountedOverAllFolders) {
  const TempFolder folder;
  for (const char* name : {"a/cat/1.png", "a/dog/2.png", "b/cat/3.png", "b/cat/4.gif",
                           "b/dog/5.png", "c/cat/6.png", "c/dog/7.png", "c/dog/8.bmp"}) {
    (void)folder.put(name, "");
  }
  const auto table = open_table(folder.file("?"));
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string_view> cells;
    while (table->next(cells)) {
    }
    EXPECT_EQ(table->unread().count, 2);
    EXPECT_EQ(table->unread().first, folder.file("b/cat/4.gif"));
    table->rewind();
    EXPECT_EQ(table->unread().count, 0);
  }
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

TEST(TableParts, AFileBesideItsPackedSelfIsRefused) {
  const TempFolder folder;
  const std::string plain = folder.put("batch_1.bin", "x"),
                    packed = folder.put("batch_1.bin.gz", "");
  (void)folder.put("batch_2.bin.xz", "");
  EXPECT_EQ(
      message_of(Code::kInvalidArgument, [&] { (void)table_parts(folder.file("batch_*.bin*")); }),
      "table: \"" + plain + "\" and \"" + packed +
          "\" are one file, packed and not, and would be read twice; remove one, or narrow "
          "the pattern");
  EXPECT_EQ(table_parts(folder.file("batch_*.bin")), Texts{plain});
  EXPECT_EQ(table_parts(folder.file("batch_*.?z")).size(), 2U);
}

namespace fs = std::filesystem;

class TableState : public ::testing::Test {
 protected:
  /// Whether the state of `path` is another one once `name` holds `content`.
  bool changes(const std::string& path, const std::string& name, const std::string& content) {
    const std::string before = table_state(folder_.file(path));
    EXPECT_NE(before, "");
    (void)folder_.put(name, content);
    return table_state(folder_.file(path)) != before;
  }
  TempFolder folder_;
};

TEST_F(TableState, OfAFileChangesWithACell) {
  (void)folder_.put("t.csv", "x,y\n1,4\n");
  EXPECT_FALSE(changes("t.csv", "t.csv", "x,y\n1,4\n")) << "written again";
  EXPECT_TRUE(changes("t.csv", "t.csv", "x,y\n1,2\n")) << "edited in place";
  EXPECT_TRUE(changes("t.csv", "t.csv", "x,y\n1,2\n3,4\n"));
  EXPECT_FALSE(changes("t.csv", "other.csv", "x,y\n"));
  EXPECT_EQ(table_state(""), "");
  EXPECT_EQ(table_state(folder_.file("none.csv")), "");
  EXPECT_EQ(table_state(folder_.file("none_*.csv")), "");
}

TEST_F(TableState, OfAPatternChangesWithEveryFile) {
  (void)folder_.put("p1.csv", "x\n1\n");
  (void)folder_.put("p2.csv", "x\n2\n");
  EXPECT_TRUE(changes("p*.csv", "p2.csv", "x\n3\n"));
  EXPECT_TRUE(changes("p*.csv", "p3.csv", "x\n3\n"));
}

TEST_F(TableState, OfAFolderChangesWithAPicture) {
  (void)folder_.put("pets/cat/a.png", "1");
  (void)folder_.put("pets/dog/b.png", "1");
  EXPECT_FALSE(changes("pets", "pets/cat/a.png", "1"));
  EXPECT_TRUE(changes("pets", "pets/dog/b.png", "2"));
  EXPECT_TRUE(changes("pets", "pets/dog/c.png", "1"));
}

TEST_F(TableState, OfAPatternOfFoldersChangesWithAPicture) {
  for (const char* name : {"all/a/cat/1.png", "all/a/dog/2.png", "all/b/cat/3.png"}) {
    (void)folder_.put(name, "1");
  }
  EXPECT_FALSE(changes("all/*", "all/b/cat/3.png", "1"));
  EXPECT_TRUE(changes("all/*", "all/b/cat/3.png", "2"));
  EXPECT_TRUE(changes("all/*", "all/b/dog/4.png", "1"));
}

TEST_F(TableState, OfATableChangesWithThePicturesItNames) {
  (void)folder_.put("photos/1.png", "1");
  (void)folder_.put("photos/2.JPG", "1");
  (void)folder_.put("t.csv", "id,photo\n1,photos/1.png\n2,photos/2.JPG \n3,photos/gone.png\n4,\n");
  EXPECT_FALSE(changes("t.csv", "photos/1.png", "1"));
  EXPECT_TRUE(changes("t.csv", "photos/2.JPG", "2"));
  EXPECT_FALSE(changes("t.csv", "photos/3.png", "1")) << "no row names it";
}

TEST_F(TableState, OfPixelsChangesWithTheirLabels) {
  (void)folder_.put("a-images-idx3-ubyte", std::string("\0\0\x08\x03\0\0\0\0\0\0\0\1\0\0\0\1", 16));
  (void)folder_.put("a-labels-idx1-ubyte", "1");
  EXPECT_TRUE(changes("a-images-idx3-ubyte", "a-labels-idx1-ubyte", "2"));
}

TEST_F(TableState, OfAFileTooLargeToReadChangesWithItsTime) {
  const std::string path = folder_.put("large.csv", "x\n1\n");
  constexpr int64_t kLarge = int64_t{65} << 20;
  fs::resize_file(path, kLarge);  // sparse
  const std::string before = table_state(path);
  EXPECT_EQ(table_state(path), before);
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::milliseconds(1));
  EXPECT_NE(table_state(path), before);
}

}  // namespace
}  // namespace ingot::data::table_parts_test
