// SPDX-License-Identifier: Apache-2.0
// Counted by hand, and on AG News, whose sample shares one text with the test file (SOURCE.md).
#include "data/leak_check.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/formats/real_files.h"
#include "data/formats/table.h"

namespace ingot::data::leak_check_test {
namespace {

using Cells = std::vector<std::string_view>;

TEST(LeakCheck, CountsEqualRowsOfDifferentSplits) {
  LeakCheck check;
  check.add(Cells{"1", "a b"}, Split::kTrain, "all.csv", 2);
  check.add(Cells{"1", "a b"}, Split::kTrain, "all.csv", 3);          // twice in one split: no leak
  check.add(Cells{" 1", "a \n\tb\r\n"}, Split::kTest, "all.csv", 4);  // white space does not count
  check.add(Cells{"1", "a b"}, Split::kTest, "more.csv", 9);
  check.add(Cells{"1a b", ""}, Split::kTest, "all.csv", 5);  // other cells, equal text
  check.add(Cells{"1", "ab"}, Split::kTest, "all.csv", 11);
  check.add(Cells{"2", "b"}, Split::kValidation, "all.csv", 6);
  check.add(Cells{"2", "b"}, Split::kTest, "all.csv", 7);
  check.add(Cells{"3", "c"}, Split::kTrain, "all.csv", 8);
  check.add(Cells{"3", "c"}, Split::kValidation, "all.csv", 10);
  const LeakReport report = check.report();
  EXPECT_EQ(report.rows, 10);
  EXPECT_EQ(report.duplicates, 5);
  EXPECT_EQ(report.test_in_train, 2);
  EXPECT_EQ(report.validation_in_train, 1);
  EXPECT_EQ(report.test_in_validation, 1);
  EXPECT_EQ(report.examples,
            (std::vector<std::string>{"all.csv line 7 (test) equals all.csv line 6 (validation)",
                                      "all.csv line 10 (validation) equals all.csv line 8 (train)",
                                      "more.csv line 9 (test) equals all.csv line 2 (train)"}));
  EXPECT_EQ(report.text(),
            "2 test rows and 1 validation rows also train, 1 test rows also validate; first: "
            "all.csv line 7 (test) equals all.csv line 6 (validation)");
  EXPECT_EQ(report.to_json()["test_in_train"], 2);
}

TEST(LeakCheck, SaysWhenThereIsNone) {
  LeakCheck check;
  check.add(Cells{"1"}, Split::kTrain, "t", 1);
  check.add(Cells{"1"}, Split::kTrain, "t", 2);
  check.add(Cells{"2"}, Split::kTest, "t", 3);
  EXPECT_EQ(check.report().text(), "no row of 3 stands in two splits (1 duplicates inside one)");
  EXPECT_EQ(LeakCheck().report().text(),
            "no row of 0 stands in two splits (0 duplicates inside one)");
}

TEST(LeakCheck, ListsFiveExamples) {
  LeakCheck check;
  for (int64_t i = 0; i < 9; ++i) {
    const std::string cell = std::to_string(i);
    check.add(Cells{cell}, Split::kTrain, "t", i + 1);
    check.add(Cells{cell}, Split::kTest, "t", 20 - i);
  }
  const LeakReport report = check.report();
  ASSERT_EQ(report.examples.size(), 5U);
  EXPECT_EQ(report.examples[0], "t line 12 (test) equals t line 9 (train)") << "by line";
  EXPECT_EQ(report.test_in_train, 9);
}

TEST(LeakCheck, SaysTheSameWhenItSpills) {
  LeakCheck here, there({256, ""});  // 16 rows of it in memory
  for (int64_t i = 0; i < 3000; ++i) {
    const std::string cell = std::to_string(i * i % 1009);
    const auto split = static_cast<Split>(i % 7 % 3);
    for (LeakCheck* check : {&here, &there}) check->add(Cells{cell}, split, "t", i + 2);
  }
  const LeakReport report = here.report();
  EXPECT_GT(report.test_in_train, 0);
  EXPECT_EQ(there.report().to_json(), report.to_json());
}

TEST(LeakCheck, TablesBeyondThoseItKnowsAreCountedWithoutAName) {
  LeakCheck check;
  constexpr int64_t kTables = 16'390;
  for (int64_t i = 0; i < kTables; ++i) {
    const std::string cell = std::to_string(i);
    check.add(Cells{cell}, Split::kTrain, "table " + cell, 1);
  }
  check.add(Cells{"7"}, Split::kTest, "one too many", 3);
  const LeakReport report = check.report();
  EXPECT_EQ(report.rows, kTables + 1);
  EXPECT_EQ(report.test_in_train, 1);
  EXPECT_EQ(report.examples[0], "another file line 3 (test) equals table 7 line 1 (train)");
}

TEST(LeakCheck, FindsTheTextThatAgNewsSharesWithItsTestFile) {
  INGOT_NEED_DATA(data);
  TableFormat format;
  format.header = HeaderRow::kNo;
  LeakCheck check;
  std::vector<std::string_view> cells;
  const auto train = open_table(data + "/ag_news/train_subset5000.csv.gz", format);
  while (train->next(cells)) check.add(Cells{cells[0]}, Split::kTrain, "train", train->line());
  const auto test = open_table(data + "/ag_news/test.csv.gz", format);
  while (test->next(cells)) {
    const std::string text = std::string(cells[1]) + " " + std::string(cells[2]);
    check.add(Cells{text}, Split::kTest, "test", test->line());
  }
  const LeakReport report = check.report();
  EXPECT_EQ(report.rows, 12600);
  EXPECT_EQ(report.test_in_train, 1);
}

}  // namespace
}  // namespace ingot::data::leak_check_test
