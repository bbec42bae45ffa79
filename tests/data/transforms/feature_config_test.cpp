// SPDX-License-Identifier: Apache-2.0
#include "data/transforms/feature_config.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/message_of.h"

namespace ingot::data::feature_config_test {
namespace {

using ::ingot::testing::message_of;

std::string feature_refusal(const std::string& yaml) {
  return message_of([&] {
    FeatureConfig config;
    bind_text("name: x\n" + yaml, "t", config);
    check(config);
  });
}

struct ColumnList {
  std::vector<FeatureConfig> features;
  void visit(auto& field) { field("features", features, "columns"); }
};

TEST(FeatureConfig, TheDefaultsOfEveryKindAreFine) {
  for (const EnumName& kind : kFeatureKindNames) {
    EXPECT_EQ(feature_refusal("kind: " + std::string(kind.name)), "no error") << kind.name;
  }
}

TEST(FeatureConfig, ReadsARecipe) {
  FeatureConfig config;
  bind_text(
      "{name: rooms, kind: number, missing: value, missing_value: 3, clip: quantiles, clip_low: "
      "0.05, scale: log1p_standard, noise: 0.1}",
      "t", config);
  check(config);
  EXPECT_EQ(config.missing_value, "3");
  EXPECT_EQ(config.clip_low, 0.05);
  EXPECT_EQ(config.clip_high, std::nullopt);
  EXPECT_EQ(config.scale, Scale::kLog1pStandard);
  FeatureConfig again;
  bind_text(to_yaml(config), "t", again);
  EXPECT_EQ(to_yaml(again), to_yaml(config));
}

/// The key of a run is made of the printed recipe: one that does not use them keeps its key.
TEST(FeatureConfig, PrintsFoldsAndSmoothingWhereTheyAreSet) {
  ColumnList columns{{FeatureConfig()}};
  EXPECT_EQ(to_yaml(columns).find("folds"), std::string::npos);
  EXPECT_EQ(to_yaml(columns).find("smoothing"), std::string::npos);
  columns.features[0].folds = 3;
  columns.features[0].smoothing = 0.5;
  EXPECT_NE(to_yaml(columns).find("folds: 3\n    smoothing: 0.5\n"), std::string::npos)
      << to_yaml(columns);
}

TEST(FeatureConfig, NamesWhatIsWrong) {
  EXPECT_EQ(
      feature_refusal("kind: category\nmissing: median"),
      "table.features: column \"x\": missing=median does not suit kind category; possible: auto, "
      "own, mode, zero, value, drop_row, error");
  EXPECT_EQ(
      feature_refusal("kind: text\nmissing: zero"),
      "table.features: column \"x\": missing=zero does not suit kind text; possible: auto, value, "
      "drop_row, error");
  EXPECT_EQ(
      feature_refusal("kind: number\nmissing: value\nmissing_value: none"),
      "table.features: column \"x\": missing=value needs a number in missing_value, got \"none\"");
  EXPECT_EQ(feature_refusal("kind: category\nmissing: value"),
            "table.features: column \"x\": missing=value needs a text in missing_value");
  EXPECT_EQ(
      feature_refusal("kind: number\nclip_low: 1"),
      "table.features: column \"x\": clip_low and clip_high need clip=quantiles or clip=values");
  EXPECT_EQ(feature_refusal("kind: number\nclip: values"),
            "table.features: column \"x\": clip=values needs clip_low or clip_high");
  EXPECT_EQ(
      feature_refusal("kind: number\nclip: values\nclip_low: 3\nclip_high: 2"),
      "table.features: column \"x\": clip=values from 3 to 2; clip_low must be below clip_high");
  EXPECT_EQ(feature_refusal("kind: number\nclip: quantiles\nclip_high: 99"),
            "table.features: column \"x\": clip=quantiles from 0.01 to 99; clip_low must be below "
            "clip_high, both in [0, 1]");
  EXPECT_EQ(feature_refusal("kind: number\nnoise: -1"),
            "table.features: column \"x\": noise is -1, it must be >= 0");
  EXPECT_EQ(feature_refusal("kind: category\nnoise: 1"),
            "table.features: column \"x\": noise is for numbers, its kind is category");
  EXPECT_EQ(feature_refusal("kind: category\nmin_count: 0"),
            "table.features: column \"x\": min_count is 0, it must be >= 1");
  EXPECT_EQ(feature_refusal("kind: category\nmax_categories: 0"),
            "table.features: column \"x\": max_categories is 0, it must be >= 1");
  EXPECT_EQ(
      feature_refusal("kind: category\nmin_count: 2\nunknown: error"),
      "table.features: column \"x\": min_count=2 makes rare categories unseen, which unknown=error "
      "refuses; set unknown=zero, bucket or most_frequent");
  EXPECT_EQ(feature_refusal("kind: text\ntext: {length: 0}"),
            "table.features: column \"x\": text.length is 0, it must be in 1 .. 16777216");
  EXPECT_EQ(feature_refusal("kind: text\ntext: {words: 1}"),
            "table.features: column \"x\": text.words is 1, ids of words lie from 2 to below it; "
            "text.words=3 knows the most frequent word, 0 every word");
  EXPECT_TRUE(feature_refusal("kind: text\ntext: {words: 2}").find("text.words=3 knows") !=
              std::string::npos);
  EXPECT_EQ(feature_refusal("kind: text\ntext: {words: 1, oov: \"\"}"),
            "table.features: column \"x\": text.words is 1, ids of words lie from 1 to below it; "
            "text.words=2 knows the most frequent word, 0 every word");
  EXPECT_EQ(
      feature_refusal("kind: text\ntext: {split: \"\"}"),
      "table.features: column \"x\": text.split is empty; give the text that separates words, or "
      "set text.char_level=true");
}

}  // namespace
}  // namespace ingot::data::feature_config_test
