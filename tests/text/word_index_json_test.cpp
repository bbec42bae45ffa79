// SPDX-License-Identifier: Apache-2.0
// Files written by Keras' to_json() load and give its ids; files written here load in Keras
// (`scripts/golden/word_index_golden.py FILE`) and hold the same tables.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/message_of.h"
#include "text/text_samples.h"
#include "text/word_index.h"

namespace ingot::text::word_index_json_test {
namespace {

using ::ingot::testing::code_of;
using ::ingot::testing::message_of;

Json golden() { return parse_json(read_file(golden_path("word_index.json")), "word_index.json"); }

std::vector<std::string> all_texts(const Json& json) {
  auto texts = json["texts"].get<std::vector<std::string>>();
  for (const Json& text : json["new"]) texts.push_back(text.get<std::string>());
  return texts;
}

TEST(KerasJson, LoadsWhatKerasWrote) {
  const Json json = golden();
  const std::vector<std::string> texts = all_texts(json);
  for (const Json& item : json["cases"]) {
    SCOPED_TRACE(item["options"].dump());
    const WordIndex words = WordIndex::from_keras_json(item["json"].get<std::string>(), "t.json");
    EXPECT_EQ(words.config().num_words, item["options"]["num_words"].get<int64_t>());
    EXPECT_EQ(words.config().oov_token, item["options"]["oov_token"].get<std::string>());
    for (size_t i = 0; i < texts.size(); ++i) {
      ASSERT_EQ(words.encode(texts[i]), item["ids"][i].get<std::vector<int32_t>>());
    }
  }
}

/// Every nested table as a map, every other member as it is.
std::map<std::string, nlohmann::json> members(const std::string& text) {
  const nlohmann::json config = nlohmann::json::parse(text)["config"];
  std::map<std::string, nlohmann::json> result;
  for (const auto& [key, value] : config.items()) {
    const bool table = value.is_string() && value.get<std::string>().starts_with("{");
    result[key] = table ? nlohmann::json::parse(value.get<std::string>()) : value;
  }
  return result;
}

TEST(KerasJson, WritesWhatKerasWrites) {
  const Json json = golden();
  for (const Json& item : json["cases"]) {
    SCOPED_TRACE(item["options"].dump());
    const auto written = item["json"].get<std::string>();
    const WordIndex loaded = WordIndex::from_keras_json(written, "t.json");
    WordCounter counter(loaded.config());
    for (const Json& text : json["texts"]) counter.add(text.get<std::string>());
    EXPECT_EQ(members(counter.finish().to_keras_json()), members(written));
    EXPECT_EQ(members(loaded.to_keras_json()), members(written));
  }
}

TEST(KerasJson, KeepsNumbersThatCountsDoNotExplain) {
  // A word_index cut by hand, as in many notebooks: the words left out become unknown.
  const std::string text =
      R"({"class_name": "Tokenizer", "config": {"num_words": null, "oov_token": "?",)"
      R"("word_counts": "{\"a\": 9, \"b\": 3, \"c\": 1}", "word_docs": "{\"a\": 2}",)"
      R"("word_index": "{\"b\": 2, \"a\": 3, \"?\": 4}"}})";
  const WordIndex words = WordIndex::from_keras_json(text, "t.json");
  EXPECT_EQ(words.encode("a b c d"), (std::vector<int32_t>{3, 2, 4, 4}));
  EXPECT_EQ(words.documents_of(3), 2);
  EXPECT_EQ(WordIndex::from_keras_json(words.to_keras_json(), "t").encode("a b c d"),
            (std::vector<int32_t>{3, 2, 4, 4}));
}

TEST(KerasJson, NamesWhatIsWrong) {
  const auto message = [](const std::string& text) {
    return message_of([&] { (void)WordIndex::from_keras_json(text, "t.json"); });
  };
  const std::string hint = "; is it a tokenizer.json written by Keras' to_json()?";
  EXPECT_EQ(message("{}"), "t.json: has no member \"config\"" + hint);
  EXPECT_EQ(message(R"({"config": 1})"), "t.json: \"config\" is no object" + hint);
  EXPECT_EQ(message(R"({"config": {}})"), "t.json: has no member \"word_index\"" + hint);
  EXPECT_EQ(message(R"({"config": {"num_words": "a"}})"),
            "t.json: \"num_words\" must be a whole number" + hint);
  EXPECT_EQ(message(R"({"config": {"num_words": -1}})"),
            "t.json: \"num_words\" is -1, it must not be negative" + hint);
  EXPECT_EQ(message(R"({"config": {"filters": 1}})"),
            "t.json: \"filters\" must be a string" + hint);
  EXPECT_EQ(message(R"({"config": {"lower": 1}})"),
            "t.json: \"lower\" must be true or false" + hint);
  EXPECT_EQ(message(R"({"config": {"word_index": {}}})"),
            "t.json: \"word_index\" must be a string that holds a JSON object" + hint);
  EXPECT_EQ(message(R"({"config": {"word_index": "{\"a\": 0}"}})"),
            "t.json: word_index of \"a\" is 0, it must be in 1 .. 2147483647" + hint);
  EXPECT_EQ(message(R"({"config": {"word_index": "{\"a\": 7}"}})"),
            "t.json: word index: number 7 is outside 1 .. 2 (one more than the words)");
  EXPECT_EQ(message(R"({"config": {"split": "", "word_index": "{}"}})"),
            "t.json: word index: split is empty; give the text that separates words, or "
            "char_level=true");
  EXPECT_EQ(message(R"({"config": {"word_counts": "{\"a\":"}})").substr(0, 20),
            "t.json: word_counts:");
  EXPECT_EQ(code_of([] { (void)WordIndex::from_keras_json("[", "t.json"); }), "corrupt_file");
}

}  // namespace
}  // namespace ingot::text::word_index_json_test
