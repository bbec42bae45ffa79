// SPDX-License-Identifier: Apache-2.0
// California and Ames housing against scikit-learn (scripts/golden/transforms_golden.py); small
// tables by hand.
#include "data/transforms/feature_set.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/formats/real_files.h"
#include "data/transforms/samples.h"

namespace ingot::data::feature_set_test {
namespace {

using ::ingot::testing::message_of;
using samples::schema_of;
using samples::table_of;
using Kind = ColumnKind;
using Floats = std::vector<float>;

/// float32 rounding of some thousand summed values of size 1, with a margin of ten.
constexpr double kSumTolerance = 1e-3;
/// One rounding to float32.
constexpr double kTolerance = 1e-5;

const char* const kFeatureTable =
    "age,city,note,y\n"  // line 1
    "10,Oslo,a cat,1\n"
    "30,Rome,a dog,2\n"
    ",Oslo,\"a, bird\",3\n"
    "50,Bonn,fish,4\n";

Schema small_schema() {
  return schema_of({{"age", Kind::kNumber},
                    {"city", Kind::kCategory},
                    {"note", Kind::kText},
                    {"y", Kind::kNumber}});
}

std::vector<FeatureConfig> small_configs() {
  std::vector<FeatureConfig> configs(2);
  configs[0].name = "age";
  configs[0].scale = Scale::kMinMax;
  configs[1].name = "note";
  configs[1].text.length = 3;
  return configs;
}

TargetConfig target_y() {
  TargetConfig target;
  target.column = "y";
  return target;
}

/// Fitted on all rows but the last.
FeatureSet small_set() {
  FeatureSet set(small_schema(), small_configs(), target_y());
  const auto table = table_of(kFeatureTable);
  const FitReport report = set.fit(*table, [](int64_t row) { return row < 3; });
  EXPECT_EQ(report.rows, 3);
  EXPECT_EQ(report.dropped, 0);
  EXPECT_TRUE(report.warnings.empty());
  return set;
}

std::vector<Record> encode_all(const FeatureSet& set, TableReader& table) {
  const ColumnMap map = set.map_columns(table.columns(), table.name(), false);
  std::vector<std::string_view> cells;
  std::vector<Record> records;
  table.rewind();
  while (table.next(cells)) {
    records.push_back(set.make_record());
    if (!set.encode(cells, map, table.line(), records.back())) records.pop_back();
  }
  return records;
}

TEST(FeatureSet, MakesBlocksOfTheTrainingRows) {
  const FeatureSet set = small_set();
  ASSERT_EQ(set.blocks().size(), 2U);
  EXPECT_EQ(set.blocks()[0].name, "table");
  EXPECT_EQ(set.blocks()[0].dtype, DType::kF32);
  EXPECT_EQ(set.blocks()[0].shape, Shape{3});
  EXPECT_EQ(set.blocks()[1].name, "note");
  EXPECT_EQ(set.blocks()[1].dtype, DType::kI32);
  EXPECT_EQ(set.blocks()[1].shape, Shape{3});
  EXPECT_EQ(set.blocks()[1].id_limit, 6);  // none, <OOV>, a, cat, dog, bird
  EXPECT_EQ(std::vector<std::string>(set.column_names().begin(), set.column_names().end()),
            (std::vector<std::string>{"age", "city=Oslo", "city=Rome"}));
  const auto records = encode_all(set, *table_of(kFeatureTable));
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].table, (Floats{0, 1, 0}));
  EXPECT_EQ(records[1].table, (Floats{1, 0, 1}));
  EXPECT_EQ(records[2].table, (Floats{0.5F, 1, 0})) << "the median, 20";
  EXPECT_EQ(records[3].table, (Floats{2, 0, 0})) << "Bonn was never seen";
  EXPECT_EQ(records[1].ids[0], (std::vector<int32_t>{0, 2, 4}));
  EXPECT_EQ(records[3].ids[0], (std::vector<int32_t>{0, 0, 1}));
}

TEST(FeatureSet, NeverLooksAtRowsThatAreHeldOut) {
  FeatureSet changed(small_schema(), small_configs(), target_y());
  std::string text = kFeatureTable;
  text.replace(text.find("50,Bonn,fish,4"), 14, "-9e9,Wien,other words,700");
  changed.fit(*table_of(text), [](int64_t row) { return row < 3; });
  EXPECT_EQ(changed.to_json(), small_set().to_json());
}

