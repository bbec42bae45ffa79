// SPDX-License-Identifier: Apache-2.0
// The files hold the rows that training takes, cell for cell.
#include "data/table_files.h"

#include <filesystem>
#include <set>

#include "data/own_picture.h"
#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::table_files_test {
namespace {

class TableFilesTest : public ::testing::Test {
 protected:
  TableConfig config(int rows) {
    std::string csv = "x,note,y\n";
    for (int i = 0; i < rows; ++i) {
      csv += std::to_string(3 * i) + ",\"a, " + std::to_string(i) + "\"," +
             (i % 2 == 0 ? "a" : "b") + "\n";
    }
    csv += "0,\"a, 0\",a\n";  // equals the first row
    TableConfig c;
    c.path = folder_.put("t.csv", csv);
    c.target.column = "y";
    c.clean.duplicates = Duplicates::kDrop;
    c.split.method = SplitMethod::kStratified;
    return c;
  }
  std::multiset<std::string> rows_of(const std::string& path) {
    std::multiset<std::string> rows;
    const std::unique_ptr<TableReader> table = open_table(path);
    std::vector<std::string_view> cells;
    while (table->next(cells)) {
      std::string row;
      for (const std::string_view cell : cells) row += std::string(cell) + "|";
      rows.insert(row);
    }
    return rows;
  }
  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = real_files();
};

TEST_F(TableFilesTest, TheCleanTableLacksWhatIsLeftOut) {
  const CleanFile made = write_clean_table(*files_, config(50), folder_.file("clean.csv"));
  EXPECT_EQ(made.counts.rows, 51);
  EXPECT_EQ(made.counts.kept(), 50);
  EXPECT_TRUE(made.notes.empty());
  EXPECT_EQ(rows_of(folder_.file("clean.csv")).size(), 50U);
}

TEST_F(TableFilesTest, TheSplitsAreThoseOfTraining) {
  const TableConfig c = config(100);
  const SplitFiles made = write_split_tables(*files_, c, folder_.path());
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{80, 10, 10}));
  EXPECT_EQ(made.clean.duplicates, 1);
  const TableExamples examples = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(examples.rows, made.rows);
  // Every row of a split's file, encoded, stands in that split's examples, in order.
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  for (size_t i = 0; i < kSplits; ++i) {
    const ExampleReader encoded(examples_path(folder_.file("data"), static_cast<Split>(i)));
    const std::unique_ptr<TableReader> table = open_table(made.paths[i]);
    ExampleEncoder encoder(features, table->columns(), table->name(), true);
    std::vector<std::byte> record(static_cast<size_t>(encoder.layout().record_bytes()));
    std::vector<std::string_view> cells;
    int64_t row = 0;
    for (; table->next(cells); ++row) {
      ASSERT_TRUE(encoder.encode(cells, table->line(), record));
      const std::span<const std::byte> wanted = encoded.row(row);
      EXPECT_TRUE(std::equal(record.begin(), record.end(), wanted.begin(), wanted.end())) << row;
    }
    EXPECT_EQ(row, encoded.rows());
  }
}

TEST_F(TableFilesTest, RecordsThatAreNoRowsAreSaid) {
  const std::string table = "x,y\n1,a\n2\n3,b\n4,a\n5,b\n6,a,7\n";
  TableConfig c;
  c.path = folder_.put("t.csv", table);
  c.target.column = "y";
  c.format.ragged = RaggedRows::kSkip;
  c.split.test = c.split.validation = 0;
  const std::string note =
      " records have another number of cells and were left out (table.format.ragged=skip)";
  EXPECT_EQ(write_clean_table(*files_, c, folder_.file("clean.csv")).notes,
            std::vector<std::string>{"2" + note + ": lines 3, 7"});
  c.split.test_file = folder_.put("later.csv", "x,y\n8,a\n9\n");
  EXPECT_EQ(write_split_tables(*files_, c, folder_.path()).notes,
            (std::vector<std::string>{"2" + note + ": lines 3, 7",
                                      c.split.test_file + ": 1" + note + ": line 3"}));
}

TEST_F(TableFilesTest, AFileWithoutARowIsNotWritten) {
  TableConfig c;
  c.format.ragged = RaggedRows::kSkip;
  c.path = folder_.put("ragged.csv", "x,y\n1\n2\n");
  const std::string before = folder_.put("clean.csv", "x,y\n7,a\n");
  const auto clean = [&] { (void)write_clean_table(*files_, c, before); };
  EXPECT_EQ(message_of(Code::kInvalidArgument, clean),
            "data: none of 2 records of \"" + c.path +
                "\" has 2 cells, as many as there are names, so that all are left out and there "
                "is nothing to write; table.format.ragged=error says where the first stands");
  c.path = folder_.put("names.csv", "x,y\n");
  EXPECT_EQ(
      message_of(Code::kCorruptFile, clean),
      "data: \"" + c.path +
          "\" holds no record, so there is nothing to write; where its only line is one and no "
          "header, set table.format.header=no");
  c = config(20);
  c.split.test = 0;
  c.split.test_file = folder_.put("later.csv", "x,note,y\n");
  std::filesystem::create_directory(folder_.file("s"));
  EXPECT_TRUE(contains(message_of(Code::kCorruptFile,
                                  [&] { (void)write_split_tables(*files_, c, folder_.file("s")); }),
                       "later.csv\" holds no record"));
  EXPECT_EQ(rows_of(before), (std::multiset<std::string>{"7|a|"})) << "what was there stays";
}

