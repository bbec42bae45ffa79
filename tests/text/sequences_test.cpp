// SPDX-License-Identifier: Apache-2.0
// Against Keras' pad_sequences (golden) and by hand; the bags of words against Keras stand in
// word_index_test.cpp.
#include "text/sequences.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/message_of.h"
#include "text/text_samples.h"

namespace ingot::text::sequences_test {
namespace {

using ::ingot::testing::message_of;

TEST(PadSequences, EqualKeras) {
  const Json json = parse_json(read_file(golden_path("word_index.json")), "word_index.json");
  const auto rows = json["padded"]["rows"].get<std::vector<std::vector<int32_t>>>();
  const Json& cases = json["padded"]["cases"];
  ASSERT_EQ(cases.size(), 32U);
  for (const Json& item : cases) {
    PadOptions options;
    options.pad = parse_enum<SequenceEnd>(item["padding"].get<std::string>(), "padding");
    options.truncate = parse_enum<SequenceEnd>(item["truncating"].get<std::string>(), "truncating");
    options.value = item["value"].get<int32_t>();
    const PaddedSequences padded = pad_sequences(rows, item["maxlen"].get<int64_t>(), options);
    std::vector<int32_t> expected;
    for (const Json& row : item["out"]) {
      for (const Json& id : row) expected.push_back(id.get<int32_t>());
    }
    EXPECT_EQ(padded.ids, expected) << item.dump();
    EXPECT_EQ(padded.length * 4, static_cast<int64_t>(expected.size()));
  }
}

TEST(PadSequences, RefuseANegativeLength) {
  EXPECT_EQ(message_of([] { (void)pad_sequences({}, -1); }),
            "pad_sequences: length is -1, it must be >= 1, or 0 for that of the longest");
  EXPECT_TRUE(pad_sequences({}, 0).ids.empty());
}

TEST(BagOfWords, HoldsWhatTheFormulasSay) {
  // Words 1 and 2; four texts in fitting, of which three hold word 1.
  WordIndexConfig config;
  config.num_words = 0;
  config.oov_token.clear();
  const WordIndex words(config, {{"a", 5, 3}, {"b", 2, 1}}, 4);
  ASSERT_EQ(bag_width(words), 3);
  const std::vector<int32_t> ids{1, 2, 1, 1};
  std::vector<float> out(3);
  bag_of_words(words, ids, BagMode::kBinary, out);
  EXPECT_EQ(out, (std::vector<float>{0, 1, 1}));
  bag_of_words(words, ids, BagMode::kCount, out);
  EXPECT_EQ(out, (std::vector<float>{0, 3, 1}));
  bag_of_words(words, ids, BagMode::kFreq, out);
  EXPECT_EQ(out, (std::vector<float>{0, 0.75F, 0.25F}));
  bag_of_words(words, ids, BagMode::kTfidf, out);
  EXPECT_FLOAT_EQ(out[1], static_cast<float>((1 + std::log(3.0)) * std::log(1 + 4.0 / 4.0)));
  EXPECT_FLOAT_EQ(out[2], static_cast<float>(std::log(1 + 4.0 / 2.0)));
  bag_of_words(words, {}, BagMode::kTfidf, out);
  EXPECT_EQ(out, (std::vector<float>{0, 0, 0}));
}

}  // namespace
}  // namespace ingot::text::sequences_test
