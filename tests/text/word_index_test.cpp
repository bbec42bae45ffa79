// SPDX-License-Identifier: Apache-2.0
// Against Keras' Tokenizer on texts chosen for trouble (scripts/golden/word_index_golden.py), and
// by hand. Ids of 1,000 real texts: tests/data/transforms/text_feature_test.cpp.
#include "text/word_index.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/message_of.h"
#include "text/sequences.h"
#include "text/text_samples.h"

namespace ingot::text::word_index_test {
namespace {

using ::ingot::testing::message_of;

/// Golden values carry nine decimals, the bags are float32.
constexpr double kBagTolerance = 1e-6;

Json index_golden() {
  return parse_json(read_file(golden_path("word_index.json")), "word_index.json");
}

WordIndexConfig config_of(const Json& options) {
  WordIndexConfig config;
  config.num_words = options["num_words"].get<int64_t>();
  config.oov_token = options["oov_token"].get<std::string>();
  config.filters = options["filters"].get<std::string>();
  config.lower = options["lower"].get<bool>();
  config.split = options["split"].get<std::string>();
  config.char_level = options["char_level"].get<bool>();
  return config;
}

std::vector<std::string> index_texts(const Json& json) {
  auto texts = json["texts"].get<std::vector<std::string>>();
  for (const Json& text : json["new"]) texts.push_back(text.get<std::string>());
  return texts;
}

WordIndex fit(const WordIndexConfig& config, const Json& texts) {
  WordCounter counter(config);
  for (const Json& text : texts) counter.add(text.get<std::string>());
  return counter.finish();
}

void expect_ids(const WordIndex& words, const Json& json, const Json& expected) {
  const std::vector<std::string> texts = index_texts(json);
  ASSERT_EQ(texts.size(), expected.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<int32_t> ids = words.encode(texts[i]);
    ASSERT_EQ(ids, expected[i].get<std::vector<int32_t>>()) << quote_json(texts[i]);
    for (const int32_t id : ids) ASSERT_LT(id, words.id_limit());
  }
}

TEST(WordIndex, GivesTheIdsOfKeras) {
  const Json json = index_golden();
  ASSERT_EQ(json["cases"].size(), 13U);
  for (const Json& item : json["cases"]) {
    SCOPED_TRACE(item["options"].dump());
    const WordIndex words = fit(config_of(item["options"]), json["texts"]);
    expect_ids(words, json, item["ids"]);
    expect_ids(words.compact(), json, item["ids"]);
    EXPECT_LE(words.compact().words().size(), words.words().size());
  }
}

TEST(WordIndex, GivesTheBagsOfKeras) {
  const Json json = index_golden();
  int checked = 0;
  for (const Json& item : json["cases"]) {
    if (!item.contains("matrix") || item["matrix"].empty()) continue;
    const WordIndex words = fit(config_of(item["options"]), json["texts"]).compact();
    for (const auto& [mode, rows] : item["matrix"].items()) {
      for (size_t i = 0; i < rows.size(); ++i) {
        std::vector<float> out(static_cast<size_t>(bag_width(words)));
        ASSERT_EQ(out.size(), rows[i].size());
        bag_of_words(words, item["ids"][i].get<std::vector<int32_t>>(),
                     parse_enum<BagMode>(mode, "mode"), out);
        for (size_t j = 0; j < out.size(); ++j) {
          ASSERT_NEAR(out[j], rows[i][j].get<double>(), kBagTolerance) << mode << i << " " << j;
        }
        ++checked;
      }
    }
  }
  EXPECT_EQ(checked, 2 * 4 * 12);
}

TEST(WordIndex, NumbersByCountThenByFirstAppearance) {
  WordIndexConfig config;
  config.num_words = 4;
  WordCounter counter(config);
  EXPECT_EQ(counter.add("b a c. B! a"), 5);
  EXPECT_EQ(counter.add("a, d"), 2);
  const WordIndex words = counter.finish();
  EXPECT_EQ(words.number_of("<OOV>"), 1);
  EXPECT_EQ(words.number_of("a"), 2);
  EXPECT_EQ(words.number_of("b"), 3);
  EXPECT_EQ(words.number_of("c"), 4);
  EXPECT_EQ(words.number_of("d"), 5);
  EXPECT_EQ(words.number_of("e"), std::nullopt);
  EXPECT_EQ(words.word_of(0), "");
  EXPECT_EQ(words.word_of(1), "<OOV>");
  EXPECT_EQ(words.word_of(3), "b");
  EXPECT_EQ(words.word_of(6), "");
  EXPECT_EQ(words.documents_of(2), 2);
  EXPECT_EQ(words.documents_of(3), 1);
  EXPECT_EQ(words.documents_of(1), 0);
  EXPECT_EQ(words.document_count(), 2);
  EXPECT_EQ(words.id_limit(), 4);
  EXPECT_EQ(words.encode("A b C d e"), (std::vector<int32_t>{2, 3, 1, 1, 1}));
  EXPECT_EQ(words.compact().words().size(), 2U);
}

TEST(WordIndex, KeepsInvalidBytesAsPartsOfWords) {
  WordIndexConfig config;
  WordCounter counter(config);
  counter.add("a\xFF b a\xFF");
  EXPECT_EQ(counter.finish().number_of("a\xFF"), 2);
}

TEST(WordIndex, FittedOnNothingKnowsNoWord) {
  const WordIndex words = WordCounter(WordIndexConfig{}).finish();
  EXPECT_EQ(words.encode("a b"), (std::vector<int32_t>{1, 1}));
  EXPECT_EQ(words.id_limit(), 2);
  WordIndexConfig none;
  none.oov_token.clear();
  const WordIndex silent = WordCounter(none).finish();
  EXPECT_TRUE(silent.encode("a b").empty());
  EXPECT_EQ(silent.id_limit(), 1);
}

TEST(WordCounter, ForgetsRareWordsBeyondItsRoom) {
  WordIndexConfig config;
  config.num_words = 0;
  WordCounter counter(config, /*max_distinct=*/10);
  for (int i = 0; i < 100; ++i) counter.add("common also word" + std::to_string(i));
  EXPECT_GT(counter.prunings(), 0);
  const WordIndex words = counter.finish();
  EXPECT_LE(words.words().size(), 10U);
  EXPECT_EQ(words.number_of("common"), 2);
  EXPECT_EQ(words.number_of("also"), 3);
  EXPECT_EQ(words.documents_of(2), 100);
}

TEST(WordIndex, RefusesWhatCannotWork) {
  WordIndexConfig config;
  config.num_words = -1;
  EXPECT_EQ(message_of([&] { check(config); }),
            "word index: num_words is -1, it must be in 1 .. 2147483647, or 0 to keep every word");
  config = {};
  config.split.clear();
  EXPECT_EQ(message_of([&] { check(config); }),
            "word index: split is empty; give the text that separates words, or char_level=true");
  config.char_level = true;
  check(config);
  config = {};
  config.filters = "\xFF";
  EXPECT_EQ(message_of([&] { check(config); }),
            "word index: filters is not UTF-8: \"\xEF\xBF\xBD\"");
  const WordIndexConfig fine;
  EXPECT_EQ(message_of([&] {
              WordIndex(fine, {{"a", 1, 1}, {"a", 1, 1}}, 1);
            }),
            "word index: the word \"a\" is given twice");
  EXPECT_EQ(message_of([&] {
              WordIndex(fine, {{"a", 1, 1}, {"b", 1, 1}}, {2, 2}, 1, 1);
            }),
            "word index: number 2 is given twice");
  EXPECT_EQ(message_of([&] {
              WordIndex(fine, {{"a", 1, 1}}, {3}, 1, 1);
            }),
            "word index: number 3 is outside 1 .. 2 (one more than the words)");
  EXPECT_EQ(message_of([&] {
              WordIndex(fine, {{"a", 1, 1}}, std::vector<int32_t>{}, 1, 1);
            }),
            "word index: 0 numbers for 1 words");
}

}  // namespace
}  // namespace ingot::text::word_index_test
