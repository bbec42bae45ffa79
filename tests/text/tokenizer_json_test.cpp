// SPDX-License-Identifier: Apache-2.0
// Reading good and bad tokenizer.json; that the PyPI package reads ours is in
// tokenizer_golden_test.
#include "text/tokenizer_json.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "text/byte_alphabet.h"
#include "text/text_samples.h"

namespace ingot::text::tokenizer_json_test {
namespace {

constexpr Code kCorrupt = Code::kCorruptFile;

// A small valid file: 256 bytes, "ab" = 256, <end> = 257 (added, in the vocabulary).
Json valid_file() {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocab[spell_bytes(std::string(1, static_cast<char>(byte)))] = byte;
  }
  vocab["ab"] = 256;
  vocab["<end>"] = 257;
  Json file;
  file["added_tokens"] = {{{"id", 257}, {"content", "<end>"}, {"special", true}}};
  file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  file["decoder"] = {{"type", "ByteLevel"}};
  file["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a b"}}};
  return file;
}

BpeModel parse(const Json& file) { return parse_tokenizer(file.dump(), "dir/tokenizer.json"); }

// Applies `change` to the valid file and expects the error to name the file and hold `part`.
template <class Change>
void refused(Code code, const std::string& part, const Change& change) {
  Json file = valid_file();
  change(file);
  const std::string message = error_of(code, [&] { (void)parse(file); });
  EXPECT_EQ(message.rfind("load tokenizer: dir/tokenizer.json: ", 0), 0U) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(TokenizerJson, ReadsBothFormsOfMerges) {
  Json file = valid_file();
  const BpeModel strings = parse(file);
  file["model"]["merges"] = Json::parse(R"([["a", "b"]])");
  const BpeModel pairs = parse(file);
  EXPECT_EQ(strings.merges, pairs.merges);
  EXPECT_EQ(strings.merges, (std::vector<MergePair>{{'a', 'b'}}));
  EXPECT_EQ(strings.tokens[256], "ab");
  EXPECT_EQ(strings.tokens['\n'], "\n");
  ASSERT_EQ(strings.added.size(), 1U);
  EXPECT_TRUE(strings.added[0].special);
  EXPECT_FALSE(strings.added[0].normalized);
}

TEST(TokenizerJson, AddedTokensMayStandOutsideTheVocabulary) {
  Json file = valid_file();
  file["added_tokens"].push_back(
      Json{{"id", 258}, {"content", "<|endoftext|>"}, {"lstrip", true}, {"rstrip", true}});
  file["added_tokens"].push_back(Json{{"id", 259}, {"content", "two words é"}});
  const BpeModel model = parse(file);
  EXPECT_EQ(model.tokens[259], "two words é");
  EXPECT_EQ(model.eos_token, "<|endoftext|>");
  EXPECT_TRUE(model.added[1].lstrip && model.added[1].rstrip && model.added[1].normalized);
  EXPECT_FALSE(model.added[1].special);
}

TEST(TokenizerJson, WritingAndReadingKeepsEverything) {
  BpeModel model = golden_model();
  model.add_prefix_space = true;
  model.ignore_merges = true;
  model.added[0].rstrip = true;
  model.bos_token = "<|endoftext|>";
  BpeModel read = parse_tokenizer(tokenizer_json(model), "memory");
  apply_tokenizer_config(tokenizer_config_json(model), "memory", read);
  EXPECT_EQ(read.tokens, model.tokens);
  EXPECT_EQ(read.merges, model.merges);
  EXPECT_TRUE(read.add_prefix_space && read.ignore_merges && read.split_words);
  EXPECT_TRUE(read.added[0].rstrip);
  EXPECT_EQ(read.bos_token, model.bos_token);
  EXPECT_EQ(read.eos_token, model.eos_token);
  EXPECT_EQ(tokenizer_json(read), tokenizer_json(model));
}

TEST(TokenizerJson, RefusesBrokenJson) {
  const std::string good = valid_file().dump();
  for (size_t size = 0; size < good.size(); size += 37) {
    const std::string message =
        error_of(kCorrupt, [&] { (void)parse_tokenizer(good.substr(0, size), "cut.json"); });
    EXPECT_NE(message.find("cut.json"), std::string::npos) << message;
  }
  const std::string deep(100000, '[');
  expect_error(kCorrupt, "deep.json", [&] { (void)parse_tokenizer(deep, "deep.json"); });
  expect_error(kCorrupt, "must hold a JSON object", [] { (void)parse_tokenizer("[]", "list"); });
}

TEST(TokenizerJson, RefusesLyingIds) {
  refused(kCorrupt, "\"ab\" has id 70000, but there are only 258 tokens: the ids have holes",
          [](Json& f) { f["model"]["vocab"]["ab"] = 70000; });
  refused(kCorrupt, "id 97 belongs to two tokens", [](Json& f) { f["model"]["vocab"]["ab"] = 97; });
  refused(kCorrupt, "an id of model.vocab is -1, ids are 0 to 2147483647",
          [](Json& f) { f["model"]["vocab"]["ab"] = -1; });
  refused(kCorrupt, "is 18446744073709551615, ids are",
          [](Json& f) { f["model"]["vocab"]["ab"] = 18446744073709551615ULL; });
  refused(kCorrupt, "model.vocab[\"ab\"] must be a whole number",
          [](Json& f) { f["model"]["vocab"]["ab"] = 2.5; });
  refused(kCorrupt, "added_tokens[0].id is 4294967296, ids are",
          [](Json& f) { f["added_tokens"][0]["id"] = int64_t{1} << 32; });
  refused(kCorrupt, "added token \"<end>\" has id 3, in model.vocab 257",
          [](Json& f) { f["added_tokens"][0]["id"] = 3; });
}

TEST(TokenizerJson, RefusesVocabulariesThatLoseText) {
  refused(kCorrupt, "byte 0x61 has no token", [](Json& f) {
    f["model"]["vocab"].erase("a");
    f["model"]["vocab"]["bb"] = 97;
    f["model"]["merges"] = Json::array();
  });
  refused(kCorrupt, "model.vocab[\"a b\"] is not spelled in the byte-level alphabet",
          [](Json& f) { f["model"]["vocab"]["a b"] = 258; });
  refused(kCorrupt, "model.vocab[\"\"] is not spelled",
          [](Json& f) { f["model"]["vocab"][""] = 258; });
  refused(kCorrupt, "model.vocab must be an object", [](Json& f) { f["model"]["vocab"] = 5; });
  refused(kCorrupt, "model must be an object", [](Json& f) { f.erase("model"); });
}

TEST(TokenizerJson, RefusesBrokenMerges) {
  const auto merges = [](const char* text) {
    return [text](Json& f) { f["model"]["merges"] = Json::parse(text); };
  };
  refused(kCorrupt, "model.merges[0] names \"zz\", which is not in model.vocab",
          merges(R"(["zz b"])"));
  refused(kCorrupt, "model.merges[1] is \"a  b\", not two tokens", merges(R"(["a b", "a  b"])"));
  refused(kCorrupt, "model.merges[0] is \"ab\", not two tokens", merges(R"(["ab"])"));
  refused(kCorrupt, "model.merges[0] must be \"a b\" or", merges(R"([["a"]])"));
  refused(kCorrupt, "model.merges[0] must be \"a b\" or", merges(R"([{"a": 1}])"));
  refused(kCorrupt, "merge 0 makes \"ba\" from \"b\" and \"a\", which is no token",
          merges(R"(["b a"])"));
  refused(kCorrupt, "model.merges must be an array", merges("null"));
}

TEST(TokenizerJson, RefusesBrokenAddedTokens) {
  refused(kCorrupt, "added_tokens must be an array", [](Json& f) { f["added_tokens"] = 1; });
  refused(kCorrupt, "added_tokens[0] must be an object", [](Json& f) { f["added_tokens"][0] = 1; });
  refused(kCorrupt, "added_tokens[0].content must be a string",
          [](Json& f) { f["added_tokens"][0].erase("content"); });
  refused(kCorrupt, "added_tokens[0].content is empty",
          [](Json& f) { f["added_tokens"][0]["content"] = ""; });
  refused(kCorrupt, "added_tokens[0].id is missing",
          [](Json& f) { f["added_tokens"][0].erase("id"); });
  refused(kCorrupt, "added_tokens[0].lstrip must be true or false",
          [](Json& f) { f["added_tokens"][0]["lstrip"] = "yes"; });
  refused(kCorrupt, "added_tokens[1]: \"<end>\" is listed twice", [](Json& f) {
    const Json copy = f["added_tokens"][0];
    f["added_tokens"].push_back(copy);
  });
}

TEST(TokenizerJson, RefusesFeaturesThatWouldChangeTheIds) {
  constexpr Code kUnsupported = Code::kUnsupported;
  refused(kUnsupported, "model.type \"WordPiece\" is not supported; known: BPE",
          [](Json& f) { f["model"]["type"] = "WordPiece"; });
  for (const std::string key : {"normalizer", "truncation", "padding"}) {
    refused(kUnsupported, key + " is not supported; set it to null", [&](Json& f) {
      f[key] = {{"type", "NFC"}};
    });
  }
  refused(kUnsupported, "pre_tokenizer \"Split\" is not supported; only ByteLevel is",
          [](Json& f) { f["pre_tokenizer"]["type"] = "Split"; });
  refused(kUnsupported, "decoder is null; only ByteLevel is supported",
          [](Json& f) { f["decoder"] = nullptr; });
  refused(kUnsupported, "post_processor \"TemplateProcessing\" is not supported", [](Json& f) {
    f["post_processor"] = {{"type", "TemplateProcessing"}};
  });
  refused(kUnsupported, "model.dropout is not supported",
          [](Json& f) { f["model"]["dropout"] = 0.1; });
  refused(kUnsupported, "model.end_of_word_suffix is not supported",
          [](Json& f) { f["model"]["end_of_word_suffix"] = "</w>"; });
  refused(kCorrupt, "pre_tokenizer.use_regex must be true or false",
          [](Json& f) { f["pre_tokenizer"]["use_regex"] = 1; });
  refused(kCorrupt, "decoder.type must be a string",
          [](Json& f) { f["decoder"] = Json::object(); });
}

TEST(TokenizerJson, RandomDamageIsAnErrorOrAValidModel) {
  const std::string good = valid_file().dump();
  std::mt19937 rng(17);
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 3; ++i) bad[rng() % bad.size()] = static_cast<char>(32 + rng() % 96);
    try {
      const ByteBpe bpe(parse_tokenizer(bad, "damaged"));
      EXPECT_EQ(bpe.decode(bpe.encode("abc")), "abc");
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == kCorrupt || error.code() == Code::kUnsupported) << error.what();
    }
  }
}

