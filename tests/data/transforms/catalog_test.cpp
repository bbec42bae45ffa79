// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "data/transforms/samples.h"

namespace ingot::data {
namespace {

using ::ingot::testing::message_of;
using samples::config_of;
using samples::fit;
using samples::fitted;
using samples::floats;
using samples::stored;

TEST(FeatureCatalog, AnImageFillsNothingAndNeedsAPath) {
  const auto feature = fitted(config_of(FeatureKind::kImage), {"a.png", "b.png"});
  EXPECT_TRUE(feature->layout().columns.empty());
  EXPECT_EQ(feature->layout().ids, 0);
  floats(*stored(*feature), "c.png");
  EXPECT_EQ(message_of([&] { floats(*feature, ""); }),
            "features: column \"x\" (line 2): no path of an image; set missing=drop_row to leave "
            "such rows out");
  EXPECT_EQ(message_of([] { fitted(config_of(FeatureKind::kImage), {}); }),
            "features: column \"x\" has no value in 0 training rows; set kind=ignore");
}

TEST(FeatureCatalog, RefusesKindsThatMakeNoFeature) {
  EXPECT_EQ(message_of([] { (void)make_feature(config_of(FeatureKind::kIgnore)); }),
            "features: column \"x\" has kind ignore, which makes no feature");
}

TEST(FeatureCatalog, ChecksTheConfig) {
  FeatureConfig config = config_of(FeatureKind::kText);
  config.text.length = 0;
  EXPECT_EQ(message_of([&] { (void)make_feature(config); }),
            "features: column \"x\": text.length is 0, it must be in 1 .. 16777216");
}

TEST(FeatureCatalog, DropsRowsOnlyUnderThatPolicy) {
  FeatureConfig config = config_of(FeatureKind::kNumber);
  EXPECT_FALSE(make_feature(config)->drops({"", true, 1}));
  config.missing = Missing::kDropRow;
  EXPECT_TRUE(make_feature(config)->drops({"", true, 1}));
  EXPECT_FALSE(make_feature(config)->drops({"1", false, 1}));
}

}  // namespace
}  // namespace ingot::data
