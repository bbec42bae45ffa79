// SPDX-License-Identifier: Apache-2.0
// Categories that a set does not know: found while rows are encoded, counted and named.
#include "data/transforms/unseen.h"

#include "data/temp_folder.h"
#include "data/transforms/feature_set.h"
#include "data/transforms/samples.h"

namespace ingot::data::unseen_test {
namespace {

using Texts = std::vector<std::string>;

/// What is said of `rows` behind a header by a set that was fitted on Oslo, Rome and red.
Texts notes_of(const std::string& rows, const std::vector<FeatureConfig>& configs = {}) {
  const Schema schema = samples::schema_of({{"city", ColumnKind::kCategory},
                                            {"colour", ColumnKind::kCategory},
                                            {"age", ColumnKind::kNumber}});
  FeatureSet set(schema, configs, {});
  (void)set.fit(*samples::table_of("city,colour,age\nOslo,red,1\nRome,red,2\n"));
  const auto table = samples::table_of("city,colour,age\n" + rows, "new.csv");
  const ColumnMap map = set.map_columns(table->columns(), table->name(), false);
  Record record = set.make_record();
  UnseenCategories unseen;
  std::vector<std::string_view> cells;
  while (table->next(cells)) {
    if (!set.encode(cells, map, table->line(), record)) continue;
    unseen.add(record.unseen, table->name(), table->line());
  }
  return unseen.notes();
}

TEST(UnseenCategories, KnownOnesAndMissingOnesAreNone) {
  EXPECT_EQ(notes_of("Oslo,red,1\n Rome ,,7\n"), Texts());
}

TEST(UnseenCategories, AreCountedByColumnWithTheFirst) {
  FeatureConfig colour;
  colour.name = "colour";
  colour.unknown = Unknown::kBucket;
  EXPECT_EQ(notes_of("Oslo,blue,1\nOlso,green,2\nRome,red,3\nRoma,blue,4\n", {colour}),
            (Texts{"column \"city\": 2 values are no category that the model knows, the first "
                   "\"Olso\" (new.csv, line 3); taken by unknown=zero",
                   "column \"colour\": 3 values are no category that the model knows, the first "
                   "\"blue\" (new.csv, line 2); taken by unknown=bucket"}));
}

TEST(UnseenCategories, RowsThatAreLeftOutDoNotCount) {
  FeatureConfig age;
  age.name = "age";
  age.missing = Missing::kDropRow;
  EXPECT_EQ(notes_of("Olso,red,\n", {age}), Texts());
}

TEST(UnseenCategories, ARowOfARequestHasNoLine) {
  FeatureConfig column;
  column.name = "city";
  const UnseenCell cell{&column, " Olso\n"};
  UnseenCategories unseen;
  unseen.add({&cell, 1}, "serve", 0);
  EXPECT_EQ(unseen.notes(),
            Texts{"column \"city\": 1 values are no category that the model knows, the first "
                  "\"Olso\" (serve); taken by unknown=zero"});
}

}  // namespace
}  // namespace ingot::data::unseen_test