TEST_F(TableFilesTest, APictureThatIsDrawnTakesNoPlaceOfTheTable) {
  const std::string gray = io::pnm_head(1, 1, 1) + "a";
  const std::string own = folder_.put("p/cat/1.png", gray);
  (void)folder_.put("p/dog/1.png", gray);
  (void)folder_.put("photos/2.png", gray);
  (void)folder_.put("other.png", mark_own_picture(io::encode_png({1, 1, 1, {'a'}})));
  (void)folder_.put("mine.png", gray);
  TableConfig c;
  const auto refusal = [&](const std::string& path) {
    return message_of(Code::kInvalidArgument, [&] { require_picture_apart(path, c); });
  };
  c.path = folder_.file("p");
  for (const std::string& path : {own, folder_.file("p/new.png"), folder_.file("x/../p/new.png")}) {
    EXPECT_EQ(refusal(path),
              "data: \"" + path + "\" lies in the table \"" + c.path +
                  "\" and would be a picture of it; name a file outside, for example " +
                  folder_.file("samples.png"));
  }
  require_picture_apart(folder_.file("other.png"), c);
  require_picture_apart(folder_.file("new.png"), c);
  EXPECT_TRUE(contains(refusal(folder_.file("mine.png")), "was not drawn by `ingot data`"));

  const std::string table = folder_.put("t.csv", "photo,y\nphotos/1.png,a\nphotos/2.png,b\nNA,a\n");
  c.path = table;
  const std::string named = folder_.file("./photos/2.png");
  EXPECT_EQ(refusal(named), "data: \"" + named + "\" is a picture of \"" + table +
                                "\" (line 3) and would be written over; name another file");
  require_picture_apart(folder_.file("photos/3.png"), c);  // beside them, where nothing is
  require_picture_apart(folder_.file("other.png"), c);
  const std::string later = folder_.put("later.csv", "y,photo\na,other.png\n");
  c.split.test_file = later;
  EXPECT_EQ(refusal(folder_.file("other.png")),
            "data: \"" + folder_.file("other.png") + "\" is a picture of \"" + later +
                "\" (line 2) and would be written over; name another file");
  c.path = folder_.put("t.png", "");
  EXPECT_EQ(refusal(c.path), "data: \"" + c.path +
                                 "\" is a file of the table and would be written over; name "
                                 "another file");
}

TEST_F(TableFilesTest, NoFileOfTheTableIsWrittenOver) {
  TableConfig c = config(20);
  const std::string own = folder_.put("train.csv", "x,note,y\n1,one,a\n2,two,b\n");
  c.path = own;
  const std::string refusal = "data: \"" + folder_.file("./train.csv") +
                              "\" is a file of the table and would be written over; set "
                              "out=FOLDER to another one";
  const auto split = [&] { (void)write_split_tables(*files_, c, folder_.file(".")); };
  EXPECT_EQ(message_of(Code::kInvalidArgument, split), refusal);
  c.path = folder_.file("tr*.csv");
  EXPECT_EQ(message_of(Code::kInvalidArgument, split), refusal);
  EXPECT_TRUE(contains(
      message_of(Code::kInvalidArgument, [&] { (void)write_clean_table(*files_, c, own); }), own));
  c.path = folder_.file("t.csv");
  c.split.test = 0;
  c.split.test_file = folder_.put("test.csv", "x,note,y\n7,seven,a\n");
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument, split), "test.csv"));
  EXPECT_EQ(rows_of(own).size(), 2U);
  EXPECT_EQ(rows_of(c.split.test_file).size(), 1U);
}

TEST_F(TableFilesTest, AValueToKeepThatNoRowHasIsNamed) {
  TableConfig c = config(20);
  c.keep = {"y", {"a", "bb"}};
  for (const bool is_split : {false, true}) {
    EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                    [&] {
                                      if (is_split) {
                                        (void)write_split_tables(*files_, c, folder_.path());
                                      } else {
                                        (void)write_clean_table(*files_, c, folder_.file("c.csv"));
                                      }
                                    }),
                         "has \"bb\" in column \"y\""));
  }
  EXPECT_FALSE(file_exists(folder_.file("c.csv")));
}

TEST_F(TableFilesTest, AFileOfItsOwnIsItsSplit) {
  TableConfig c = config(20);
  c.split.test = 0;
  c.split.test_file = folder_.put("later.csv", "x,note,y\n7,seven,a\n");
  SplitFiles made = write_split_tables(*files_, c, folder_.file("."));
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{18, 2, 1}));
  EXPECT_EQ(rows_of(folder_.file("test.csv")), (std::multiset<std::string>{"7|seven|a|"}));
  // A split that is gone takes its file with it.
  c.split.test_file.clear();
  made = write_split_tables(*files_, c, folder_.file("."));
  EXPECT_EQ(made.paths[2], "");
  EXPECT_FALSE(file_exists(folder_.file("test.csv")));
}

}  // namespace
}  // namespace ingot::data::table_files_test
