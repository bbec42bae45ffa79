// SPDX-License-Identifier: Apache-2.0
// A schema from a table: kinds, figures, options; on published files against NumPy's figures and
// the counts of their SOURCE.md.
#include <cmath>

#include "data/formats/csv.h"
#include "data/formats/real_files.h"
#include "data/schema.h"
#include "data/temp_folder.h"

namespace ingot::data::infer_schema_test {
namespace {

// Rounding of sums over twenty thousand rows.
constexpr double kRounding = 1e-12;

std::unique_ptr<TableReader> table_of(const std::string& text) {
  return open_csv(io::memory_source(text, "f.csv"), CsvKind::kCsv);
}

Schema infer(const std::string& text, const SchemaOptions& options = {},
             const Schema* locked = nullptr) {
  const auto table = table_of(text);
  return infer_schema(*table, options, locked);
}

TEST(InferSchema, LooksAtEveryColumn) {
  const Schema schema = infer("n,c,t\n1,red,one or two\n NA ,red,\"three, four\"\n3,,n/a\n");
  EXPECT_EQ(schema.rows, 3);
  ASSERT_EQ(schema.columns.size(), 3U);
  EXPECT_EQ(schema.columns[0].kind, ColumnKind::kNumber);
  EXPECT_EQ(schema.columns[0].missing, 1);
  EXPECT_EQ(schema.columns[0].numbers->mean, 2);
  EXPECT_EQ(schema.columns[1].kind, ColumnKind::kCategory);
  EXPECT_EQ(schema.columns[1].missing, 1);
  EXPECT_EQ(schema.columns[2].name, "t");
  EXPECT_EQ(schema.columns[2].missing, 0);
}

TEST(InferSchema, RewindsBeforeAndAfter) {
  const auto table = table_of("a,b\n1,x\n2,y\n");
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(infer_schema(*table).rows, 2);
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(cells[0], "1");
}

TEST(InferSchema, OptionsChangeTheResult) {
  SchemaOptions options;
  options.missing = {"?"};
  options.max_rows = 2;
  options.kinds = {{"a", ColumnKind::kCategory}};
  const Schema schema = infer("a,b\n1,?\n2,3\n3,4\n", options);
  EXPECT_EQ(schema.rows, 2);
  EXPECT_EQ(schema.columns[0].values.size(), 2U);
  EXPECT_EQ(schema.columns[1].missing, 1);
  EXPECT_EQ(schema.missing, (std::vector<std::string>{"?"}));
}

TEST(InferSchema, AnEmptyCellMayBeAValue) {
  SchemaOptions options;
  options.missing = {"NA"};
  const Schema schema = infer("a,b\nx,1\n\"\",2\nx,NA\n\"\",3\n", options);
  EXPECT_EQ(schema.columns[0].missing, 0);
  EXPECT_EQ(schema.columns[0].kind, ColumnKind::kCategory);
  EXPECT_EQ(schema.columns[0].values[0].value, "");
  EXPECT_EQ(schema.columns[0].values[0].count, 2);
}

TEST(InferSchema, ALockedSchemaLendsItsKinds) {
  Schema locked = infer("a,b\n1,x\n0,y\n");
  locked.find("a")->kind = ColumnKind::kCategory;
  locked.missing = {"-"};
  const Schema found = infer("a,b,c\n-,x,1\n0,y,2\n", {}, &locked);
  EXPECT_EQ(found.columns[0].kind, ColumnKind::kCategory);
  EXPECT_EQ(found.columns[0].values, (std::vector<CategoryCount>{{"0", 1}}));
  EXPECT_EQ(found.columns[0].missing, 1);
  EXPECT_EQ(found.columns[2].kind, ColumnKind::kNumber);
  SchemaOptions options;
  options.kinds = {{"a", ColumnKind::kText}};
  EXPECT_EQ(infer("a,b\n1,x\n", options, &locked).columns[0].kind, ColumnKind::kText);
}

TEST(InferSchema, RefusesWhatCannotBe) {
  EXPECT_EQ(message_of(Code::kCorruptFile, [] { (void)infer("a,b\n"); }),
            "schema: \"f.csv\" holds no records below its names");
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [] {
                         const auto table = open_csv(io::memory_source("a,b\n1\n1,2,3\n", "f.csv"),
                                                     CsvKind::kCsv, {.ragged = RaggedRows::kSkip});
                         (void)infer_schema(*table);
                       }),
            "schema: all 2 records of \"f.csv\" have another number of cells than its 2 names and "
            "were left out (table.format.ragged=skip); table.format.ragged=error says where the "
            "first stands");
  const auto refusal = [](const SchemaOptions& options) {
    return message_of(Code::kInvalidArgument, [&] { (void)infer("age,b\n1,2\n", options); });
  };
  SchemaOptions options;
  options.kinds = {{"aeg", ColumnKind::kText}};
  EXPECT_EQ(refusal(options),
            "schema: table.infer.kinds names the column \"aeg\", which is not there. Did you mean "
            "\"age\"?");
  options = {};
  options.max_categories = 1;
  EXPECT_EQ(refusal(options), "schema: table.infer.max_categories must be 2 or more, got 1");
  options = {};
  options.sample = 99;
  EXPECT_EQ(refusal(options), "schema: table.infer.sample must lie in 100 .. 10000000, got 99");
  options = {};
  options.max_rows = -1;
  EXPECT_EQ(refusal(options), "schema: table.infer.max_rows must be 0 (all) or more, got -1");
}

