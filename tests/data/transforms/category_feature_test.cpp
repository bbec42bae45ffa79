// SPDX-License-Identifier: Apache-2.0
// Against scikit-learn's OneHotEncoder (scripts/golden/transforms_golden.py), and by hand.
#include "data/transforms/category_feature.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/transforms/samples.h"

namespace ingot::data::category_feature_test {
namespace {

using ::ingot::testing::message_of;
using samples::config_of;
using samples::fit;
using samples::fitted;
using samples::floats;
using samples::ids;
using samples::stored;
using Floats = std::vector<float>;

FeatureConfig category() { return config_of(FeatureKind::kCategory); }

void expect_rows(const FeatureConfig& config, const char* golden,
                 const std::vector<std::string>& more = {}) {
  const Json json = samples::golden("transforms.json")["categories"];
  auto train = json["train"].get<std::vector<std::string>>();
  train.insert(train.end(), more.begin(), more.end());
  const auto feature = fitted(config, train);
  const auto again = stored(*feature);
  const auto test = json["test"].get<std::vector<std::string>>();
  for (size_t i = 0; i < test.size(); ++i) {
    EXPECT_EQ(floats(*feature, test[i]), json[golden][i].get<Floats>()) << test[i];
    EXPECT_EQ(floats(*again, test[i]), json[golden][i].get<Floats>()) << test[i];
  }
}

TEST(CategoryFeature, EqualsOneHotEncoder) {
  expect_rows(category(), "zero");
  const Json json = samples::golden("transforms.json")["categories"];
  const auto feature = fitted(category(), json["train"].get<std::vector<std::string>>());
  std::vector<std::string> names;
  for (const Json& name : json["names"]) names.push_back("x=" + name.get<std::string>());
  EXPECT_EQ(feature->layout().columns, names);
}

TEST(CategoryFeature, RareOnesShareABucketAsInfrequentOnesDo) {
  FeatureConfig config = category();
  config.unknown = Unknown::kBucket;
  config.min_count = 2;
  expect_rows(config, "min_count_2");
  FeatureConfig few = category();
  few.unknown = Unknown::kBucket;
  few.max_categories = 2;
  expect_rows(few, "keep_2", {"a"});
}

TEST(CategoryFeature, MissingIsACategoryWhereTrainingHadSome) {
  const auto feature = fitted(category(), {"b", "", "a", " b "});
  EXPECT_EQ(feature->layout().columns, (std::vector<std::string>{"x=a", "x=b", "x=<missing>"}));
  EXPECT_EQ(floats(*feature, "NA"), (Floats{0, 0, 1}));
  EXPECT_EQ(floats(*feature, " b"), (Floats{0, 1, 0})) << "spaces at the ends do not count";
  EXPECT_EQ(floats(*feature, "zz"), (Floats{0, 0, 0}));
  const auto complete = fitted(category(), {"b", "a"});
  EXPECT_EQ(floats(*complete, ""), (Floats{0, 0})) << "as an unseen one";
  FeatureConfig own = category();
  own.missing = Missing::kOwn;
  EXPECT_EQ(floats(*fitted(own, {"b", "a"}), ""), (Floats{0, 0, 1}));
}

TEST(CategoryFeature, FollowsThePolicyForMissingCells) {
  FeatureConfig config = category();
  const std::vector<std::string> cells{"b", "", "a", "b"};
  config.missing = Missing::kMode;
  EXPECT_EQ(floats(*fitted(config, cells), ""), (Floats{0, 1}));
  config.missing = Missing::kZero;
  config.unknown = Unknown::kBucket;
  EXPECT_EQ(floats(*fitted(config, cells), ""), (Floats{0, 0, 0}));
  config.unknown = Unknown::kZero;
  config.missing = Missing::kValue;
  config.missing_value = "none";
  const auto feature = fitted(config, cells);
  EXPECT_EQ(feature->layout().columns, (std::vector<std::string>{"x=a", "x=b", "x=none"}));
  EXPECT_EQ(floats(*feature, ""), (Floats{0, 0, 1}));
  config.missing = Missing::kError;
  EXPECT_EQ(message_of([&] { fitted(config, cells); }),
            "features: column \"x\" (line 3): the cell has no value, and missing=error allows "
            "none; set {name: \"x\", missing: own} in table.features");
  const auto strict = fitted(config, {"a", "b"});
  EXPECT_EQ(
      message_of([&] { floats(*strict, ""); }),
      "features: column \"x\" (line 2): the cell has no value, and missing=error allows none; set "
      "{name: \"x\", missing: own} in table.features");
}

TEST(CategoryFeature, FollowsThePolicyForUnseenOnes) {
  FeatureConfig config = category();
  config.unknown = Unknown::kBucket;
  const auto bucket = fitted(config, {"b", "a", "b"});
  EXPECT_EQ(bucket->layout().columns, (std::vector<std::string>{"x=a", "x=b", "x=<other>"}));
  EXPECT_EQ(floats(*bucket, "c"), (Floats{0, 0, 1}));
  config.unknown = Unknown::kMostFrequent;
  EXPECT_EQ(floats(*fitted(config, {"b", "a", "b"}), "c"), (Floats{0, 1}));
  config.unknown = Unknown::kError;
  const auto strict = fitted(config, {"north", "south"});
  EXPECT_EQ(message_of([&] { floats(*strict, "nroth"); }),
            "features: column \"x\" (line 2): \"nroth\" is no category of the training rows and "
            "unknown is error; set {name: \"x\", unknown: zero} in table.features. Did you mean "
            "\"north\"?");
  EXPECT_EQ(message_of([&] { floats(*strict, ""); }),
            "features: column \"x\" (line 2): the cell has no value, no training row lacked one, "
            "and unknown is error; set {name: \"x\", unknown: zero} in table.features");
}

TEST(CategoryFeature, TellsThatACategoryIsNotKnown) {
  FeatureConfig config = category();
  config.min_count = 2;
  for (const Unknown policy : {Unknown::kZero, Unknown::kBucket, Unknown::kMostFrequent}) {
    config.unknown = policy;
    const auto feature = fitted(config, {"b", "a", "b", "a", "rare"});
    std::vector<float> out(feature->layout().columns.size());
    const auto is_unseen = [&](const std::string& text) {
      FeatureScratch scratch;
      EXPECT_TRUE(feature->encode(samples::cell_at({text}, 0), {out, {}}, scratch));
      return scratch.is_unseen;
    };
    EXPECT_FALSE(is_unseen(" b"));
    EXPECT_TRUE(is_unseen("c"));
    EXPECT_TRUE(is_unseen("rare"));
    EXPECT_FALSE(is_unseen("")) << "no value is not another value";
  }
}

TEST(CategoryFeature, GivesIdsFromOneOn) {
  FeatureConfig config = category();
  config.encode = CategoryEncode::kIndex;
  const auto feature = fitted(config, {"b", "", "a", "b"});
  EXPECT_EQ(feature->layout().ids, 1);
  EXPECT_EQ(feature->layout().id_limit, 4);
  EXPECT_TRUE(feature->layout().columns.empty());
  EXPECT_EQ(ids(*feature, "a"), std::vector<int32_t>{1});
  EXPECT_EQ(ids(*feature, "b"), std::vector<int32_t>{2});
  EXPECT_EQ(ids(*feature, ""), std::vector<int32_t>{3});
  EXPECT_EQ(ids(*feature, "zz"), std::vector<int32_t>{0});
  EXPECT_EQ(ids(*stored(*feature), ""), std::vector<int32_t>{3});
}

TEST(CategoryFeature, GivesShares) {
  FeatureConfig config = category();
  config.encode = CategoryEncode::kFrequency;
  const auto feature = fitted(config, {"b", "", "a", "b"});
  EXPECT_EQ(feature->layout().columns, std::vector<std::string>{"x (share)"});
  EXPECT_EQ(floats(*feature, "a"), Floats{0.25F});
  EXPECT_EQ(floats(*feature, "b"), Floats{0.5F});
  EXPECT_EQ(floats(*feature, ""), Floats{0.25F});
  EXPECT_EQ(floats(*feature, "zz"), Floats{0});
}

TEST(CategoryFeature, SaysWhatItDidAndRefuses) {
  auto constant = make_feature(category());
  EXPECT_EQ(fit(*constant, {"a", "a"}),
            std::vector<std::string>{"x: is \"a\" in all training rows"});
  FeatureConfig few = category();
  few.max_categories = 1;
  auto kept = make_feature(few);
  EXPECT_EQ(fit(*kept, {"a", "b", "b"}),
            std::vector<std::string>{"x: 2 categories, the 1 most frequent are kept and the others "
                                     "count as unseen (max_categories in table.features)"});
  EXPECT_EQ(kept->layout().columns, std::vector<std::string>{"x=b"});
  few.unknown = Unknown::kError;
  EXPECT_EQ(message_of([&] {
              fitted(few, {"a", "b"});
            }),
            "features: column \"x\" has 2 categories, max_categories is 1 and unknown is error; "
            "set {name: \"x\", max_categories: 2} in table.features, or unknown: zero");
  EXPECT_EQ(
      message_of([] {
        fitted(category(), {"", ""});
      }),
      "features: column \"x\" has no value in 2 training rows; set {name: \"x\", kind: ignore} in "
      "table.features");
  FeatureConfig rare = category();
  rare.min_count = 3;
  EXPECT_EQ(message_of([&] {
              fitted(rare, {"a", "b", "b"});
            }),
            "features: column \"x\": none of 2 categories has min_count=3 training rows; set "
            "{name: \"x\", min_count: 1} in table.features, or kind: ignore");
}

TEST(CategoryFeature, RefusesABrokenState) {
  const auto message = [](const std::string& state) {
    return message_of(
        [&] { (void)load_feature(category(), parse_json(state, "s"), "features.json"); });
  };
  EXPECT_EQ(message(R"({"rows": 1, "missing": 0, "own": false, "categories": []})"),
            "features.json: \"categories\" must be a list of [value, count]");
  EXPECT_EQ(message(R"({"rows": 1, "missing": 0, "own": false, "categories": [["a"]]})"),
            "features.json: \"categories\" must be a list of [value, count]");
  EXPECT_EQ(message(R"({"missing": 0})"), "features.json: \"rows\" is missing");
}

}  // namespace
}  // namespace ingot::data::category_feature_test
