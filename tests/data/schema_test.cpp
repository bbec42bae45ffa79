// SPDX-License-Identifier: Apache-2.0
// Schemas as files that people edit, numbers as cells hold them, and every way in which another
// table can differ from a locked schema.
#include "data/schema.h"

#include <cmath>
#include <limits>

#include "base/config.h"
#include "data/formats/csv.h"
#include "data/temp_folder.h"

namespace ingot::data::schema_test {
namespace {

Schema infer(const std::string& text, const Schema* locked = nullptr) {
  const auto table = open_csv(io::memory_source(text, "f.csv"), CsvKind::kCsv);
  return infer_schema(*table, {}, locked);
}

TEST(Schema, ParsesNumbersAsCellsHoldThem) {
  const std::pair<const char*, double> numbers[] = {{"0", 0},
                                                    {"-0.5", -0.5},
                                                    {"+7", 7},
                                                    {" 12 ", 12},
                                                    {"1e3", 1000},
                                                    {"1E-2", .01},
                                                    {".5", .5},
                                                    {"5.", 5},
                                                    {"0007", 7},
                                                    {"1e400", INFINITY},
                                                    {"-1e400", -INFINITY},
                                                    {"1e-400", 0},
                                                    {"inf", INFINITY},
                                                    {"-Infinity", -INFINITY}};
  for (const auto& [text, value] : numbers) EXPECT_EQ(parse_number(text), value) << text;
  for (const char* text : {"", " ", "nan", "NaN", "1,5", "0x10", "1 2", "+-1", "--1", "1e", "e3",
                           "1.2.3", "12%", "$3", "+", "-", ".", "\xef\xbc\x91"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_number("0.1"), 0.1);
  EXPECT_EQ(parse_number("9007199254740993"), 9007199254740992.0);
}

TEST(Schema, KnowsMissingTexts) {
  const Schema schema;
  for (const char* text : {"", "  ", "NA", " NA ", "N/A", "NaN", "nan", "null", "NULL"}) {
    EXPECT_TRUE(is_missing(text, schema.missing)) << text;
  }
  for (const char* text : {"0", "na", "None", "-"})
    EXPECT_FALSE(is_missing(text, schema.missing)) << text;
}

TEST(Schema, FindsColumns) {
  const Schema schema = infer("age,size\n1,2\n");
  EXPECT_EQ(schema.find("size"), &schema.columns[1]);
  EXPECT_EQ(schema.find("Size"), nullptr);
  EXPECT_EQ(&schema.at("age", "x"), &schema.columns[0]);
  EXPECT_EQ(message_of(Code::kNotFound, [&] { (void)schema.at("aeg", "train: target"); }),
            "train: target: no column \"aeg\". Did you mean \"age\"?");
}

TEST(Schema, YamlKeepsEverything) {
  const Schema schema = infer(
      "n,\"c: #\",t,i,f\n1.5,red,\"good, very good\",a.png,inf\n2,\"\"\"x\"\"\",two words,b.png,3\n"
      "NA,red,\"three \nmore words\",c.png,4\n-1e-7,red,none,d.png,5\n");
  const std::string yaml = schema_to_yaml(schema);
  const Schema again = schema_from_yaml(yaml, "s.yaml");
  EXPECT_EQ(to_yaml(again), to_yaml(schema));
  EXPECT_EQ(schema_to_yaml(again), yaml);
  EXPECT_EQ(again.find("f")->infinite, 1);
  EXPECT_EQ(*again.find("n")->numbers, *schema.find("n")->numbers);
  EXPECT_FALSE(contains(yaml, "null\n")) << "empty entries are not written:\n" << yaml;
}

TEST(Schema, YamlIsEditedByHand) {
  const Schema schema = schema_from_yaml(
      "missing: ['', '?']\ncolumns:\n  - name: age\n    kind: number\n  - {name: label, kind: "
      "category, values: [{value: b}, {value: a}]}\n",
      "s.yaml");
  EXPECT_TRUE(is_missing("?", schema.missing));
  EXPECT_EQ(schema.columns[1].values[0].value, "a") << "categories are sorted";
  const auto refusal = [](const std::string& text, Code code = Code::kInvalidArgument) {
    return message_of(code, [&] { (void)schema_from_yaml(text, "s.yaml"); });
  };
  EXPECT_TRUE(
      contains(refusal("columns: [{name: a, kind: nubmer}]"),
               "s.yaml:1:27: columns.0.kind: expected one of number, category, text, image, "
               "ignore"));
  EXPECT_EQ(refusal("columns: [{name: a}, {name: a}]"),
            "schema: \"s.yaml\" lists the column \"a\" twice");
  EXPECT_EQ(refusal("columns: [{kind: text}]"), "schema: \"s.yaml\": column 1 has no name");
  EXPECT_EQ(refusal("rows: 3"), "schema: \"s.yaml\" lists no columns");
  EXPECT_EQ(refusal("format: 2\ncolumns: [{name: a}]", Code::kUnsupported),
            "schema: \"s.yaml\" has format 2, this program reads 1; infer it again");
}

constexpr const char* kTraining =
    "age,color,note,id\n1,red,a good day,x1\n2,red,a bad day,x2\n3,blue,no day at all,x3\n"
    "4,blue,it was a day,x4\n";

std::vector<std::string> checked(const std::string& table, const SchemaCheck& options = {}) {
  Schema locked = infer(kTraining);
  locked.find("note")->kind = ColumnKind::kText;
  locked.find("id")->kind = ColumnKind::kIgnore;
  return check_schema(locked, infer(table, &locked), "new.csv", options);
}

std::string refusal(const std::string& table, const SchemaCheck& options = {}) {
  return message_of(Code::kInvalidArgument, [&] { (void)checked(table, options); });
}

TEST(CheckSchema, TakesATableOfTheSameKind) {
  EXPECT_TRUE(checked(kTraining).empty());
  EXPECT_TRUE(checked("note,color,age\nnew words,red,2\n").empty())
      << "order and ids do not matter";
}

TEST(CheckSchema, NamesTheColumnAndBothFacts) {
  EXPECT_EQ(refusal("Age,color,note\n1,red,x\n"),
            "schema: \"new.csv\" lacks the column \"age\" (number in the training schema). Did you "
            "mean \"Age\"?");
  EXPECT_EQ(refusal("age,color,note\n1,red,x\nold,red,x\n"),
            "schema: the column \"age\" is number in the training schema but category in "
            "\"new.csv\": 1 of 2 values are no number, the first \"old\" on line 3; if they stand "
            "for a missing value, add them to table.infer.missing, or to missing in the "
            "table.schema file");
  EXPECT_TRUE(contains(refusal("age,color,note\n1,red,x\nold,red,x\n", {{}, false, "s.yaml"}),
                       "file; where its cells are right, set kind: category in s.yaml"));
  EXPECT_EQ(
      refusal("age,color,note\n1,red,x\n1,green,x\n1,green,x\n"),
      "schema: the column \"color\" of \"new.csv\" holds categories that the training schema does "
      "not know (1 new beside 2 known): \"green\" (2 rows)");
  EXPECT_EQ(
      refusal("age,color,note\n1,a,x\n1,b,x\n1,c,x\n1,d,x\n1,e,x\n1,f,x\n1,g,x\n"),
      "schema: the column \"color\" of \"new.csv\" holds categories that the training schema does "
      "not know (7 new beside 2 known): \"a\" (1 rows), \"b\" (1 rows), \"c\" (1 rows), \"d\" (1 "
      "rows), "
      "\"e\" (1 rows), ...");
}

TEST(ColumnChanges, NamesWhatCameWentMovedOrIsOfAnotherKind) {
  const Schema before = infer("a,b,c\n1,2,3\n4,5,6\n");
  const auto changes = [&](const std::string& text) { return column_changes(before, infer(text)); };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(changes("a,b,c\n7,8,9\n"), Texts{});
  EXPECT_EQ(changes("a,d,c\n1,2,3\n"), (Texts{"\"b\" is gone", "\"d\" is new"}));
  EXPECT_EQ(changes("d,a,b,c\n0,1,2,3\n"), Texts{"\"d\" is new"});
  EXPECT_EQ(changes("a,c,b\n1,3,x\n4,6,x\n"),
            (Texts{"\"b\" is category, was number", "the order is another, from \"c\" on"}));
}

TEST(CheckSchema, OptionsLetThrough) {
  SchemaCheck options;
  options.optional = {"color"};
  EXPECT_TRUE(checked("age,note\n1,x\n", options).empty());
  EXPECT_TRUE(contains(refusal("color,note\nred,x\n", options), "lacks the column \"age\""));
  options.new_categories = true;
  EXPECT_TRUE(checked("age,color,note\n1,green,x\n", options).empty());
}

TEST(CheckSchema, WarnsOfWhatCannotBeJudged) {
  EXPECT_EQ(checked("age,color,note,extra\n0,red,x,1\n9,red,x,1\nNA,red,x,1\n"),
            (std::vector<std::string>{"column \"age\": 1 of 3 values are missing, none in training",
                                      "column \"age\": 0 .. 9 reaches beyond 1 .. 4 of training",
                                      "column \"extra\": not in the training schema, not used"}));
  EXPECT_EQ(
      checked("age,color,note\nNA,red,x\n"),
      (std::vector<std::string>{"column \"age\": 1 of 1 values are missing, none in training"}))
      << "a column without any value has no other kind";
}

}  // namespace
}  // namespace ingot::data::schema_test