// numpy 2.4: v.mean(), v.std(), np.quantile(v, [.01, .05, .25, .5, .75, .95, .99])
TEST(InferSchema, EqualsNumPyOnCaliforniaHousing) {
  INGOT_NEED_DATA(dir);
  const auto table = open_table(dir + "/california_housing/housing.csv.gz");
  const Schema schema = infer_schema(*table);
  EXPECT_EQ(schema.rows, 20640);
  const ColumnSchema& bedrooms = schema.at("total_bedrooms", "test");
  EXPECT_EQ(bedrooms.missing, 207);
  EXPECT_EQ(bedrooms.distinct, 1923);
  EXPECT_TRUE(bedrooms.whole);
  const Distribution& d = *schema.at("median_income", "test").numbers;
  const std::vector<std::pair<double, double>> pairs{{d.min, 0.4999},
                                                     {d.max, 15.0001},
                                                     {d.mean, 3.8706710029069766},
                                                     {d.sd, 1.8997756945748738},
                                                     {d.p01, 1.069631},
                                                     {d.p05, 1.60057},
                                                     {d.p25, 2.5633999999999997},
                                                     {d.p50, 3.5347999999999997},
                                                     {d.p75, 4.74325},
                                                     {d.p95, 7.300305},
                                                     {d.p99, 10.596540000000003}};
  for (const auto& [ours, numpys] : pairs) EXPECT_NEAR(ours, numpys, kRounding * numpys);
  EXPECT_EQ(schema.at("ocean_proximity", "test").values,
            (std::vector<CategoryCount>{{"<1H OCEAN", 9136},
                                        {"INLAND", 6551},
                                        {"ISLAND", 5},
                                        {"NEAR BAY", 2290},
                                        {"NEAR OCEAN", 2658}}));
}

TEST(InferSchema, KindsOfPublishedFiles) {
  INGOT_NEED_DATA(dir);
  const auto schema_of = [&](const std::string& path) {
    const auto table = open_table(dir + "/" + path);
    return infer_schema(*table);
  };
  const Schema machines = schema_of("ai4i2020/ai4i2020.csv.gz");
  EXPECT_EQ(machines.at("UDI", "").kind, ColumnKind::kIgnore);
  EXPECT_EQ(machines.at("Product ID", "").kind, ColumnKind::kIgnore);
  EXPECT_EQ(machines.at("Type", "").kind, ColumnKind::kCategory);
  EXPECT_EQ(machines.at("Torque [Nm]", "").numbers->max, 76.6);
  EXPECT_NEAR(machines.at("Machine_failure", "").numbers->mean, 0.0339, kRounding);
  const Schema houses = schema_of("ames_housing/house.csv.gz");
  EXPECT_EQ(houses.at("Alley", "").missing, 1369);
  EXPECT_EQ(houses.at("PoolQC", "").missing, 1453);
  EXPECT_EQ(houses.at("SalePrice", "").numbers->max, 755000);
  const Schema news = schema_of("ag_news/train_subset5000.csv.gz");
  EXPECT_EQ(news.columns[0].kind, ColumnKind::kText);
  EXPECT_EQ(news.columns[0].words->p50, 37);
  EXPECT_NEAR(news.columns[0].words->mean, 37.991, kRounding * 40);  // len(text.split())
  const Schema chinese = schema_of("chnsenticorp/train.tsv.gz");
  EXPECT_EQ(chinese.at("text_a", "").kind, ColumnKind::kText);
  EXPECT_EQ(chinese.at("text_a", "").characters->max, 1992);
  EXPECT_NEAR(chinese.at("text_a", "").characters->mean, 108.62708333333333, kRounding * 110);
  const Schema retail = schema_of("online_retail/france.csv.gz");
  EXPECT_EQ(retail.at("CustomerID", "").missing, 66);
  EXPECT_EQ(retail.at("InvoiceDate", "").kind, ColumnKind::kIgnore);
  EXPECT_EQ(retail.at("Description", "").kind, ColumnKind::kText);
}

}  // namespace
}  // namespace ingot::data::infer_schema_test