TEST(FeatureSet, ReadsColumnsInAnyOrderAndIgnoresOthers) {
  const FeatureSet set = small_set();
  const auto records = encode_all(set, *table_of("extra,note,city,age\n?,a cat,Oslo,10\n"));
  EXPECT_EQ(records[0].table, (Floats{0, 1, 0}));
  EXPECT_EQ(records[0].ids[0], (std::vector<int32_t>{0, 2, 3}));
}

TEST(FeatureSet, NamesTheColumnsThatATableLacks) {
  const FeatureSet set = small_set();
  const auto message = [&](const std::vector<std::string>& columns, bool need_target) {
    return message_of([&] { (void)set.map_columns(columns, "new.csv", need_target); });
  };
  EXPECT_EQ(message({"age", "town", "y"}, false),
            "features: \"new.csv\" lacks the columns city, note; it has age, town, y");
  EXPECT_EQ(message({"age", "city", "note"}, true),
            "features: \"new.csv\" lacks the column y; it has age, city, note");
  EXPECT_EQ(message({"age", "city", "note"}, false), "no error");
  EXPECT_EQ(message({}, false),
            "features: \"new.csv\" lacks the columns age, city, note; it has none");
}

TEST(FeatureSet, LeavesOutRowsUnderDropRowForEveryFeature) {
  auto configs = small_configs();
  configs[0].missing = Missing::kDropRow;
  FeatureSet set(small_schema(), configs, target_y());
  const FitReport report = set.fit(*table_of(kFeatureTable));
  EXPECT_EQ(report.rows, 3);
  EXPECT_EQ(report.dropped, 1);
  const auto records = encode_all(set, *table_of(kFeatureTable));
  EXPECT_EQ(records.size(), 3U);
  EXPECT_EQ(set.blocks()[1].id_limit, 6) << "bird, of the row left out, is no word";
}

TEST(FeatureSet, LeavesOutRowsWithoutATarget) {
  TargetConfig target = target_y();
  target.missing = MissingTarget::kDropRow;
  FeatureSet set(schema_of({{"x", Kind::kNumber}, {"y", Kind::kNumber}}), {}, target);
  const FitReport report = set.fit(*table_of("x,y\n1,5\n100,\n3,6\n"));
  EXPECT_EQ(report.rows, 2);
  EXPECT_EQ(report.dropped, 1);
  EXPECT_EQ(encode_all(set, *table_of("x\n2\n"))[0].table, Floats{0}) << "the mean of 1 and 3";
}

TEST(FeatureSet, GivesTheTargetOfARow) {
  const FeatureSet set = small_set();
  ASSERT_NE(set.target(), nullptr);
  EXPECT_FALSE(set.target()->is_class()) << "a column of numbers";
  const auto table = table_of(kFeatureTable);
  const ColumnMap map = set.map_columns(table->columns(), table->name(), true);
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(set.target()->encode_number(set.target_cell(cells, map, table->line())), 1);
}

TEST(FeatureSet, TakesBadNumbersAsMissingWhenAsked) {
  std::vector<FeatureConfig> configs(1);
  configs[0].name = "x";
  configs[0].bad_number = BadNumber::kMissing;
  configs[0].scale = Scale::kNone;
  const Schema schema = schema_of({{"x", Kind::kNumber}});
  FeatureSet set(schema, configs, {});
  set.fit(*table_of("x\n1\nunknown\n5\ninf\n"));
  const auto records = encode_all(set, *table_of("x\n?\n"));
  EXPECT_EQ(records[0].table, Floats{3});
  FeatureSet strict(schema, {}, {});
  EXPECT_EQ(
      message_of([&] { strict.fit(*table_of("x\n1\nunknown\n")); }),
      "features: column \"x\" (line 3): \"unknown\" is no finite number; correct it, leave the "
      "cell empty, or set {name: \"x\", kind: number, bad_number: missing} in table.features");
}

