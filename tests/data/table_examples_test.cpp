// SPDX-License-Identifier: Apache-2.0
// A table becomes examples: rows and splits are counted, features are fitted on training rows
// alone, and the encoder gives a row the same bytes later.
#include "data/table_examples.h"

#include <cmath>
#include <cstring>

#include "data/temp_folder.h"

namespace ingot::data {
namespace {

class TableExamplesTest : public ::testing::Test {
 protected:
  static std::string table(int rows) {
    std::string csv = "area,city,price\n";
    for (int i = 0; i < rows; ++i) {
      csv += std::to_string(50 + i) + (i % 2 == 0 ? ",Oslo," : ",Rome,") +
             std::to_string(1000 * (50 + i)) + "\n";
    }
    return csv;
  }
  TableConfig config(const std::string& csv) {
    TableConfig c;
    c.path = folder_.put("houses.csv", csv);
    c.target.column = "price";
    c.target.unit = 1000;
    return c;
  }
  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = real_files();
};

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

TEST_F(TableExamplesTest, WhatIsNotThereIsNamed) {
  TableConfig none;
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, none, folder_.path()); }),
            "table: no file is named. Set table.path=FILE.csv");
  none.path = folder_.put("a.csv", table(5));
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*files_, none, folder_.path()); }),
            "table: nothing to predict is named. Set table.target.column=NAME");
}

}  // namespace
}  // namespace ingot::data
