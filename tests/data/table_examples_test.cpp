// SPDX-License-Identifier: Apache-2.0
// A table becomes examples: rows and splits are counted, features are fitted on training rows
// alone, and the encoder gives a row the same bytes later.
#include "data/table_examples.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include "data/house_tables.h"
#include "data/transforms/target_means.h"

namespace ingot::data::table_examples_test {
namespace {

class TableExamplesTest : public HouseTables {};

TEST_F(TableExamplesTest, EveryRowIsInOneSplit) {
  const TableExamples made = make_examples(*files_, config(table(200)), folder_.file("data"));
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{160, 20, 20}));
  EXPECT_EQ(made.fit.rows, 160);
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  EXPECT_EQ(features.table_width(), 3);  // area, city=Oslo, city=Rome
  // Standardised by the training rows: their mean is 0 and their mean square 1.
  const ExampleReader train(examples_path(folder_.file("data"), Split::kTrain));
  double sum = 0.0, squares = 0.0;
  for (int64_t i = 0; i < train.rows(); ++i) {
    const std::span<const std::byte> record = train.row(i);
    float area = 0.0F;
    std::memcpy(&area, record.data(), sizeof(area));
    sum += double{area};
    squares += double{area} * double{area};
  }
  constexpr double kFloat = 1e-5;
  EXPECT_NEAR(sum / 160, 0.0, kFloat);
  EXPECT_NEAR(squares / 160, 1.0, kFloat);
}

TEST_F(TableExamplesTest, FeaturesOfOneValueArePointedOut) {
  const auto warnings = [&](const std::string& cells) {
    std::string csv = "area,city,price\n";
    for (int i = 0; i < 30; ++i) csv += cells + "," + std::to_string(i) + "\n";
    return make_examples(*files_, config(csv), folder_.file("data")).warnings;
  };
  EXPECT_EQ(warnings("5,Oslo"),
            std::vector<std::string>{"every column that is used has one value in all rows: nothing "
                                     "can be learned from them; use others (table.features)"});
  EXPECT_TRUE(make_examples(*files_, config(table(30)), folder_.file("data")).warnings.empty());
}

TEST_F(TableExamplesTest, ARowIsEncodedAlikeLater) {
  (void)make_examples(*files_, config(table(50)), folder_.file("data"));
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  ExampleEncoder encoder(features, {"city", "area"}, "new.csv", false);
  std::vector<std::byte> one(static_cast<size_t>(encoder.layout().record_bytes()));
  const std::vector<std::string_view> cells = {"Oslo", "60"};
  ASSERT_TRUE(encoder.encode(cells, 1, one));
  const ExampleReader train(examples_path(folder_.file("data"), Split::kTrain));
  bool is_found = false;
  for (int64_t i = 0; i < train.rows() && !is_found; ++i) {
    const std::span<const std::byte> record = train.row(i);
    is_found = std::equal(one.begin(), one.end(), record.begin());
  }
  EXPECT_TRUE(is_found);  // row 60 trains under this seed
}

TEST_F(TableExamplesTest, SeparateFilesAreHeldOut) {
  TableConfig c = config(table(20));
  c.split.test_file = folder_.put("later.csv", table(5));
  c.split.test = 0;
  c.split.validation = 0;
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{20, 0, 5}));
  EXPECT_EQ(made.leaks.test_in_train, 5);
}

TEST_F(TableExamplesTest, WhatAHeldOutFileHasAndTrainingHadNotIsSaid) {
  TableConfig c = config(table(20) + "80\n");  // Oslo and Rome
  c.format.ragged = RaggedRows::kSkip;
  c.split.test_file =
      folder_.put("later.csv", "area,city,price\n60,Olso,1\n61,,1\n62\n63,Bonn,1\n");
  c.split.test = c.split.validation = 0;
  const std::string skipped =
      " records have another number of cells and were left out (table.format.ragged=skip)";
  const std::string unseen =
      "column \"city\": 2 values are no category that the model knows, the "
      "first \"Olso\" (" +
      c.split.test_file + ", line 2); taken by unknown=zero";
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.warnings,
            (std::vector<std::string>{"1" + skipped + ": line 22",
                                      c.split.test_file + ": 1" + skipped + ": line 4",
                                      "held-out rows: " + unseen}));
  // The same file judged by the model later.
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  const auto later = open_held_out(c.split.test_file, c);
  EXPECT_EQ(encode_held_out(*files_, *later, features, folder_.file("later.examples")).notes,
            std::vector<std::string>{unseen});
}