TEST(FeatureSet, OnceLoadedProposesWhatStillWorks) {
  const auto message_of_loaded = [](Schema schema, Missing missing) {
    std::vector<FeatureConfig> configs(1);
    configs[0].name = "x";
    configs[0].missing = missing;
    FeatureSet set(schema, configs, {});
    set.fit(*table_of("x\n1\n5\n"));
    const FeatureSet loaded = FeatureSet::from_json(set.to_json(), "features.json");
    return message_of([&] { (void)encode_all(loaded, *table_of("x\nabc\n")); });
  };
  Schema schema = schema_of({{"x", Kind::kNumber}});
  const std::string bad =
      "features: column \"x\" (line 2): \"abc\" is no finite number; correct it";
  EXPECT_EQ(message_of_loaded(schema, Missing::kAuto),
            bad +
                ", leave the cell empty, or train again with {name: \"x\", kind: number, "
                "bad_number: missing} in table.features");
  EXPECT_EQ(message_of_loaded(schema, Missing::kError),
            bad +
                ", or train again with {name: \"x\", kind: number, bad_number: missing, missing: "
                "median} in table.features")
      << "no cell may be empty";
  schema.missing = {"?", "none"};
  EXPECT_EQ(message_of_loaded(schema, Missing::kAuto),
            bad +
                ", write \"?\" for no value, or train again with {name: \"x\", kind: number, "
                "bad_number: missing} in table.features")
      << "an empty cell would be no number either";
}

TEST(FeatureSet, SaysWhyARowIsLeftOut) {
  std::vector<FeatureConfig> configs(1);
  configs[0].name = "x";
  configs[0].missing = Missing::kDropRow;
  FeatureSet set(schema_of({{"x", Kind::kNumber}}), configs, {});
  const auto table = table_of("x\n1\n\"\"\n");
  set.fit(*table);
  const ColumnMap map = set.map_columns(table->columns(), "t.csv", false);
  Record record = set.make_record();
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  EXPECT_TRUE(set.encode(cells, map, table->line(), record));
  ASSERT_TRUE(table->next(cells));
  EXPECT_FALSE(set.encode(cells, map, table->line(), record));
  EXPECT_EQ(record.scratch.reason, "column \"x\" has no value");
}

TEST(FeatureSet, AStarSetsWhatColumnsStartFrom) {
  std::vector<FeatureConfig> configs(2);
  configs[0].name = "*";
  configs[0].scale = Scale::kNone;
  configs[0].missing = Missing::kMean;
  configs[0].noise = 0.5F;
  configs[1].name = "b";
  FeatureSet set(schema_of({{"a", Kind::kNumber}, {"b", Kind::kNumber}, {"c", Kind::kCategory}}),
                 configs, {});
  set.fit(*table_of("a,b,c\n1,1,u\n5,3,v\n"));
  EXPECT_EQ(set.features()[0]->config().missing, Missing::kMean);
  EXPECT_EQ(set.features()[0]->config().noise, 0.5F);
  EXPECT_EQ(set.features()[1]->config().scale, Scale::kStandard) << "has a config of its own";
  EXPECT_EQ(set.features()[2]->config().missing, Missing::kAuto) << "a mean suits no category";
  EXPECT_EQ(set.features()[2]->config().noise, 0);
}

TEST(FeatureSet, AStarKeepsEveryPolicyThatSuitsTheKind) {
  const Schema schema =
      schema_of({{"a", Kind::kNumber}, {"c", Kind::kCategory}, {"t", Kind::kText}});
  const auto policies = [&](Missing missing, const std::string& value) {
    FeatureConfig all;
    all.name = "*";
    all.missing = missing;
    all.missing_value = value;
    const FeatureSet set(schema, std::vector<FeatureConfig>{all}, {});
    std::vector<Missing> found;
    for (const auto& feature : set.features()) found.push_back(feature->config().missing);
    return found;
  };
  using Policies = std::vector<Missing>;
  constexpr Missing kAuto = Missing::kAuto;
  EXPECT_EQ(policies(Missing::kZero, ""), (Policies{Missing::kZero, Missing::kZero, kAuto}));
  EXPECT_EQ(policies(Missing::kMode, ""), (Policies{Missing::kMode, Missing::kMode, kAuto}));
  EXPECT_EQ(policies(Missing::kValue, "7"),
            (Policies{Missing::kValue, Missing::kValue, Missing::kValue}));
  EXPECT_EQ(policies(Missing::kValue, "none"), (Policies{kAuto, Missing::kValue, Missing::kValue}))
      << "no number";
  EXPECT_EQ(policies(Missing::kOwn, ""), (Policies{kAuto, Missing::kOwn, kAuto}));
  EXPECT_EQ(
      message_of([&] { (void)policies(Missing::kValue, ""); }),
      "table.features: missing=value for \"*\", all columns, needs a missing_value, for example 0");
}

