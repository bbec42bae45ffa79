// SPDX-License-Identifier: Apache-2.0
// The rows that a filter lets through, their lines, the count of the others, and filters that
// cannot be meant.
#include "data/keep_rows.h"

#include "data/temp_folder.h"

namespace ingot::data::keep_rows_test {
namespace {

constexpr const char* kNews =
    "label,text\nSports,a goal\nWorld,a war\n Sci/Tech ,a chip\nSports,a cup\n";

KeptRows rows(KeepConfig config, Met needed = Met::kAll) {
  return {open_table(io::memory_source(kNews, "news.csv"), "news.csv"), std::move(config), needed};
}

/// "line:text" of every row that comes.
std::vector<std::string> read(KeptRows& table) {
  std::vector<std::string> found;
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    found.push_back(std::to_string(table.line()) + ":" + std::string(cells[1]));
  }
  return found;
}

TEST(KeptRows, OnlyTheValuesComeWithTheLinesOfTheFile) {
  KeptRows table = rows({"label", {"Sci/Tech", "Sports"}});
  const std::vector<std::string> want = {"2:a goal", "4:a chip", "5:a cup"};
  EXPECT_EQ(table.columns(), (std::vector<std::string>{"label", "text"}));
  EXPECT_EQ(read(table), want);
  EXPECT_EQ(table.left_out(), 1);
  table.rewind();
  EXPECT_EQ(table.left_out(), 0);
  EXPECT_EQ(read(table), want);
  EXPECT_EQ(table.left_out(), 1);
}

TEST(KeptRows, WithoutAColumnEveryRowComes) {
  KeptRows table = rows({});
  EXPECT_EQ(read(table).size(), 4U);
  EXPECT_EQ(table.left_out(), 0);
}

TEST(KeptRows, StopsBetweenRowsWhenAsked) {
  StopFlag stop;
  KeptRows table(open_table(io::memory_source(kNews, "news.csv"), "news.csv"), {}, Met::kAny,
                 &stop);
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table.next(cells));
  stop.request();
  EXPECT_EQ(message_of(Code::kCancelled, [&] { (void)table.next(cells); }), "stopped by a signal");
}

TEST(KeptRows, AValueThatNoRowHoldsIsNamedWithTheNearest) {
  KeptRows held_out = rows({"label", {"World", "Sport"}}, Met::kAny);
  EXPECT_EQ(read(held_out).size(), 1U) << "a table that may lack a class";
  KeptRows table = rows({"label", {"World", "Sport"}});
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)read(table); }),
            "table.keep: no row of \"news.csv\" has \"Sport\" in column \"label\". Did you mean "
            "\"Sports\"?");
  KeptRows none = rows({"label", {"Sport"}}, Met::kAny);
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)read(none); }),
            "table.keep: no row of \"news.csv\" has \"Sport\" in column \"label\". Did you mean "
            "\"Sports\"?");
}

TEST(KeptRows, AFilterNeedsAColumnAndItsValues) {
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [] {
                         (void)rows({"lable", {"Sports"}});
                       }),
            "table.keep: \"news.csv\" has no column \"lable\". Did you mean \"label\"?");
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [] {
                         (void)rows({"label", {}});
                       }),
            "table.keep: column \"label\" and 0 values: both are needed, for example "
            "table.keep={column: label, values: [a, b]}");
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [] {
                         (void)rows({"", {"Sports"}});
                       }),
            "table.keep: column \"\" and 1 values: both are needed, for example "
            "table.keep={column: label, values: [a, b]}");
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [] {
                         (void)rows({"label", {"a", "a"}});
                       }),
            "table.keep: the value \"a\" is listed twice");
}

}  // namespace
}  // namespace ingot::data::keep_rows_test
