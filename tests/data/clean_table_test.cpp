// SPDX-License-Identifier: Apache-2.0
// Rows are left out under the first reason that holds, counted, and the same in every pass.
#include "data/clean_table.h"

#include <nlohmann/json.hpp>

#include "data/schema.h"
#include "data/temp_folder.h"
#include "io/byte_source.h"

namespace ingot::data::clean_table_test {
namespace {

constexpr const char* kPeople =
    "name,age,city\n"
    "Ann,30,Oslo\n"    // line 2
    "Bob,340,Oslo\n"   // above 120
    "Cid,,Rome\n"      // no age
    "Ann,30,Oslo\n"    // equals line 2
    "Dan,NA,\n"        // two of three without a value
    "Eve,-1,Rome\n"    // below 0
    "Fay,old,Rome\n";  // no number: not of the range's business

std::unique_ptr<CleanTable> open(const TableCleanConfig& config) {
  return std::make_unique<CleanTable>(
      open_table(io::memory_source(kPeople, "people.csv"), "people.csv"), config,
      default_missing());
}

std::string names(TableReader& table) {
  std::string all;
  std::vector<std::string_view> cells;
  while (table.next(cells)) all += std::string(cells[0]) + " ";
  return all;
}

TEST(CleanTable, DefaultsLeaveNothingOut) {
  EXPECT_FALSE(cleans({}));
  const auto table = open({});
  EXPECT_EQ(names(*table), "Ann Bob Cid Ann Dan Eve Fay ");
  EXPECT_EQ(table->counts().kept(), 7);
}

TEST(CleanTable, EveryReasonCountsItsRows) {
  TableCleanConfig config;
  config.duplicates = Duplicates::kDrop;
  config.max_missing = 0.5;
  config.ranges = {{"age", 0.0, 120.0}};
  EXPECT_TRUE(cleans(config));
  const auto table = open(config);
  for (int pass = 0; pass < 2; ++pass) {  // rewind forgets what was seen
    EXPECT_EQ(names(*table), "Ann Cid Fay ");
    const CleanCounts& counts = table->counts();
    EXPECT_EQ(counts.rows, 7);
    EXPECT_EQ(counts.missing, 1);
    EXPECT_EQ(counts.range, 2);
    EXPECT_EQ(counts.duplicates, 1);
    EXPECT_EQ(counts.examples[0], "line 3: age is 340, above 120");
    EXPECT_EQ(counts.examples[1], "line 5: equals an earlier row");
    EXPECT_EQ(counts.examples[2], "line 6: 2 of 3 cells have no value");
    EXPECT_EQ(counts.text(),
              "3 of 7 rows stay; 1 lack too many values; 2 hold a number out of range; 1 equal an "
              "earlier row (line 3: age is 340, above 120)");
    EXPECT_EQ(counts.to_json()["kept"], 3);
    table->rewind();
  }
}

TEST(CleanTable, ATableOfWhichNoRowStaysSaysWhichKeysLeaveThemOut) {
  TableCleanConfig config;
  config.ranges = {{"age", 400.0, std::nullopt}};
  config.required = {"age"};
  // Fay's age is no number, which a range lets pass.
  EXPECT_EQ(names(*open(config)), "Fay ");
  const auto refusal = [](const std::string& csv, const TableCleanConfig& clean) {
    CleanTable rows(open_table(io::memory_source(csv, "f.csv"), "f.csv"), clean, default_missing());
    return message_of(Code::kInvalidArgument, [&] { (void)names(rows); });
  };
  EXPECT_EQ(refusal("name,age\nAnn,30\nBob,\nCid,31\n", config),
            "clean: \"f.csv\": 0 of 3 rows stay; 1 lack a value that is required; 2 hold a number "
            "out of range (line 2: age is 30, below 400); table.clean.required=[] and "
            "table.clean.ranges=[] keep them");
  config.ranges.clear();
  EXPECT_EQ(refusal("name,age\nAnn,\nBob,NA\n", config),
            "clean: \"f.csv\": 0 of 2 rows stay; 2 lack a value that is required (line 2: no "
            "age); table.clean.required=[] keeps them");
  CleanTable none(open_table(io::memory_source("name,age\n", "f.csv"), "f.csv"), config,
                  default_missing());
  EXPECT_EQ(names(none), "");
}

TEST(CleanTable, DuplicatesAreTheSameWhenTheySpill) {
  std::string csv = "x,y\n";
  for (int64_t i = 0; i < 2000; ++i) {
    csv += std::to_string(i * i % 499) + "," + (i % 3 == 0 ? "" : "b") + "\n";
  }
  TableCleanConfig config;
  config.duplicates = Duplicates::kDrop;
  config.required = {"y"};
  const auto kept = [&](const SortSpace& space) {
    CleanTable table(open_table(io::memory_source(csv, "t.csv"), "t.csv"), config,
                     default_missing(), space);
    std::string rows;
    std::vector<std::string_view> cells;
    for (int pass = 0; pass < 2; ++pass) {
      while (table.next(cells))
        rows += std::string(cells[0]) + "@" + std::to_string(table.line()) + " ";
      rows += table.counts().text() + "\n";
      table.rewind();
    }
    return rows;
  };
  const std::string rows = kept({});
  EXPECT_EQ(kept({128, ""}), rows);  // 8 rows in memory
  EXPECT_TRUE(contains(rows,
                       "250 of 2,000 rows stay; 667 lack a value that is required; 1,083 equal "
                       "an earlier row"))
      << rows;
}

TEST(CleanTable, ARequiredValueMustBeThere) {
  TableCleanConfig config;
  config.required = {"age"};
  const auto table = open(config);
  EXPECT_EQ(names(*table), "Ann Bob Ann Eve Fay ");
  EXPECT_EQ(table->counts().required, 2);
}

TEST(CleanTable, WhatCannotBeIsNamed) {
  TableCleanConfig config;
  config.required = {"agee"};
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)open(config); }),
            "clean: table.clean.required names the column \"agee\", which \"people.csv\" does not "
            "have. Did "
            "you mean \"age\"?");
  config.required.clear();
  config.ranges = {{"age", 5.0, 1.0}};
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)open(config); }),
            "clean: the range of \"age\" in table.clean.ranges goes from 5 down to 1");
  config.ranges = {{"age", std::nullopt, std::nullopt}};
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)open(config); }),
            "clean: the range of \"age\" in table.clean.ranges has neither low nor high");
  config.ranges.clear();
  config.max_missing = 2;
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)open(config); }),
            "clean: table.clean.max_missing is 2, it must be in [0, 1]; 1 keeps every row");
}

}  // namespace
}  // namespace ingot::data::clean_table_test