TEST(FeatureSet, MeansOfTheTargetAreForCategories) {
  const Schema schema =
      schema_of({{"a", Kind::kNumber}, {"c", Kind::kCategory}, {"y", Kind::kNumber}});
  TargetConfig target;
  target.column = "y";
  std::vector<FeatureConfig> configs(1);
  configs[0].encode = CategoryEncode::kTarget;
  configs[0].name = "a";
  EXPECT_EQ(
      message_of([&] { (void)FeatureSet(schema, configs, target); }),
      "table.features: column \"a\": encode=target is for categories, its kind is number; set "
      "kind: category for it, or leave encode out");
  configs[0].name = "*";
  const FeatureSet set(schema, configs, target);
  EXPECT_EQ(set.features()[0]->config().encode, CategoryEncode::kOneHot);
  EXPECT_EQ(set.features()[1]->config().encode, CategoryEncode::kTarget);
}

TEST(FeatureSet, AStarMayIgnoreWhatIsNotNamed) {
  std::vector<FeatureConfig> configs(2);
  configs[0].name = "*";
  configs[0].kind = FeatureKind::kIgnore;
  configs[1].name = "b";
  const Schema schema = schema_of({{"a", Kind::kNumber}, {"b", Kind::kNumber}});
  const FeatureSet set(schema, configs, {});
  ASSERT_EQ(set.features().size(), 1U);
  EXPECT_EQ(set.features()[0]->name(), "b");
  configs[0].kind = FeatureKind::kCategory;
  EXPECT_EQ(message_of([&] { (void)FeatureSet(schema, configs, {}); }),
            "table.features: kind=category cannot be set for \"*\", all columns; name the columns, "
            "or set "
            "kind: ignore to use only those that are named");
}

TEST(FeatureSet, GivesIndicesABlockOfIds) {
  std::vector<FeatureConfig> configs(1);
  configs[0].name = "city";
  configs[0].encode = CategoryEncode::kIndex;
  FeatureSet set(schema_of({{"city", Kind::kCategory}}), configs, {});
  set.fit(*table_of("city\nOslo\nRome\n"));
  EXPECT_EQ(set.table_width(), 0);
  ASSERT_EQ(set.blocks().size(), 1U);
  EXPECT_EQ(set.blocks()[0].name, "city");
  EXPECT_EQ(encode_all(set, *table_of("city\nRome\n"))[0].ids[0], std::vector<int32_t>{2});
}

TEST(FeatureSet, AddsNoiseThatRepeats) {
  std::vector<FeatureConfig> configs(1);
  configs[0].name = "x";
  configs[0].noise = 2;
  configs[0].missing_flag = true;
  FeatureSet set(schema_of({{"x", Kind::kNumber}, {"z", Kind::kNumber}}), configs, {});
  set.fit(*table_of("x,z\n1,1\n2,5\n"));
  ASSERT_TRUE(set.has_noise());
  constexpr int kRows = 4000;
  double sum = 0;
  double squares = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    Floats a{1, 0, 3};
    Floats b{1, 0, 3};
    set.add_noise(7, 1, row, a);
    set.add_noise(7, 1, row, b);
    ASSERT_EQ(a, b) << "a pure function of seed, epoch and row";
    ASSERT_EQ(a[1], 0) << "not on the flag";
    ASSERT_EQ(a[2], 3) << "not on another column";
    sum += a[0] - 1;
    squares += (a[0] - 1) * (a[0] - 1);
  }
  // Four standard errors of the mean and of the variance.
  EXPECT_NEAR(sum / kRows, 0, 4 * 2 / std::sqrt(kRows));
  EXPECT_NEAR(squares / kRows, 4, 4 * 4 * std::sqrt(2.0 / kRows));
  Floats next{1, 0, 3};
  Floats other{1, 0, 3};
  set.add_noise(7, 2, 0, next);
  set.add_noise(8, 1, 0, other);
  EXPECT_NE(next, other);
}

TEST(FeatureSet, RefusesConfigsThatFitNoColumn) {
  const Schema schema = small_schema();
  const auto message = [&](const std::vector<std::string>& names, const std::string& target) {
    std::vector<FeatureConfig> configs;
    for (const std::string& name : names) configs.emplace_back().name = name;
    TargetConfig with;
    with.column = target;
    return message_of([&] { FeatureSet(schema, configs, with); });
  };
  EXPECT_EQ(message({"agee"}, "y"),
            "table.features: the table has no column \"agee\". Did you mean \"age\"?");
  EXPECT_EQ(message({"y"}, "y"),
            "table.features: column \"y\" is the target and cannot be a feature");
  EXPECT_EQ(message({"age", "age"}, "y"), "table.features: column \"age\" is configured twice");
  EXPECT_EQ(message({}, "yy"),
            "table.target.column: the table has no column \"yy\". Did you mean \"y\"?");
  EXPECT_EQ(message_of([] {
              FeatureSet(schema_of({{"id", Kind::kIgnore}, {"y", Kind::kNumber}}), {}, target_y());
            }),
            "features: none of 2 columns is a feature; set the kind of one, such as {name: COLUMN, "
            "kind: category} in table.features");
}