// The file of a test split and the same file judged later give the same bytes.
TEST_F(TableExamplesTest, AFileThatIsJudgedLaterIsEncodedAsATestFileIs) {
  TableConfig c = config(table(20));
  c.target.missing = MissingTarget::kDropRow;
  c.split.test_file = folder_.put("later.csv", table(5) + "60,Oslo,\n");
  c.split.test = 0;
  c.split.validation = 0;
  const TableExamples trained = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(trained.rows, (std::array<int64_t, kSplits>{20, 0, 5}));
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  const auto later = open_held_out(c.split.test_file, c);
  const std::string path = folder_.file("later.examples");
  const HeldOutExamples made = encode_held_out(*files_, *later, features, path);
  EXPECT_EQ(made.rows, 5);
  EXPECT_EQ(made.dropped, 1);
  EXPECT_EQ(read_file(path), read_file(examples_path(folder_.file("data"), Split::kTest)));
  const auto unlabelled = open_held_out(folder_.put("new.csv", "area,city\n60,Oslo\n"), c);
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                  [&] {
                                    (void)encode_held_out(*files_, *unlabelled, features,
                                                          folder_.file("new.examples"));
                                  }),
                       "lacks the column price"));
}

/// Ten streets of four houses under encode=target: a row that trains gets the mean of the other
/// parts, a row of another file that of all rows that trained. The scale is taken back.
TEST_F(TableExamplesTest, TheTargetsMeanKnowsWhoTrains) {
  std::string csv = "street,price\n";
  for (int i = 0; i < 40; ++i)
    csv += "s" + std::to_string(i / 4) + "," + std::to_string(1000 * i) + "\n";
  TableConfig c = config(csv);
  c.split.test_file = folder_.put("later.csv", "street,price\ns1,1000\ns40,1000\n");
  c.split.test = c.split.validation = 0;
  c.features = {street_means()};
  (void)make_examples(*files_, c, folder_.file("data"));
  const Json json = parse_json(read_file(folder_.file("data/features.json")), "features.json");
  const Json& scale = json["features"][0]["state"]["target"]["scale"][0];
  const auto first = [&](const ExampleReader& examples, int64_t row) {
    float value = 0.0F;
    std::memcpy(&value, examples.row(row).data(), sizeof(value));
    return double{value} * scale["divisor"].get<double>() + scale["center"].get<double>();
  };
  constexpr double kFloat = 1e-5;
  const ExampleReader train(examples_path(folder_.file("data"), Split::kTrain));
  ASSERT_EQ(train.rows(), 40);
  for (int64_t i = 0; i < 40; ++i) {
    double sum = 0.0, count = 0.0;
    for (int64_t j = i / 4 * 4; j < i / 4 * 4 + 4; ++j) {
      if (fold_of(c.split.seed, j, 5) == fold_of(c.split.seed, i, 5)) continue;
      sum += static_cast<double>(j);
      count += 1.0;
    }
    EXPECT_NEAR(first(train, i), count == 0.0 ? 19.5 : sum / count, kFloat) << i;
  }
  const ExampleReader test(examples_path(folder_.file("data"), Split::kTest));
  EXPECT_NEAR(first(test, 0), 5.5, kFloat) << "the mean of 4 .. 7";
  EXPECT_NEAR(first(test, 1), 19.5, kFloat) << "s40 did not train";
}

/// Where whole groups are held out, a street that is one group says nothing to its own rows.
TEST_F(TableExamplesTest, TheTargetsMeanKeepsGroupsTogether) {
  std::string csv = "street,price\n";
  for (int i = 0; i < 40; ++i)
    csv += "s" + std::to_string(i / 4) + "," + std::to_string(1000 * i) + "\n";
  TableConfig c = config(csv);
  c.features = {street_means()};
  c.split.method = SplitMethod::kGroup;
  c.split.column = "street";
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{32, 4, 4}));
  const ExampleReader train(examples_path(folder_.file("data"), Split::kTrain));
  for (int64_t i = 0; i < train.rows(); ++i) {
    float value = -1.0F;
    std::memcpy(&value, train.row(i).data(), sizeof(value));
    EXPECT_EQ(value, 0.0F) << "the mean of all, as for every row";
  }
}

TEST_F(TableExamplesTest, TheTargetsMeanLooksAtNoLaterRow) {
  std::string csv = "street,day,price\n";
  for (int i = 0; i < 20; ++i) {
    csv += "s" + std::to_string(i % 4) + "," + std::to_string(i) + ",";
    csv += std::to_string(1000 * i) + "\n";
  }
  TableConfig c = config(csv);
  c.features = {street_means()};
  c.split.method = SplitMethod::kTime;
  c.split.column = "day";
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
            "table.features: column \"street\": encode=target would tell a training row the "
            "targets of later rows, which table.split.method=time rules out; set encode: frequency "
            "or index for it in table.features, or table.split.method=random");
  c.features[0].encode = CategoryEncode::kFrequency;
  EXPECT_EQ(make_examples(*files_, c, folder_.file("data")).rows[0], 16);
}

