// SPDX-License-Identifier: Apache-2.0
// What no examples are made of, each named with its key and what is there; nothing is left of a
// pass that fails.
#include "data/house_tables.h"

namespace ingot::data::table_refused_test {
namespace {

class TableRefused : public HouseTables {};

TEST_F(TableRefused, NothingIsLeftOfAPassThatFails) {
  TableConfig c = config(table(50));
  c.split.test = 0;
  c.split.test_file = folder_.put("later.csv", "area,city,price\n60,Oslo,dear\n");
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                  [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
                       "dear"));
  EXPECT_EQ(files_->list(folder_.file("data")), std::vector<std::string>{});
}

TEST_F(TableRefused, AClassNeverSeenInTrainingIsNamed) {
  const auto batch = [](char label, int count) {
    std::string file;
    for (int i = 0; i < count; ++i) {
      file += static_cast<char>(label == 2 ? 2 : i % 2);
      file += std::string(3072, static_cast<char>(i));
    }
    return file;
  };
  TableConfig c;
  c.path = folder_.put("train.bin", batch(0, 6));
  c.split.test_file = folder_.put("test.bin", batch(2, 1));
  c.split.test = c.split.validation = 0;
  c.target.column = "class";
  c.target.kind = TargetKind::kClass;
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
            "target \"class\" (line 1 of \"" + c.split.test_file +
                "\"): the label \"2\" was never seen in training. Known: 0, 1. Correct it or leave "
                "the row out");
}

TEST_F(TableRefused, AClassThatTheSplitHoldsOutIsTrainedWhenStratified) {
  std::string csv = "x,label\n";
  for (int i = 0; i < 20; ++i) csv += std::to_string(i) + (i % 2 == 0 ? ",no\n" : ",yes\n");
  csv += "20,maybe\n";
  TableConfig c;
  c.path = folder_.put("rare.csv", csv);
  c.split.method = SplitMethod::kTime;  // the last row is held out
  c.split.column = "x";
  c.split.validation = 0;
  c.target.column = "label";
  EXPECT_EQ(
      message_of(Code::kInvalidArgument,
                 [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
      "target \"label\" (line 22 of \"" + c.path +
          "\"): the label \"maybe\" was never seen in training. Known: no, yes. Set "
          "table.split.method=stratified, which trains on every class, or correct it or leave "
          "the row out");
  c.split.method = SplitMethod::kStratified;
  c.split.column.clear();
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.rows[0] + made.rows[2], 21);
}

TEST_F(TableRefused, ATargetWithoutAnyValueIsNoTarget) {
  TableConfig c;
  c.path = folder_.put("gone.csv", "x,z,y\n1,5,\n2,6,NA\n3,4,\n");
  c.target.column = "y";
  for (const MissingTarget missing : {MissingTarget::kError, MissingTarget::kDropRow}) {
    c.target.missing = missing;
    EXPECT_EQ(message_of(Code::kInvalidArgument,
                         [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
              "target \"y\": no row of \"" + c.path +
                  "\" has a value; name another column: table.target.column=NAME");
  }
}

TEST_F(TableRefused, NumbersThatAreNotReadAsSuchAreNoClasses) {
  const auto refusal = [&](const std::string& first, const std::string& second) {
    std::string csv = "area;price\n";
    for (int i = 0; i < 30; ++i) {
      csv += std::to_string(i) + ";" + (i % 6 == 0 ? first : std::to_string(i) + second) + "\n";
    }
    TableConfig c = config(csv);
    c.target.unit = 1;
    return message_of(Code::kInvalidArgument,
                      [&] { (void)make_examples(*files_, c, folder_.file("data")); });
  };
  EXPECT_EQ(
      refusal("7", ",5"),
      "target \"price\" is no number: numbers with a decimal comma, the first \"1,5\" on line "
      "3; set table.format.decimal=comma; where its cells are classes, set "
      "table.target.kind=class");
  EXPECT_EQ(
      refusal("?", ""),
      "target \"price\" is no number: 5 of 30 values are no number, the first \"?\" on line 2; "
      "if they stand for a missing value, add them to table.infer.missing, or to missing in "
      "the table.schema file; where its cells are classes, set table.target.kind=class");
}

TEST_F(TableRefused, AColumnOfIdsMayNotTakeTheNameOfTheTarget) {
  std::string csv = "target,price\n";
  for (int i = 0; i < 20; ++i)
    csv += "some words of it " + std::to_string(i) + "," + std::to_string(i) + "\n";
  const TableConfig c = config(csv);
  EXPECT_EQ(
      message_of(Code::kInvalidArgument,
                 [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
      "examples: the column \"target\" may not be named so beside the target \"price\", whose "
      "field has that name; rename the column");
}

TEST_F(TableRefused, WhatIsNotThereIsNamed) {
  TableConfig none;
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, none, folder_.path()); }),
            "table: no file is named. Set table.path=FILE.csv");
  none.path = folder_.put("a.csv", table(5));
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, none, folder_.path()); }),
            "table: nothing to predict is named. Set table.target.column=NAME");
}

TEST_F(TableRefused, AFileThatIsNotThereIsNamedWithItsKey) {
  const TableConfig good = config(table(20));
  const auto refusal = [&](const TableConfig& c) {
    return message_of(Code::kNotFound,
                      [&] { (void)make_examples(*files_, c, folder_.file("data")); });
  };
  const std::string missing = folder_.file("hoses.csv");
  const std::string end =
      " is \"" + missing + "\", which is not there. Did you mean \"" + good.path + "\"?";
  TableConfig c = good;
  c.path = missing;
  EXPECT_EQ(refusal(c), "table: table.path" + end);
  EXPECT_EQ(message_of(Code::kNotFound, [&] { (void)open_clean_table(c); }),
            "table: table.path" + end);
  c = good;
  c.split.test_file = missing;
  EXPECT_EQ(refusal(c), "table: table.split.test_file" + end);
  EXPECT_EQ(message_of(Code::kNotFound, [&] { (void)open_held_out(missing, c); }),
            "table: table.split.test_file" + end);
  c = good;
  c.split.validation_file = missing;
  EXPECT_EQ(refusal(c), "table: table.split.validation_file" + end);
  c = good;
  (void)folder_.put("houses.schema.yaml", "columns: []");
  c.schema = folder_.file("house.schema.yaml");
  EXPECT_EQ(refusal(c), "table: table.schema is \"" + c.schema +
                            "\", which is not there. Did you mean \"" +
                            folder_.file("houses.schema.yaml") + "\"?");
}

/// The run would go on with another schema than it began with.
TEST_F(TableRefused, TheSchemaThatIsWrittenOverIsNotTheOneThatIsRead) {
  TableConfig c = config(table(50));
  (void)make_examples(*files_, c, folder_.file("data"));
  const std::string own = folder_.file("data/schema.yaml"), text = read_file(own, 1 << 20);
  for (const char* const name : {"data/schema.yaml", "data/../data/schema.yaml"}) {
    c.schema = folder_.file(name);
    EXPECT_EQ(message_of(Code::kInvalidArgument,
                         [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
              "table: table.schema is \"" + c.schema +
                  "\", which is written over here. Copy it to another place and name that, for "
                  "example table.schema=mine.schema.yaml");
  }
  EXPECT_EQ(read_file(own, 1 << 20), text);
  c.schema = folder_.put("mine.schema.yaml", text);
  EXPECT_EQ(make_examples(*files_, c, folder_.file("data")).rows[0], 40);
}

}  // namespace
}  // namespace ingot::data::table_refused_test
