// SPDX-License-Identifier: Apache-2.0
// Rows beside examples: the i-th row of a split is the one that the i-th example was made from.
#include "data/split_rows.h"

#include <cstring>

#include "data/temp_folder.h"

namespace ingot::data::split_rows_test {
namespace {

float target_of(const ExampleReader& examples, int64_t row) {
  float value = 0.0F;
  const int64_t offset = examples.layout().find(kTargetField)->offset;
  std::memcpy(&value, examples.row(row).data() + offset, sizeof(value));
  return value;
}

class SplitRowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write("main.csv", 0, 60);
    write("more.csv", 1000, 7);
    config_.path = folder_.file("main.csv");
    config_.target.column = "y";
    FeatureConfig x;
    x.name = "x";
    x.missing = Missing::kDropRow;
    config_.features = {x};
    config_.split.validation = 0.2;
    config_.split.test = 0.2;
  }
  /// y is the row's own number; every seventh row lacks x.
  void write(const std::string& name, int first, int rows) {
    std::string text = "x,y\n";
    for (int i = first; i < first + rows; ++i) {
      text += (i % 7 == 3 ? "" : std::to_string(i * 37 % 100)) + "," + std::to_string(i) + "\n";
    }
    write_atomically(*files_, folder_.file(name), std::string_view(text));
  }
  void check(Split split) {
    (void)make_examples(*files_, config_, folder_.file("data"));
    const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
    const ExampleReader examples(examples_path(folder_.file("data"), split));
    SplitRows rows(config_, features, split);
    std::vector<std::string_view> cells;
    for (int64_t i = 0; i < examples.rows(); ++i) {
      ASSERT_TRUE(rows.next(cells));
      EXPECT_EQ(std::stof(std::string(cells[1])), target_of(examples, i));
      const int64_t number = std::stoll(std::string(cells[1]));
      EXPECT_EQ(rows.line(), number % 1000 + 2);
      EXPECT_TRUE(std::equal(rows.record().begin(), rows.record().end(), examples.row(i).begin(),
                             examples.row(i).end()));
    }
    EXPECT_FALSE(rows.next(cells));
    EXPECT_GT(examples.rows(), 0);
  }
  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = real_files();
  TableConfig config_;
};

TEST_F(SplitRowsTest, FollowTheExamplesOfEverySplit) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) check(split);
}

TEST_F(SplitRowsTest, GoOnInTheFileOfASplit) {
  config_.split.test = 0;
  config_.split.test_file = folder_.file("more.csv");
  check(Split::kTest);
  check(Split::kTrain);
}

}  // namespace
}  // namespace ingot::data::split_rows_test