TEST(FeatureSet, RefusesToFitOnNothingOrTwiceAndToEncodeUnfitted) {
  FeatureSet set(small_schema(), small_configs(), target_y());
  EXPECT_EQ(message_of([&] { (void)set.make_record(); }),
            "features: not fitted yet; fit on training rows first");
  EXPECT_EQ(message_of([&] { (void)set.to_json(); }),
            "features: not fitted yet; fit on training rows first");
  EXPECT_EQ(message_of([&] { set.fit(*table_of(kFeatureTable), [](int64_t) { return false; }); }),
            "features: no training row to fit on in \"t.csv\" (0 left out for missing values); "
            "check table.split, and missing: drop_row in table.features and table.target");
  FeatureSet twice = small_set();
  EXPECT_EQ(message_of([&] { twice.fit(*table_of(kFeatureTable)); }),
            "features: already fitted; make a new set to fit on other rows");
}

TEST(FeatureSet, ReportsWhatIsWorthAWarning) {
  FeatureSet set(schema_of({{"a", Kind::kNumber}, {"y", Kind::kNumber}}), {}, target_y());
  const FitReport report = set.fit(*table_of("a,y\n3,1\n3,1\n"));
  EXPECT_EQ(report.warnings,
            (std::vector<std::string>{"y: the target is the same in all training rows",
                                      "a: is 3 in all training rows, scaled to 0"}));
}

TEST(FeatureSet, RefusesIdsThatTakeTheNameOfTheTable) {
  std::vector<FeatureConfig> configs(1);
  configs[0].name = "table";
  FeatureSet set(schema_of({{"a", Kind::kNumber}, {"table", Kind::kText}}), configs, {});
  EXPECT_EQ(
      message_of([&] { set.fit(*table_of("a,table\n1,two words\n2,more words\n")); }),
      "features: a column of ids or pictures may not be named \"table\", the name of the block "
      "of numbers; rename the column");
}

TEST(FeatureSet, RealTablesEqualScikitLearn) {
  INGOT_NEED_DATA(data);
  const Json golden = samples::golden("transforms.json")["tables"];
  for (const Json& item : golden) {
    SCOPED_TRACE(item["path"].get<std::string>());
    Schema schema;
    for (const auto& [name, kind] : item["kinds"].items()) {
      schema.columns.emplace_back().name = name;
      schema.columns.back().kind = parse_enum<Kind>(kind.get<std::string>(), "kind");
    }
    FeatureSet set(schema, {}, {});
    const auto table = open_table(data + "/" + item["path"].get<std::string>());
    set.fit(*table, [](int64_t row) { return row % 5 != 0; });
    const auto names = item["columns"].get<std::vector<std::string>>();
    ASSERT_EQ(std::vector<std::string>(set.column_names().begin(), set.column_names().end()),
              names);

    const ColumnMap map = set.map_columns(table->columns(), table->name(), false);
    Record record = set.make_record();
    std::vector<double> sums(names.size());
    std::vector<double> squares(names.size());
    std::vector<std::string_view> cells;
    int64_t rows = 0;
    for (; table->next(cells); ++rows) {
      if (rows % 5 != 0) continue;
      ASSERT_TRUE(set.encode(cells, map, table->line(), record));
      for (size_t i = 0; i < names.size(); ++i) {
        const auto x = static_cast<double>(record.table[i]);
        sums[i] += x;
        squares[i] += x * x;
        if (rows / 5 >= 3) continue;
        const double expected = item["first"][static_cast<size_t>(rows / 5)][i].get<double>();
        EXPECT_NEAR(x, expected, kTolerance * std::max(1.0, std::abs(expected))) << names[i];
      }
    }
    EXPECT_EQ(rows, item["rows"].get<int64_t>());
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_NEAR(sums[i], item["sums"][i].get<double>(), kSumTolerance) << names[i];
      EXPECT_NEAR(squares[i], item["squares"][i].get<double>(), kSumTolerance * 10) << names[i];
    }
  }
}

}  // namespace
}  // namespace ingot::data::feature_set_test
