// SPDX-License-Identifier: Apache-2.0
// The streaming figures against exact ones, below and beyond the sizes of their samples.
#include "data/column_profile.h"

#include <algorithm>
#include <cmath>

#include "data/temp_folder.h"

namespace ingot::data::column_profile_test {
namespace {

// Rounding of a sum of a few thousand terms.
constexpr double kRounding = 1e-12;

TEST(RunningDistribution, IsExactBelowTheSample) {
  RunningDistribution running(1000, 0);
  EXPECT_FALSE(running.finish().has_value());
  // 0 .. 100 in some order: every quantile is its own percentage.
  for (int i = 0; i <= 100; ++i) running.add(i * 37 % 101);
  const Distribution d = *running.finish();
  EXPECT_EQ(d.min, 0);
  EXPECT_EQ(d.max, 100);
  EXPECT_EQ(d.mean, 50);
  EXPECT_NEAR(d.sd, std::sqrt(850.0), kRounding * 30);  // (n² - 1) / 12
  EXPECT_NEAR(d.p01, 1, kRounding);
  EXPECT_NEAR(d.p05, 5, kRounding);
  EXPECT_NEAR(d.p25, 25, kRounding);
  EXPECT_NEAR(d.p50, 50, kRounding);
  EXPECT_NEAR(d.p75, 75, kRounding);
  EXPECT_NEAR(d.p95, 95, kRounding * 100);
  EXPECT_NEAR(d.p99, 99, kRounding * 100);
}

TEST(RunningDistribution, InterpolatesAndTakesOneValue) {
  RunningDistribution running(1000, 0);
  running.add(-3);
  EXPECT_EQ(running.finish()->p01, -3);
  EXPECT_EQ(running.finish()->sd, 0);
  running.add(1);
  EXPECT_EQ(running.finish()->p25, -2);
  EXPECT_EQ(running.finish()->p50, -1);
}

TEST(RunningDistribution, BeyondTheSampleQuantilesAreNearAndMomentsExact) {
  constexpr int64_t kValues = 1'000'000;
  RunningDistribution first(10'000, 3), again(10'000, 3);
  for (int64_t i = 0; i < kValues; ++i) {
    const auto value = static_cast<double>(i * 7'919 % kValues);
    first.add(value);
    again.add(value);
  }
  const Distribution d = *first.finish();
  EXPECT_EQ(d, *again.finish()) << "equal streams give equal figures";
  EXPECT_EQ(d.min, 0);
  EXPECT_EQ(d.max, kValues - 1);
  EXPECT_EQ(d.mean, (kValues - 1) / 2.0);
  // The standard error of a quantile's rank is at most 0.5 / √10,000 = 0.5 %; four of them.
  constexpr double kNear = 0.02 * kValues;
  EXPECT_NEAR(d.p01, 0.01 * kValues, kNear);
  EXPECT_NEAR(d.p25, 0.25 * kValues, kNear);
  EXPECT_NEAR(d.p50, 0.50 * kValues, kNear);
  EXPECT_NEAR(d.p95, 0.95 * kValues, kNear);
}

TEST(RunningDistribution, TheMeanKeepsSmallParts) {
  RunningDistribution running(100, 0);
  for (const double value : {1e16, 1.0, 1.0, -1e16}) running.add(value);
  EXPECT_EQ(running.finish()->mean, 0.5);
}

TEST(DistinctCounter, IsExactBelow4096ThenNear) {
  const auto count = [](int64_t distinct) {
    DistinctCounter counter;
    for (int round = 0; round < 3; ++round) {
      for (int64_t i = 0; i < distinct; ++i) counter.add("value " + std::to_string(i));
    }
    return counter.count();
  };
  for (const int64_t n : {0, 1, 2, 1000, 4095}) EXPECT_EQ(count(n), n);
  for (const int64_t n : {4096, 5000, 8192, 100'000}) {
    EXPECT_NEAR(static_cast<double>(count(n)), static_cast<double>(n),
                0.05 * static_cast<double>(n));
  }
}

ColumnSchema column_of(const std::vector<std::string>& values,
                       std::optional<ColumnKind> given = std::nullopt, int64_t max_values = 256) {
  ColumnProfile profile(0, given, max_values, 1000);
  int64_t line = 1;
  for (const std::string& value : values) {
    ++line;
    value.empty() ? profile.add_missing() : profile.add(value, line);
  }
  return profile.finish("c");
}

std::vector<std::string> repeated(const std::vector<std::string>& values, int times) {
  std::vector<std::string> all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), values.begin(), values.end());
  return all;
}

std::vector<std::string> numbered(const std::string& before, int count, const std::string& behind) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(before + std::to_string(i) + behind);
  return all;
}

TEST(ColumnProfile, EveryRuleOfTheHeaderGivesItsKind) {
  EXPECT_EQ(column_of({"", ""}).kind, ColumnKind::kIgnore);
  EXPECT_EQ(column_of({"", ""}).note, "no row has a value");
  EXPECT_EQ(column_of({"1", "", "2.5"}).kind, ColumnKind::kNumber);
  EXPECT_EQ(column_of({"a.png", "b/c.JPG", "d.jpeg", "e.pgm", "F.PPM"}).kind, ColumnKind::kImage);
  EXPECT_NE(column_of({"a.png", "from", "drag"}).kind, ColumnKind::kImage);
  const ColumnSchema pictures = column_of({"P5\n1 1\n255\nx", "P5\n1 1\n255\ny", "a.png"});
  EXPECT_EQ(pictures.kind, ColumnKind::kImage);
  EXPECT_EQ(pictures.distinct, 3);
  EXPECT_NE(column_of({"P5\n1 1\n255\nx", "a word"}).kind, ColumnKind::kImage);
  EXPECT_EQ(column_of(repeated({"red", "green"}, 20)).kind, ColumnKind::kCategory);
  EXPECT_EQ(column_of(numbered("row number ", 30, "")).kind, ColumnKind::kText);
  EXPECT_EQ(column_of(numbered(std::string(40, 'x'), 30, "")).kind, ColumnKind::kText);
  EXPECT_EQ(
      column_of(numbered("\xe6\x88\xbf\xe9\x97\xb4\xe5\xbe\x88\xe5\xa4\xa7\xe5\xa5\xbd", 30, ""))
          .kind,
      ColumnKind::kText);
  EXPECT_EQ(column_of(numbered("2010-01-01 10:", 30, ":00")).kind, ColumnKind::kIgnore);
  EXPECT_EQ(column_of({"a", "b", "c"}).kind, ColumnKind::kCategory);
  EXPECT_EQ(column_of(numbered("id", 1000, "")).kind, ColumnKind::kIgnore);
  EXPECT_EQ(
      column_of(numbered("id", 1000, "")).note,
      "1,000 different short values in 1,000 rows: an identifier, a date or a code; make it a "
      "category or a text if it means something");
}

TEST(ColumnProfile, DatesAndNumbersWithCommasAreLeftOutWithTheReason) {
  const ColumnSchema day = column_of(repeated({"2024-01-31", "2024-02-01", ""}, 20));
  EXPECT_EQ(day.kind, ColumnKind::kIgnore);
  EXPECT_EQ(day.form, CellForm::kTime);
  EXPECT_TRUE(contains(day.note, "table.split.method=time")) << day.note;
  const ColumnSchema price = column_of(repeated({"1,5", "2", "7,25"}, 100));
  EXPECT_EQ(price.kind, ColumnKind::kIgnore);
  EXPECT_EQ(price.form, CellForm::kDecimalComma);
  EXPECT_TRUE(contains(price.note, "the first \"1,5\" on line 2; set table.format.decimal=comma"))
      << price.note;
  EXPECT_EQ(column_of(repeated({"1,234", "2,500"}, 20)).form, CellForm::kThousands);
  // Who says that they are categories is believed.
  const ColumnSchema given = column_of({"2024-01-31", "2024-01-31"}, ColumnKind::kCategory);
  EXPECT_EQ(given.kind, ColumnKind::kCategory);
  EXPECT_EQ(given.note, "one value only");
  // Who says that they are numbers is told why they are not.
  EXPECT_TRUE(contains(column_of({"1,5", "2,5"}, ColumnKind::kNumber).note, "decimal comma"));
}

TEST(ColumnProfile, RowNumbersAreIgnored) {
  EXPECT_EQ(column_of(numbered("", 100, "")).kind, ColumnKind::kIgnore);
  EXPECT_EQ(column_of(numbered("", 100, "")).note, "counts the rows");
  EXPECT_EQ(column_of(numbered("", 99, "")).kind, ColumnKind::kNumber);
  EXPECT_EQ(column_of(numbered("1", 100, "")).kind, ColumnKind::kNumber);
  auto holes = numbered("", 200, "");
  holes[7] = "";
  EXPECT_EQ(column_of(holes).kind, ColumnKind::kNumber);
}

TEST(ColumnProfile, AnEstimateOfDifferentValuesIsNeverAboveTheRows) {
  for (int rows = 5'000; rows <= 12'000; rows += 1'000) {
    EXPECT_LE(column_of(numbered("value ", rows, "")).distinct, rows);
  }
}

TEST(ColumnProfile, NumbersHaveTheirFigures) {
  const ColumnSchema column = column_of({"1", "2", "", "inf", "-3"});
  EXPECT_EQ(column.missing, 1);
  EXPECT_EQ(column.distinct, 4);
  EXPECT_EQ(column.infinite, 1);
  EXPECT_FALSE(column.whole);
  EXPECT_EQ(column.numbers->min, -3);
  EXPECT_EQ(column.numbers->mean, 0);
  EXPECT_TRUE(column_of({"1", "2"}).whole);
  EXPECT_FALSE(column_of({"1", "2.5"}).whole);
  EXPECT_FALSE(column_of({"inf"}).numbers.has_value());
  EXPECT_EQ(column_of({"5", "5"}).note, "one value only");
}

TEST(ColumnProfile, CategoriesAreCountedAndSorted) {
  const ColumnSchema column = column_of({"b", "a", "", "b", "b", "a"});
  EXPECT_EQ(column.kind, ColumnKind::kCategory);
  EXPECT_EQ(column.values, (std::vector<CategoryCount>{{"a", 2}, {"b", 3}}));
  EXPECT_EQ(column_of(repeated(numbered("v", 10, ""), 10), {}, 9).kind, ColumnKind::kIgnore);
  EXPECT_EQ(column_of(repeated(numbered("v", 10, ""), 10), {}, 10).kind, ColumnKind::kCategory);
  EXPECT_EQ(column_of(repeated({std::string(257, 'x')}, 5)).kind, ColumnKind::kText);
}

TEST(ColumnProfile, TextsHaveLengths) {
  const ColumnSchema column = column_of(numbered("caf\xc3\xa9 au  lait ", 30, "!"));
  EXPECT_EQ(column.words->min, 4);
  EXPECT_EQ(column.words->max, 4);
  EXPECT_EQ(column.characters->min, 16);
  EXPECT_EQ(column.characters->max, 17);
}

TEST(ColumnProfile, AGivenKindHoldsWhereItCan) {
  EXPECT_EQ(column_of({"1", "0", "1"}, ColumnKind::kCategory).values,
            (std::vector<CategoryCount>{{"0", 1}, {"1", 2}}));
  EXPECT_EQ(column_of({"1", "0"}, ColumnKind::kText).words->max, 1);
  EXPECT_EQ(column_of({"1", "0"}, ColumnKind::kIgnore).kind, ColumnKind::kIgnore);
  const ColumnSchema column = column_of({"1", "0", "x", "y"}, ColumnKind::kNumber);
  EXPECT_EQ(column.kind, ColumnKind::kCategory);
  EXPECT_EQ(column.note,
            "2 of 4 values are no number, the first \"x\" on line 4; if they stand for a missing "
            "value, add them to table.infer.missing, or to missing in the table.schema file");
  EXPECT_EQ(
      message_of(Code::kInvalidArgument,
                 [] { (void)column_of(numbered("v", 12, ""), ColumnKind::kCategory, 10); }),
      "schema: the column \"c\" is given as category but has more than 10 different values, or "
      "one of more than 256 bytes; make it text or ignore: table.infer.kinds=[{column: \"c\", "
      "kind: "
      "text}]");
}

TEST(ColumnProfile, NearlyNumbersGetANote) {
  auto values = numbered("", 99, ".5");
  values.emplace_back("?");
  EXPECT_TRUE(contains(column_of(values).note,
                       "1 of 100 values are no number, the first \"?\" on "
                       "line 101"));
  // Half of them are enough where the column is of no use as it is, and not where it is one.
  auto half = numbered("1", 30, "");
  for (int i = 0; i < 10; ++i) half.emplace_back("?");
  EXPECT_EQ(column_of(half).kind, ColumnKind::kIgnore);
  EXPECT_EQ(column_of(half).form, CellForm::kNearlyNumber);
  EXPECT_TRUE(contains(column_of(half).note, "10 of 40 values are no number, the first \"?\""));
  EXPECT_EQ(column_of(repeated({"1", "2", "A"}, 10)).kind, ColumnKind::kCategory);
  EXPECT_EQ(column_of(repeated({"1", "2", "A"}, 10)).form, CellForm::kPlain);
  EXPECT_EQ(column_of(repeated({"1", "2", "A"}, 10)).note, "");
  // A text column with a few numbers gets none.
  EXPECT_EQ(column_of(repeated({"red", "green", "7"}, 10)).note, "");
}

}  // namespace
}  // namespace ingot::data::column_profile_test
