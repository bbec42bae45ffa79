// SPDX-License-Identifier: Apache-2.0
// Ids of 1,000 real texts equal those of Keras (scripts/golden/word_index_golden.py), and the rest
// by hand.
#include "data/transforms/text_feature.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/formats/real_files.h"
#include "data/transforms/samples.h"

namespace ingot::data::text_feature_test {
namespace {

using ::ingot::testing::code_of;
using ::ingot::testing::message_of;
using ::ingot::testing::TempDir;
using samples::config_of;
using samples::fit;
using samples::fitted;
using samples::floats;
using samples::ids;
using samples::stored;
using Ids = std::vector<int32_t>;

FeatureConfig texts(int64_t length) {
  FeatureConfig config = config_of(FeatureKind::kText);
  config.text.length = length;
  return config;
}

std::string digest(std::span<const int32_t> ids) {
  std::vector<std::string> words;
  for (const int32_t id : ids) words.push_back(std::to_string(id));
  return sha256_hex(join(words, " ")).substr(0, 12);
}

/// Fits on the first rows of a column and compares the thousand after them.
void expect_ids_of_keras(TableReader& table, size_t column, const Json& golden) {
  text::WordIndexConfig config;
  config.num_words = golden["num_words"].get<int64_t>();
  config.oov_token = golden["oov_token"].get<std::string>();
  config.char_level = golden["char_level"].get<bool>();
  text::WordCounter counter(config);
  std::vector<std::string_view> cells;
  const auto fit_rows = golden["fit"].get<int64_t>();
  for (int64_t row = 0; row < fit_rows; ++row) {
    ASSERT_TRUE(table.next(cells));
    counter.add(cells[column]);
  }
  const text::WordIndex words = counter.finish();
  EXPECT_EQ(static_cast<int64_t>(words.words().size()), golden["distinct"].get<int64_t>());
  Ids padded;
  for (size_t i = 0; i < golden["hashes"].size(); ++i) {
    ASSERT_TRUE(table.next(cells));
    const Ids ids = words.encode(cells[column]);
    ASSERT_EQ(digest(ids), golden["hashes"][i].get<std::string>()) << "text " << i;
    if (i < golden["first"].size()) {
      EXPECT_EQ(ids, golden["first"][i].get<Ids>());
    }
    padded.resize(padded.size() + 50);
    text::pad_sequence(ids, {}, std::span(padded).last(50));
  }
  EXPECT_EQ(digest(padded), golden["padded"].get<std::string>());
}

TEST(TextFeature, IdsOfRealTextsEqualKeras) {
  INGOT_NEED_DATA(data);
  const Json golden = samples::golden("word_index_real.json")["cases"];
  ASSERT_EQ(golden.size(), 3U);
  for (const Json& item : golden) {
    ASSERT_EQ(item["hashes"].size(), 1000U);
    TableFormat format;
    if (item["data"] == "ag_news") {
      format.header = HeaderRow::kNo;
      expect_ids_of_keras(*open_table(data + "/ag_news/train_subset5000.csv.gz", format), 0, item);
    } else {
      expect_ids_of_keras(*open_table(data + "/chnsenticorp/train.tsv.gz", format), 1, item);
    }
  }
}

TEST(TextFeature, NumbersWordsAndPads) {
  FeatureConfig config = texts(4);
  const auto feature = fitted(config, {"the cat", "The dog. The end", ""});
  const FeatureLayout layout = feature->layout();
  EXPECT_EQ(layout.ids, 4);
  EXPECT_EQ(layout.id_limit, 6);
  EXPECT_TRUE(layout.columns.empty());
  EXPECT_EQ(ids(*feature, "the end, cat"), (Ids{0, 2, 5, 3}));
  EXPECT_EQ(ids(*feature, "a the cat dog end"), (Ids{2, 3, 4, 5})) << "cut at the front";
  EXPECT_EQ(ids(*feature, ""), (Ids{0, 0, 0, 0})) << "a missing text is an empty one";
  EXPECT_EQ(ids(*stored(*feature), "the end, cat bird"), (Ids{2, 5, 3, 1}));
  config.text.pad = text::SequenceEnd::kPost;
  config.text.truncate = text::SequenceEnd::kPost;
  const auto post = fitted(config, {"the cat", "The dog. The end"});
  EXPECT_EQ(ids(*post, "the end, cat"), (Ids{2, 5, 3, 0}));
  EXPECT_EQ(ids(*post, "a the cat dog end"), (Ids{1, 2, 3, 4}));
}

TEST(TextFeature, BecomesABagOfWords) {
  FeatureConfig config = texts(4);
  config.text.encode = TextEncode::kCount;
  config.text.words = 4;
  const auto feature = fitted(config, {"b a b", "a c b"});
  EXPECT_EQ(feature->layout().ids, 0);
  EXPECT_EQ(feature->layout().columns, (std::vector<std::string>{"x#0", "x=<OOV>", "x=b", "x=a"}));
  EXPECT_EQ(floats(*feature, "a b c a d"), (std::vector<float>{0, 2, 1, 2}));
  for (const TextEncode encode : {TextEncode::kBinary, TextEncode::kFreq, TextEncode::kTfidf}) {
    config.text.encode = encode;
    const auto bag = fitted(config, {"b a b", "a c b"});
    EXPECT_EQ(floats(*stored(*bag), "a b c a d"), floats(*bag, "a b c a d"));
  }
}

TEST(TextFeature, RefusesABagBeyondAMillionColumns) {
  FeatureConfig config = texts(4);
  config.text.encode = TextEncode::kBinary;
  config.text.words = 2'000'000'000;
  EXPECT_EQ(message_of([&] { (void)fitted(config, {"a b"})->layout(); }),
            "features: column \"x\": a bag of 2000000000 words is more than 1048576 columns; set "
            "{name: \"x\", text: {words: 10000}} in table.features");
}

TEST(TextFeature, TakesAVocabularyOfKeras) {
  const TempDir folder;
  text::WordIndexConfig given;
  given.num_words = 3;
  given.oov_token = "?";
  text::WordCounter counter(given);
  counter.add("one two two");
  const auto files = real_files();
  write_atomically(*files, folder.file("tokenizer.json"), counter.finish().to_keras_json());
  FeatureConfig config = texts(3);
  config.text.tokenizer = folder.file("tokenizer.json");
  const auto feature = fitted(config, {"other words"});
  EXPECT_EQ(ids(*feature, "two one x"), (Ids{2, 1, 1}));
  std::filesystem::remove(folder.file("tokenizer.json"));
  // The stored state is whole: the file is not read again.
  EXPECT_EQ(ids(*stored(*feature), "two one x"), (Ids{2, 1, 1}));
  EXPECT_EQ(code_of([&] { (void)make_feature(config); }), "not_found");
}

TEST(TextFeature, FollowsThePolicyForMissingTexts) {
  FeatureConfig config = texts(2);
  config.missing = Missing::kValue;
  config.missing_value = "nothing here";
  EXPECT_EQ(ids(*fitted(config, {"a", ""}), ""), (Ids{3, 4}));
  config.missing = Missing::kError;
  EXPECT_EQ(message_of([&] {
              fitted(config, {"a", ""});
            }),
            "features: column \"x\" (line 3): the cell has no value, and missing=error allows "
            "none; set {name: \"x\", missing: auto} in table.features");
}

TEST(TextFeature, WarnsOfCutTextsAndRefusesWordlessOnes) {
  auto feature = make_feature(texts(2));
  EXPECT_EQ(fit(*feature, {"a b c", "a b", "a"}),
            std::vector<std::string>{"x: 1 of 3 training texts are longer than 2 words and lose "
                                     "some (text.length in table.features)"});
  EXPECT_EQ(
      message_of([] {
        fitted(texts(2), {"", "NA"});
      }),
      "features: column \"x\" has no value in 2 training rows; set {name: \"x\", kind: ignore} in "
      "table.features");
  EXPECT_EQ(message_of([] {
              fitted(texts(2), {"...", "?!"});
            }),
            "features: column \"x\": no word in 2 training rows; check filters and split, or set "
            "{name: \"x\", text: {char_level: true}} in table.features");
}

// Whether a text is cut is a matter of the ids that it becomes, under the options of the file.
TEST(TextFeature, CountsCutTextsAsAVocabularyOfKerasCutsThem) {
  const TempDir folder;
  FeatureConfig config = texts(2);
  config.text.tokenizer = folder.file("tokenizer.json");
  const auto save = [&](const text::WordIndexConfig& given) {
    text::WordCounter counter(given);
    counter.add("one two");
    write_atomically(*real_files(), config.text.tokenizer, counter.finish().to_keras_json());
  };
  const auto warnings = [&](const std::vector<std::string>& cells) {
    return fit(*make_feature(config), cells);
  };
  text::WordIndexConfig given;
  given.filters = "";
  save(given);
  // The commas separate under the filters of the recipe, not under those of the file.
  EXPECT_EQ(warnings({"one,two,three", "one two three"}),
            std::vector<std::string>{"x: 1 of 2 training texts are longer than 2 words and lose "
                                     "some (text.length in table.features)"});
  given.char_level = true;
  save(given);
  EXPECT_EQ(warnings({"on", "one"}),
            std::vector<std::string>{"x: 1 of 2 training texts are longer than 2 characters and "
                                     "lose some (text.length in table.features)"});
  given.char_level = false;
  given.oov_token = "";
  save(given);
  EXPECT_EQ(warnings({"three one two", "one one two"}),
            std::vector<std::string>{"x: 1 of 2 training texts are longer than 2 known words and "
                                     "lose some (text.length in table.features)"});
  EXPECT_EQ(message_of([&] {
              (void)warnings({"three four", "five"});
            }),
            "features: column \"x\": text.tokenizer \"" + config.text.tokenizer +
                "\" knows no word of 2 training rows; name the one that was made for such texts, "
                "or set {name: \"x\", text: {tokenizer: \"\"}} in table.features");
}

TEST(TextFeature, WordsThatVanishAreNotCut) {
  FeatureConfig config = texts(2);
  config.text.oov = "";
  config.text.words = 2;  // b alone is known
  EXPECT_TRUE(fit(*make_feature(config), {"b a c", "b b", "a b"}).empty());
  const auto feature = make_feature(config);
  EXPECT_EQ(fit(*feature, {"b a c", "b b a b", "a b"}),
            std::vector<std::string>{"x: 1 of 3 training texts are longer than 2 known words and "
                                     "lose some (text.length in table.features)"});
  EXPECT_EQ(ids(*feature, "b a c"), (Ids{0, 1}));
  EXPECT_EQ(ids(*feature, "b b a b"), (Ids{1, 1}));
  config.text.encode = TextEncode::kCount;
  EXPECT_TRUE(fit(*make_feature(config), {"b a c", "b b a b", "a b"}).empty());
}

TEST(TextFeature, RefusesABrokenState) {
  const auto feature = fitted(texts(2), {"a b"});
  const auto message = [&](const char* key, const Json& value) {
    Json state = feature->state();
    state[key] = value;
    return message_of([&] { (void)load_feature(feature->config(), state, "f.json"); });
  };
  EXPECT_EQ(message("words", 3), "f.json: \"words\" must be a list");
  EXPECT_EQ(message("words", Json::array({Json::array({"a", 1})})),
            "f.json: \"words\" must be a list of [word, number, count, documents]");
  EXPECT_EQ(message("words", Json::array({Json::array({"a", -1, 1, 1})})),
            "f.json: \"words\" holds the number -1");
  EXPECT_EQ(message("words", Json::array({Json::array({"a", 99, 1, 1})})),
            "word index: number 99 is outside 1 .. 2 (one more than the words)");
}

}  // namespace
}  // namespace ingot::data::text_feature_test
