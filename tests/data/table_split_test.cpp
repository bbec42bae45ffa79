// SPDX-License-Identifier: Apache-2.0
// Counts by the rule of the header, worked out by hand, and the properties each method promises.
#include "data/table_split.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/transforms/samples.h"

namespace ingot::data::table_split_test {
namespace {

using ::ingot::testing::message_of;
using samples::table_of;
using Counts = std::array<int64_t, kSplits>;

TableSplitConfig shares(double validation, double test, SplitMethod method = SplitMethod::kRandom,
                        const std::string& column = "") {
  TableSplitConfig config;
  config.method = method;
  config.column = column;
  config.validation = validation;
  config.test = test;
  return config;
}

std::string rows_of(int64_t n) {
  std::string text = "c\n";
  for (int64_t i = 0; i < n; ++i) text += std::to_string(i) + "\n";
  return text;
}

std::vector<Split> listed(const TableSplit& split) {
  std::vector<Split> rows;
  for (int64_t row = 0; row < split.rows.size(); ++row) rows.push_back(split.at(row));
  return rows;
}

/// One row per value.
std::string column_of(const std::vector<std::string>& values) {
  std::string text = "id,c\n";
  for (size_t i = 0; i < values.size(); ++i) text += std::to_string(i) + "," + values[i] + "\n";
  return text;
}

TEST(TableSplit, RandomCountsAreExact) {
  // rows, validation, test -> train, validation, test
  struct Case {
    int64_t rows;
    double validation, test;
    Counts counts;
  };
  for (const Case& c :
       {Case{100, 0.1, 0.2, {70, 10, 20}}, Case{105, 0.1, 0.1, {83, 11, 11}},
        Case{5, 0.1, 0.1, {3, 1, 1}}, Case{3, 0.4, 0.5, {1, 1, 1}}, Case{3, 0.0, 0.99, {1, 0, 2}},
        Case{10, 0, 0, {10, 0, 0}}, Case{1, 0, 0, {1, 0, 0}}}) {
    const TableSplit split = split_table(*table_of(rows_of(c.rows)), shares(c.validation, c.test));
    EXPECT_EQ(split.counts, c.counts) << c.rows;
    const std::vector<Split> rows = listed(split);
    EXPECT_EQ(static_cast<int64_t>(rows.size()), c.rows);
    EXPECT_EQ(std::count(rows.begin(), rows.end(), Split::kTest), c.counts[2]);
  }
}

TEST(TableSplit, RandomRepeatsAndDependsOnTheSeed) {
  TableSplitConfig config = shares(0.1, 0.2);
  const auto table = table_of(rows_of(1000));
  const TableSplit first = split_table(*table, config);
  EXPECT_TRUE(split_table(*table, config).rows == first.rows) << "the table is rewound";
  config.seed = 2;
  const TableSplit other = split_table(*table, config);
  EXPECT_FALSE(other.rows == first.rows);
  const std::vector<Split> rows = listed(first);
  // Test rows of two seeds are independent: 40 of 1,000 in common, deviation 5.1; five of them.
  int64_t common = 0;
  for (int64_t row = 0; row < 1000; ++row) {
    common += first.at(row) == Split::kTest && other.at(row) == Split::kTest ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(common), 40, 26);
  // And spread over the table: 50 +- 5 * 5.5 in each quarter.
  for (size_t quarter = 0; quarter < 4; ++quarter) {
    const auto begin = rows.begin() + static_cast<int64_t>(quarter) * 250;
    EXPECT_NEAR(static_cast<double>(std::count(begin, begin + 250, Split::kTest)), 50, 28);
  }
}

std::map<std::string, Counts> counts_by(const TableSplit& split,
                                        const std::vector<std::string>& values) {
  std::map<std::string, Counts> counts;
  for (size_t i = 0; i < values.size(); ++i) {
    counts[values[i]][static_cast<size_t>(split.at(static_cast<int64_t>(i)))] += 1;
  }
  return counts;
}

TEST(TableSplit, StratifiedSharesOutByLargestRemainder) {
  // 10 a, 5 b, 2 c, 1 d. Test round(18 * 0.25) = 5: quotas 2.78, 1.39, 0.56, 0.28; whole parts
  // 2 1 0 0; the two rows left go to a (.78) and c (.56). Validation round(18 * 0.1) = 2:
  // quotas 1.11, 0.56, 0.22, 0.11; whole parts 1 0 0 0; the row left goes to b.
  std::vector<std::string> values;
  for (int i = 0; i < 18; ++i)
    values.emplace_back(i < 10 ? "a" : i < 15 ? "b" : i < 17 ? "c" : "d");
  const TableSplit split =
      split_table(*table_of(column_of(values)), shares(0.1, 0.25, SplitMethod::kStratified), "c");
  EXPECT_EQ(split.counts, (Counts{11, 2, 5}));
  auto counts = counts_by(split, values);
  EXPECT_EQ(counts["a"], (Counts{6, 1, 3}));
  EXPECT_EQ(counts["b"], (Counts{3, 1, 1}));
  EXPECT_EQ(counts["c"], (Counts{1, 0, 1}));
  EXPECT_EQ(counts["d"], (Counts{1, 0, 0})) << "the only row of a class trains";
}

TEST(TableSplit, StratifiedDoesNotDependOnTheOrderOfClasses) {
  std::vector<std::string> values;
  for (int i = 0; i < 60; ++i) values.push_back(std::string(1, static_cast<char>('a' + i % 3)));
  std::vector<std::string> turned(values.begin() + 1, values.end());
  turned.push_back("a");
  const TableSplitConfig config = shares(0.1, 0.15, SplitMethod::kStratified, "c");
  EXPECT_EQ(counts_by(split_table(*table_of(column_of(values)), config), values),
            counts_by(split_table(*table_of(column_of(turned)), config), turned));
}

TEST(TableSplit, StratifiedNeedsClassesWithTwoRows) {
  EXPECT_EQ(
      message_of([] {
        (void)split_table(*table_of(rows_of(10)), shares(0, 0.2, SplitMethod::kStratified, "c"));
      }),
      "split: 10 classes in 10 rows of column \"c\" leave no row to hold out when one of each "
      "class trains; use table.split.method=random, or, where these are numbers and no classes, "
      "table.target.kind=number too");
}

TEST(TableSplit, GroupsNeverStraddle) {
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) values.push_back("user" + std::to_string(i * i % 97));
  const TableSplit split =
      split_table(*table_of(column_of(values)), shares(0.1, 0.2, SplitMethod::kGroup, "c"));
  std::map<std::string, std::set<Split>> splits;
  for (size_t i = 0; i < values.size(); ++i) splits[values[i]].insert(listed(split)[i]);
  for (const auto& [group, in] : splits) EXPECT_EQ(in.size(), 1U) << group;
  EXPECT_EQ(split.groups[0] + split.groups[1] + split.groups[2],
            static_cast<int64_t>(splits.size()));
  // Within half of the largest group, which has 22 rows.
  EXPECT_NEAR(static_cast<double>(split.counts[2]), 200, 11);
  EXPECT_NEAR(static_cast<double>(split.counts[1]), 100, 11);
}

TEST(TableSplit, GroupsLargerThanAShareGoWhole) {
  // 60 + 30 + 10 rows: a test share of 2 rows takes the smallest group.
  std::vector<std::string> values(60, "a");
  values.insert(values.end(), 30, "b");
  values.insert(values.end(), 10, "c");
  const TableSplit split =
      split_table(*table_of(column_of(values)), shares(0, 0.02, SplitMethod::kGroup, "c"));
  EXPECT_EQ(split.counts, (Counts{90, 0, 10}));
  EXPECT_EQ(split.groups, (Counts{2, 0, 1}));
  EXPECT_EQ(message_of([] {
              (void)split_table(*table_of(column_of({"a", "a", "b", "b"})),
                                shares(0.2, 0.2, SplitMethod::kGroup, "c"));
            }),
            "split: column \"c\" holds 2 groups, 3 splits need at least as many; set "
            "table.split.validation=0 and table.split.test=0, or table.split.method=random");
}

TEST(TableSplit, TimeHoldsOutTheLatest) {
  const std::vector<std::string> values{"2024-03-01",          "2024-01-01", "2024-02-01 10:00:00",
                                        "2024-02-01 09:00:00", "2023-12-31", "2024-02-29T00:00"};
  const TableSplit split =
      split_table(*table_of(column_of(values)), shares(0.34, 0.17, SplitMethod::kTime, "c"));
  EXPECT_EQ(split.counts, (Counts{3, 2, 1}));
  EXPECT_EQ(split.at(0), Split::kTest);
  EXPECT_EQ(split.at(5), Split::kValidation);
  EXPECT_EQ(split.at(2), Split::kValidation);
  EXPECT_EQ(split.at(3), Split::kTrain);
}

TEST(TableSplit, ASpaceAndATInTimesAreOne) {
  // By their bytes, 23:00 behind a space stands before 01:00 behind a T.
  const TableSplit split =
      split_table(*table_of(column_of({"2024-12-31 23:00", "2024-12-31T01:00", "2024-12-31T23:00",
                                       "2024-12-31 02:00"})),
                  shares(0.25, 0.5, SplitMethod::kTime, "c"));
  EXPECT_EQ(listed(split),
            (std::vector<Split>{Split::kTest, Split::kTrain, Split::kTest, Split::kValidation}));
}

TEST(TableSplit, IsTheSameWhenItSpills) {
  std::vector<std::string> values;
  for (int i = 0; i < 3000; ++i) values.push_back(std::to_string(i * i % 97));
  const auto table = table_of(column_of(values));
  for (const SplitMethod method :
       {SplitMethod::kStratified, SplitMethod::kGroup, SplitMethod::kTime}) {
    const TableSplitConfig config = shares(0.1, 0.2, method, "c");
    const TableSplit here = split_table(*table, config);
    const TableSplit there = split_table(*table, config, "", {400, ""});
    EXPECT_TRUE(there.rows == here.rows) << enum_name(method);
    EXPECT_EQ(there.groups, here.groups);
  }
}

TEST(TableSplit, TimesAsNumbersAreOrderedByValue) {
  const TableSplit split = split_table(*table_of(column_of({"9", "10", "-1", "2e3"})),
                                       shares(0.25, 0.25, SplitMethod::kTime, "c"));
  EXPECT_EQ(listed(split),
            (std::vector<Split>{Split::kTrain, Split::kValidation, Split::kTrain, Split::kTest}));
}

TEST(TableSplit, RowsOfOneTimeStayTogetherInTheEarlierSplit) {
  // Test 2 rows: the latest time has 1, the one before it 3, which would straddle.
  const TableSplit split =
      split_table(*table_of(column_of({"1", "2", "3", "4", "5", "5", "5", "6"})),
                  shares(0.5, 0.25, SplitMethod::kTime, "c"));
  EXPECT_EQ(split.counts, (Counts{2, 5, 1}));
  EXPECT_EQ(message_of([] {
              (void)split_table(*table_of(column_of({"1", "2", "3", "3", "3"})),
                                shares(0, 0.2, SplitMethod::kTime, "c"));
            }),
            "split: rows of one time of column \"c\" stay together and leave 0 test and 0 "
            "validation rows of 1 and 0 wanted; raise the shares (table.split.validation, "
            "table.split.test) or use table.split.method=random");
}

TEST(TableSplit, RefusesTimesThatAreNone) {
  const auto message = [](const std::vector<std::string>& values) {
    return message_of([&] {
      (void)split_table(*table_of(column_of(values)), shares(0, 0.3, SplitMethod::kTime, "c"));
    });
  };
  EXPECT_EQ(
      message({"2024-01-01", "01/02/2024", "2024-01-03"}),
      "split: column \"c\" (line 3): \"01/02/2024\" is no time; times must be numbers, or ISO "
      "8601 (2024-12-31, 2024-12-31 23:59:59)");
  const std::string longest = "2024-12-31T23:59:59.123456789+02:00";
  EXPECT_TRUE(is_iso_time(longest));
  EXPECT_FALSE(is_iso_time(longest + "0")) << "more than is compared";
  EXPECT_EQ(message({"1", "2", "2024-01-03"}),
            "split: column \"c\" (line 4): \"2024-01-03\" is no time like the number before it; "
            "times must be numbers, or ISO 8601 (2024-12-31, 2024-12-31 23:59:59)");
  EXPECT_EQ(message({"2024-01-03", "1", "2"}),
            "split: column \"c\" (line 3): \"1\" is no time; times must be numbers, or ISO 8601 "
            "(2024-12-31, 2024-12-31 23:59:59)");
}

TEST(TableSplit, NamesWhatIsWrong) {
  const auto message = [](const TableSplitConfig& config) {
    return message_of([&] { (void)split_table(*table_of(rows_of(2)), config); });
  };
  EXPECT_EQ(message(shares(0.1, 0.1)),
            "split: the table has 2 rows, 3 splits need at least as many; add rows, or set "
            "table.split.validation=0 and table.split.test=0");
  EXPECT_EQ(message(shares(0.1, 1)), "split: table.split.test is 1, it must be in [0, 1)");
  EXPECT_EQ(message(shares(-0.5, 0)),
            "split: table.split.validation is -0.5, it must be in [0, 1)");
  EXPECT_EQ(message(shares(0.5, 0.5)),
            "split: table.split.validation=0.5 and table.split.test=0.5 leave nothing to train on");
  EXPECT_EQ(message(shares(0, 0.5, SplitMethod::kGroup)),
            "split: table.split.method=group needs the column of the groups: set "
            "table.split.column=NAME");
  EXPECT_EQ(message(shares(0, 0.5, SplitMethod::kTime)),
            "split: table.split.method=time needs the column of the times: set "
            "table.split.column=NAME");
  EXPECT_EQ(message(shares(0, 0.5, SplitMethod::kStratified)),
            "split: table.split.method=stratified needs the column of the classes: set "
            "table.split.column=NAME or table.target.column=NAME");
  EXPECT_EQ(message(shares(0, 0.5, SplitMethod::kGroup, "cc")),
            "split: \"t.csv\" has no column \"cc\". Did you mean \"c\"?");
  TableSplitConfig files = shares(0, 0.1);
  files.test_file = "test.csv";
  EXPECT_EQ(
      message(files),
      "split: table.split.test=0.1 and table.split.test_file=\"test.csv\" exclude each other; "
      "set table.split.test=0");
  files = shares(0.1, 0);
  files.validation_file = "v.csv";
  EXPECT_EQ(message(files),
            "split: table.split.validation=0.1 and table.split.validation_file=\"v.csv\" exclude "
            "each other; set table.split.validation=0");
}

}  // namespace
}  // namespace ingot::data::table_split_test
