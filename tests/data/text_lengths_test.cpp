// SPDX-License-Identifier: Apache-2.0
// Lengths of texts in the ids that a feature makes of them, counted by hand.
#include "data/text_lengths.h"

#include <string>
#include <vector>

#include "data/temp_folder.h"

namespace ingot::data::text_lengths_test {
namespace {

FeatureConfig texts(int64_t length) {
  FeatureConfig config;
  config.name = "note";
  config.kind = FeatureKind::kText;
  config.text.length = length;
  return config;
}

Truncation found(const FeatureConfig& config, const std::vector<std::string>& training,
                 const std::vector<std::string>& all) {
  TextLengths lengths(config);
  if (lengths.must_learn()) {
    for (const std::string& text : training) lengths.learn(text);
    lengths.finish_learning();
  }
  for (const std::string& text : all) lengths.add(text);
  return lengths.found();
}

TEST(TextLengths, AreWordsWhereUnknownOnesHaveAToken) {
  EXPECT_FALSE(TextLengths(texts(2)).must_learn());
  const Truncation t = found(texts(2), {}, {"a, b. c", "a b", ""});
  EXPECT_EQ(t.length, 2);
  EXPECT_EQ(t.texts, 1);
  EXPECT_EQ(t.longest, 3);
  EXPECT_FALSE(t.characters);
  EXPECT_FALSE(t.known);
}

TEST(TextLengths, AreKnownWordsWhereOthersVanish) {
  FeatureConfig config = texts(2);
  config.text.oov = "";
  config.text.words = 2;  // b alone is known
  EXPECT_TRUE(TextLengths(config).must_learn());
  const Truncation t = found(config, {"b a", "b c"}, {"b a c a", "b b", "a b b c b"});
  EXPECT_EQ(t.texts, 1);
  EXPECT_EQ(t.longest, 3);
  EXPECT_TRUE(t.known);
  config.text.words = 0;  // every word is known
  EXPECT_FALSE(TextLengths(config).must_learn());
  EXPECT_EQ(found(config, {}, {"b a c a", "b b", "a b b c b"}).texts, 2);
}

TEST(TextLengths, AreThoseOfATokenizerThatIsGiven) {
  const TempFolder folder;
  FeatureConfig config = texts(2);
  const auto give = [&](const text::WordIndexConfig& given) {
    text::WordCounter counter(given);
    counter.add("one two");
    config.text.tokenizer = folder.put("tokenizer.json", counter.finish().to_keras_json());
  };
  text::WordIndexConfig given;
  given.filters = "";
  give(given);
  const Truncation words = found(config, {}, {"one,two,three", "one two three four"});
  EXPECT_EQ(words.texts, 1);
  EXPECT_EQ(words.longest, 4);
  given.char_level = true;
  give(given);
  const Truncation characters = found(config, {}, {"on", "three"});
  EXPECT_TRUE(characters.characters);
  EXPECT_EQ(characters.texts, 1);
  EXPECT_EQ(characters.longest, 5);
  given.char_level = false;
  given.oov_token = "";
  give(given);
  const Truncation known = found(config, {}, {"one two three four"});
  EXPECT_TRUE(known.known);
  EXPECT_EQ(known.texts, 0);
  EXPECT_EQ(known.longest, 2);
  config.text.tokenizer = folder.file("other.json");
  EXPECT_TRUE(contains(message_of(Code::kNotFound, [&] { (void)TextLengths(config); }),
                       "which is not there"));
}

}  // namespace
}  // namespace ingot::data::text_lengths_test
