// SPDX-License-Identifier: Apache-2.0
// Features in words: what the transform does and what fitting found, by kind.
#include "data/transforms/describe.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "data/transforms/feature_set.h"

namespace ingot::data::describe_test {
namespace {

/// The description of column x of a table of three rows.
FeatureText text_of(const FeatureConfig& config, const std::string& cells) {
  const auto table = open_table(io::memory_source("x,y\n" + cells, "t.csv"), "t.csv");
  FeatureConfig named = config;
  named.name = "x";
  Schema schema;
  ColumnSchema x, y;
  x.name = "x";
  x.kind = ColumnKind::kNumber;
  y.name = "y";
  y.kind = ColumnKind::kNumber;
  schema.columns = {x, y};
  TargetConfig target;
  target.column = "y";
  target.kind = TargetKind::kNumber;
  const std::vector<FeatureConfig> configs = {named};
  FeatureSet features(schema, configs, target);
  (void)features.fit(*table);
  return describe(*features.features()[0]);
}

TEST(Describe, ANumber) {
  FeatureConfig c;
  c.kind = FeatureKind::kNumber;
  const FeatureText text = text_of(c, "1,1\n3,2\n5,3\n");
  EXPECT_EQ(text.transform, "missing: median; mean 0, deviation 1");
  EXPECT_EQ(text.fitted, "median 3, centre 3, divisor 1.633");
  c.clip = Clip::kValues;
  c.clip_low = 2.0;
  c.clip_high = 4.0;
  c.scale = Scale::kNone;
  c.missing_flag = true;
  c.noise = 0.5F;
  const FeatureText clipped = text_of(c, "1,1\n3,2\n5,3\n");
  EXPECT_EQ(clipped.transform,
            "missing: median; a column that says so; clipped to values; as it is; noise 0.5 in "
            "training");
  EXPECT_NE(clipped.fitted.find("bounds 2 \u2026 4"), std::string::npos) << clipped.fitted;
}

TEST(Describe, ACategory) {
  FeatureConfig c;
  c.kind = FeatureKind::kCategory;
  const FeatureText text = text_of(c, "b,1\na,2\nb,3\n");
  EXPECT_EQ(text.transform, "missing: own; unknown: zero; one_hot");
  EXPECT_EQ(text.fitted, "2 categories: b 2, a 1");
}

TEST(Describe, AText) {
  FeatureConfig c;
  c.kind = FeatureKind::kText;
  c.text.length = 4;
  const FeatureText text = text_of(c, "one two,1\ntwo,2\nthree,3\n");
  EXPECT_EQ(text.transform, "ids of words; at most 10,000; 4 places, padded and cut: pre, pre");
  EXPECT_NE(text.fitted.find("in 3 texts"), std::string::npos);
}

// A tokenizer.json brings its own options: the recipe's are not what was done.
TEST(Describe, ATextOfAGivenVocabulary) {
  const ::ingot::testing::TempDir folder;
  text::WordIndexConfig given;
  given.num_words = 3;
  given.char_level = true;
  text::WordCounter counter(given);
  counter.add("one");
  FeatureConfig c;
  c.kind = FeatureKind::kText;
  c.text.length = 4;
  c.text.tokenizer = folder.file("tokenizer.json");
  write_atomically(*real_files(), c.text.tokenizer, counter.finish().to_keras_json());
  EXPECT_EQ(text_of(c, "one two,1\ntwo,2\nthree,3\n").transform,
            "ids of characters; at most 3; 4 places, padded and cut: pre, pre");
}

}  // namespace
}  // namespace ingot::data::describe_test
