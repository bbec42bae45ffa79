// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "data/transforms/samples.h"

namespace ingot::data::catalog_test {
namespace {

using ::ingot::testing::message_of;
using samples::config_of;
using samples::fitted;
using samples::stored;

TEST(FeatureCatalog, EveryKindComesBackFromItsState) {
  const std::string picture = "P5\n1 1\n255\nx";
  const std::vector<std::pair<FeatureKind, std::vector<std::string>>> kinds{
      {FeatureKind::kNumber, {"1", "2"}},
      {FeatureKind::kCategory, {"a", "b"}},
      {FeatureKind::kText, {"one word", "two words"}},
      {FeatureKind::kImage, {picture, picture}}};
  for (const auto& [kind, cells] : kinds) {
    const auto feature = fitted(config_of(kind), cells);
    EXPECT_EQ(dump_json(stored(*feature)->state()), dump_json(feature->state()));
  }
}

TEST(FeatureCatalog, RefusesKindsThatMakeNoFeature) {
  EXPECT_EQ(message_of([] { (void)make_feature(config_of(FeatureKind::kIgnore)); }),
            "table.features: column \"x\" has kind ignore, which makes no feature");
}

TEST(FeatureCatalog, ChecksTheConfig) {
  FeatureConfig config = config_of(FeatureKind::kText);
  config.text.length = 0;
  EXPECT_EQ(message_of([&] { (void)make_feature(config); }),
            "table.features: column \"x\": text.length is 0, it must be in 1 .. 16777216");
}

TEST(FeatureCatalog, DropsRowsOnlyUnderThatPolicy) {
  FeatureConfig config = config_of(FeatureKind::kNumber);
  EXPECT_FALSE(make_feature(config)->drops({"", true, 1}));
  config.missing = Missing::kDropRow;
  EXPECT_TRUE(make_feature(config)->drops({"", true, 1}));
  EXPECT_FALSE(make_feature(config)->drops({"1", false, 1}));
}

}  // namespace
}  // namespace ingot::data::catalog_test