TEST(TokenizerConfig, NamesTheRoles) {
  BpeModel model = parse(valid_file());
  apply_tokenizer_config(R"({"eos_token": {"content": "<end>"}, "bos_token": null})", "c", model);
  EXPECT_EQ(model.eos_token, "<end>");
  EXPECT_EQ(model.bos_token, "");
  expect_error(kCorrupt, "load tokenizer: c: eos_token \"<no>\" is no token",
               [&] { apply_tokenizer_config(R"({"eos_token": "<no>"})", "c", model); });
  expect_error(kCorrupt, "c: pad_token must be a string, null or an object with content",
               [&] { apply_tokenizer_config(R"({"pad_token": 3})", "c", model); });
  expect_error(kCorrupt, "c: must hold a JSON object",
               [&] { apply_tokenizer_config("3", "c", model); });
}

TEST(TokenizerJson, RefusesToWriteTwoTokensWithOneSpelling) {
  BpeModel model = BpeTrainer({300, 2, {"Ġa"}}).train();
  model.tokens.push_back(" a");
  expect_error(Code::kInvalidArgument, "save tokenizer: two tokens are spelled \"Ġa\"",
               [&] { (void)tokenizer_json(model); });
}

}  // namespace
}  // namespace ingot::text::tokenizer_json_test
