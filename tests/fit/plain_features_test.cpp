// SPDX-License-Identifier: Apache-2.0
// Features of arrays: cells come through unchanged, and classes are called by their number.
#include "fit/plain_features.h"

#include <gtest/gtest.h>

namespace ingot::plain_features_test {
namespace {

TEST(PlainFeatures, TakeNumbersAsTheyAre) {
  const data::FeatureSet features = plain_features(3, 0);
  const std::vector<std::string> columns = {"x3", "x1", "x2"};
  const data::ColumnMap map = features.map_columns(columns, "t", false);
  data::Record record = features.make_record();
  const std::vector<std::string_view> cells = {"0.25", "-7", "1e6"};
  ASSERT_TRUE(features.encode(cells, map, 1, record));
  EXPECT_EQ(record.table, (std::vector<float>{-7.0F, 1e6F, 0.25F}));
  EXPECT_FALSE(features.target()->is_class());
  EXPECT_EQ(features.target()->decode_number(2.5), 2.5);
}

TEST(PlainFeatures, ClassesAreCalledByTheirNumber) {
  const data::FeatureSet features = plain_features(1, 12);
  ASSERT_EQ(features.target()->classes().size(), 12U);
  EXPECT_EQ(features.target()->classes()[2], "2");
  EXPECT_EQ(features.target()->classes()[11], "11");
}

}  // namespace
}  // namespace ingot::plain_features_test
