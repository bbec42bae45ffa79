// SPDX-License-Identifier: Apache-2.0
// Rows beside examples: the i-th row of a split is the one that the i-th example was made from, and
// a row of another table is told from it.
#include "data/split_rows.h"

#include <algorithm>
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
      EXPECT_TRUE(rows.is_same(examples.row(i))) << i;
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

/// What a training row was given under encode=target cannot be had again from a stored set.
class SplitRowsOfMeansTest : public SplitRowsTest {
 protected:
  void SetUp() override {
    SplitRowsTest::SetUp();
    write_towns("");
    config_.target.kind = TargetKind::kNumber;
    FeatureConfig town;
    town.name = "town";
    town.encode = CategoryEncode::kTarget;
    town.smoothing = 1;
    FeatureConfig z;
    z.name = "z";
    z.kind = FeatureKind::kNumber;
    config_.features = {town, z};
    (void)make_examples(*files_, config_, folder_.file("data"));
  }
  /// `last`: z of the last row, when it is another one.
  void write_towns(const std::string& last) {
    std::string text = "x,town,z,y\n";
    for (int i = 0; i < kRows; ++i) {
      const bool is_changed = i == kRows - 1 && !last.empty();
      text += std::to_string(i * 37 % 100) + ",t" + std::to_string(i % 4) + "," +
              (is_changed ? last : std::to_string(i % 5)) + "," + std::to_string(i) + "\n";
    }
    write_atomically(*files_, folder_.file("main.csv"), std::string_view(text));
  }
  /// Rows of the split that are not the ones of the examples.
  [[nodiscard]] int64_t different(Split split) {
    const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
    const ExampleReader examples(examples_path(folder_.file("data"), split));
    EXPECT_GT(examples.rows(), 0);
    SplitRows rows(config_, features, split);
    std::vector<std::string_view> cells;
    int64_t found = 0;
    for (int64_t i = 0; i < examples.rows(); ++i) {
      EXPECT_TRUE(rows.next(cells));
      found += rows.is_same(examples.row(i)) ? 0 : 1;
    }
    return found;
  }
  [[nodiscard]] Split split_of_last() {
    const auto table = open_clean_table(config_);
    return split_table(*table, config_.split, "y").at(kRows - 1);
  }
  static constexpr int kRows = 60;
};

TEST_F(SplitRowsOfMeansTest, AreTheSameInEverySplit) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    EXPECT_EQ(different(split), 0) << split_name(split);
  }
}

TEST_F(SplitRowsOfMeansTest, ACellBesideTheMeansTells) {
  while (split_of_last() != Split::kTrain) ++config_.split.seed;
  (void)make_examples(*files_, config_, folder_.file("data"));
  write_towns("77");
  EXPECT_EQ(different(Split::kTrain), 1);
}

TEST_F(SplitRowsOfMeansTest, MeansTellWhereARowIsHeldOut) {
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  const ExampleReader test(examples_path(folder_.file("data"), Split::kTest));
  SplitRows rows(config_, features, Split::kTest);
  std::vector<std::string_view> cells;
  ASSERT_TRUE(rows.next(cells));
  std::vector<std::byte> stored(test.row(0).begin(), test.row(0).end());
  EXPECT_TRUE(rows.is_same(stored));
  const auto& columns = features.column_names();
  const auto town = std::find(columns.begin(), columns.end(), "town (mean of y)");
  ASSERT_NE(town, columns.end());
  const auto at = test.layout().find(kTableBlock)->offset +
                  (town - columns.begin()) * static_cast<int64_t>(sizeof(float));
  stored[static_cast<size_t>(at)] ^= std::byte{1};
  EXPECT_FALSE(rows.is_same(stored));
  EXPECT_FALSE(rows.is_same(std::span(stored).first(4)));
}

}  // namespace
}  // namespace ingot::data::split_rows_test