TEST_F(TableExamplesTest, ColumnsThatAStarLeavesOutAreNoWarning) {
  std::string csv = "day,x,y\n";
  for (int i = 0; i < 30; ++i) {
    csv += "," + std::to_string(i % 7) + "," + std::to_string(i) + "\n";
  }
  TableConfig c;
  c.path = folder_.put("star.csv", csv);
  c.target.column = "y";
  FeatureConfig star, x;
  star.name = "*";
  x.name = "x";
  x.smoothing = 2;
  c.features = {star, x};
  const std::vector<std::string> idle = {
      "column \"x\": smoothing only counts under encode: target, here it is one_hot"};
  std::vector<std::string> wanted = idle;
  wanted.emplace_back("column \"day\" is not used: no row has a value");
  EXPECT_EQ(make_examples(*files_, c, folder_.file("data")).warnings, wanted);
  c.features[0].kind = FeatureKind::kIgnore;
  EXPECT_EQ(make_examples(*files_, c, folder_.file("data")).warnings, idle);
}

TEST_F(TableExamplesTest, ColumnsThatAreNamedAndNotUsedArePointedOut) {
  std::string csv = "code,gone,x,y\n";
  for (int i = 0; i < 30; ++i) {
    const std::string n = std::to_string(i);
    csv += (i == 3 ? "?" : n) + ",," + n + "," + n + "\n";
  }
  TableConfig c;
  c.path = folder_.put("named.csv", csv);
  c.target.column = "y";
  FeatureConfig code, gone;
  code.name = "code";
  code.bad_number = BadNumber::kMissing;
  gone.name = "gone";
  c.features = {code, gone};
  EXPECT_EQ(
      make_examples(*files_, c, folder_.file("data")).warnings,
      (std::vector<std::string>{
          "column \"code\" is named in table.features and not used: 1 of 30 values are no "
          "number, the first \"?\" on line 5; if they stand for a missing value, add them to "
          "table.infer.missing, or to missing in the table.schema file; to use it, set {name: "
          "\"code\", kind: number} in table.features, or kind: category or text",
          "column \"gone\" is named in table.features and not used: no row has a value"}));
  c.features[0].kind = FeatureKind::kNumber;
  c.features[1].kind = FeatureKind::kIgnore;
  EXPECT_TRUE(make_examples(*files_, c, folder_.file("data")).warnings.empty());
}

TEST_F(TableExamplesTest, RowsThatAreNotKeptAreInNoTable) {
  TableConfig c = config(table(20));
  c.keep = {"city", {"Oslo"}};
  c.split.test_file = folder_.put("later.csv", table(5));
  c.split.test = 0;
  c.split.validation = 0.2;
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.schema.rows, 10);
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{8, 2, 3}));
  EXPECT_EQ(made.left_out, 12);
  c.keep.values.push_back("Roma");
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
            "table.keep: no row of \"" + c.path +
                "\" has \"Roma\" in column \"city\". Did you mean "
                "\"Rome\"?");
}

TEST_F(TableExamplesTest, RowsWithoutATargetAreCountedApart) {
  TableConfig c = config(table(40) + "7,Oslo,\n8,Rome,NA\n,Oslo,\n,Rome,9000\n");
  c.target.missing = MissingTarget::kDropRow;
  c.features.emplace_back().name = "area";
  c.features[0].missing = Missing::kDropRow;
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  const auto sum = [](const auto& counts) { return counts[0] + counts[1] + counts[2]; };
  EXPECT_EQ(sum(made.rows), 40);
  EXPECT_EQ(sum(made.dropped), 4);
  EXPECT_EQ(sum(made.without_target), 3) << "one of them lacks its area as well";
}

TEST_F(TableExamplesTest, TheEncoderSaysWhyARowIsLeftOut) {
  TableConfig c = config(table(40));
  c.target.missing = MissingTarget::kDropRow;
  c.features.emplace_back().name = "area";
  c.features[0].missing = Missing::kDropRow;
  (void)make_examples(*files_, c, folder_.file("data"));
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  ExampleEncoder encoder(features, {"area", "city", "price"}, "rows", true);
  std::vector<std::byte> record(static_cast<size_t>(encoder.layout().record_bytes()));
  const auto encode = [&](const std::vector<std::string_view>& cells) {
    return encoder.encode(cells, 3, record);
  };
  EXPECT_FALSE(encode({"", "Oslo", ""}));
  EXPECT_TRUE(encoder.lacks_target());
  EXPECT_EQ(encoder.reason(), "the target \"price\" has no value");
  EXPECT_FALSE(encode({"", "Oslo", "9"}));
  EXPECT_FALSE(encoder.lacks_target());
  EXPECT_EQ(encoder.reason(), "column \"area\" has no value");
  EXPECT_TRUE(encode({"60", "Oslo", "9"}));
}

}  // namespace
}  // namespace ingot::data::table_examples_test
