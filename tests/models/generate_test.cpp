// SPDX-License-Identifier: Apache-2.0
// One text at a time over the fake model: equality of ways to compute it, stop strings, UTF-8.
#include "models/generate.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/fake_model.h"

namespace ingot::models::generate_test {
namespace {

using testing::error_of;
using testing::FakeDecoder;
using testing::FakeTokenizer;
using testing::kEos;
using testing::kEuroHead;
using testing::kEuroTail;
using testing::kHello;
using testing::script_after;

const FakeTokenizer kTokenizer;

std::vector<int32_t> ids(const std::string& text) { return kTokenizer.encode(text); }

/// The text that the scripted ids give, with the pieces as they were shown.
Generated scripted(const std::vector<int32_t>& script, GenerateOptions options,
                   std::vector<std::string>* pieces = nullptr) {
  FakeDecoder decoder;
  decoder.script = script_after(2, script);
  return generate(decoder, kTokenizer, ids("ab"), options, [&](std::string_view piece) {
    if (pieces != nullptr) pieces->emplace_back(piece);
    return true;
  });
}

TEST(Generate, ChunkedPrefillGivesTheSameTextAsOneRowAtATime) {
  GenerateOptions options;
  options.max_tokens = 40;
  options.sampling.seed = 3;
  std::vector<std::string> texts;
  for (const int64_t rows : {1, 7, 128}) {
    FakeDecoder decoder({.max_rows = rows});
    const Generated result = generate(decoder, kTokenizer, ids(std::string(50, 'x')), options);
    EXPECT_EQ(result.finish, FinishReason::kLength);
    EXPECT_EQ(result.completion.size(), 40U);
    texts.push_back(result.text);
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
  EXPECT_FALSE(texts[0].empty());
}

TEST(Generate, StopsAtTheEndOfTextTokenUnlessTold) {
  GenerateOptions options;
  const Generated stopped = scripted({kHello}, options);
  EXPECT_EQ(stopped.text, "hello");
  EXPECT_EQ(stopped.finish, FinishReason::kStop);
  EXPECT_EQ(stopped.completion, (std::vector<int32_t>{kHello, kEos}));
  options.ignore_eos = true;
  const Generated longer = scripted({kHello}, options);
  EXPECT_EQ(longer.finish, FinishReason::kLength);
  EXPECT_EQ(longer.completion.size(), 16U);
  EXPECT_EQ(longer.text, "hello") << "special tokens have no text";
}

TEST(Generate, AStopStringOverSeveralTokensIsNeverShown) {
  GenerateOptions options;
  options.stop = {"END", "never"};
  std::vector<std::string> pieces;
  const Generated result =
      scripted({'o', 'k', 'E', 'N', 'x', 'E', 'N', 'D', 'z'}, options, &pieces);
  EXPECT_EQ(result.text, "okENx");
  EXPECT_EQ(result.finish, FinishReason::kStop);
  EXPECT_EQ(pieces, (std::vector<std::string>{"o", "k", "ENx"}));
}

TEST(Generate, TheEarliestOfSeveralStopStringsCuts) {
  GenerateOptions options;
  options.stop = {"llo", "he", "ello"};
  EXPECT_EQ(scripted({'a', kHello}, options).text, "a");
}

TEST(Generate, HeldBackTextIsShownWhenTheTextEndsOtherwise) {
  GenerateOptions options;
  options.stop = {"END"};
  EXPECT_EQ(scripted({'a', 'E', 'N'}, options).text, "aEN");
  options.max_tokens = 2;
  const Generated cut = scripted({'a', 'E', 'N'}, options);
  EXPECT_EQ(cut.text, "aE");
  EXPECT_EQ(cut.finish, FinishReason::kLength);
}

TEST(Generate, CharactersOverTokenBordersAreHeldBack) {
  std::vector<std::string> pieces;
  EXPECT_EQ(scripted({'a', kEuroHead, kEuroTail, 'b'}, {}, &pieces).text, "a\u20ACb");
  EXPECT_EQ(pieces, (std::vector<std::string>{"a", "\u20AC", "b"}));
  EXPECT_EQ(scripted({'a', kEuroHead}, {}).text, "a\uFFFD");
}

TEST(Generate, AStopStringMayBeginInsideAnotherOne) {
  GenerateOptions options;
  options.stop = {"aab"};
  EXPECT_EQ(scripted({'a', 'a', 'a', 'b'}, options).text, "a");
}

TEST(Generate, EchoShowsThePromptWhichStopStringsDoNotCut) {
  GenerateOptions options;
  options.echo = true;
  options.stop = {"b"};
  EXPECT_EQ(scripted({'c', 'b'}, options).text, "abc");
  options.max_tokens = 0;
  const Generated only = scripted({'c'}, options);
  EXPECT_EQ(only.text, "ab");
  EXPECT_EQ(only.finish, FinishReason::kLength);
}

TEST(Generate, ThePaddingOfTheVocabularyIsNeverDrawn) {
  FakeDecoder decoder;  // gives the ids of the padding the largest logits
  GenerateOptions options;
  options.sampling.temperature = 0.0F;
  for (const int32_t id : generate(decoder, kTokenizer, ids("q"), options).completion) {
    EXPECT_LT(id, kTokenizer.vocab_size());
  }
}

TEST(Generate, AListenerCanEndTheText) {
  FakeDecoder decoder;
  int calls = 0;
  const Generated result =
      generate(decoder, kTokenizer, ids("q"), {}, [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(result.finish, FinishReason::kCancelled);
}

TEST(Sequence, ScoresThePromptAndTheCompletion) {
  FakeDecoder decoder({.max_rows = 2});
  GenerateOptions options;
  options.echo = true;
  options.max_tokens = 2;
  options.sampling.logprobs = 1;
  Sequence sequence(ids("abc"), options, kTokenizer, decoder.spec());
  Sampler sampler(drawable_ids(decoder.spec(), kTokenizer));
  std::vector<int32_t> table(64 * 64);
  for (size_t i = 0; i < 64; ++i) table[i] = static_cast<int32_t>(i);
  std::vector<TokenPiece> tokens;
  std::string text;
  while (!sequence.finished()) {
    std::vector<DecodeRow> rows;
    sequence.append_rows(0, 2, 1, rows);
    std::vector<float> logits(264);
    ASSERT_EQ(rows.size(), 1U) << "one row with logits per call was allowed";
    decoder.forward(rows, table, logits);
    sequence.accept(rows[0].position, logits, sampler);
    const Piece piece = sequence.take();
    text += piece.text;
    tokens.insert(tokens.end(), piece.tokens.begin(), piece.tokens.end());
  }
  ASSERT_EQ(tokens.size(), 5U);
  EXPECT_FALSE(tokens[0].has_logprob);
  for (size_t i = 1; i < 5; ++i) {
    EXPECT_TRUE(tokens[i].has_logprob);
    EXPECT_EQ(tokens[i].text_offset, static_cast<int64_t>(i));
    ASSERT_EQ(tokens[i].top.size(), 1U);
    EXPECT_GE(tokens[i].top[0].logprob, tokens[i].logprob);
  }
  EXPECT_EQ(text.substr(0, 3), "abc");
}

TEST(Sequence, AForgottenCacheChangesNothing) {
  std::vector<std::string> texts;
  for (const int64_t every : {1000, 5, 1}) {
    FakeDecoder decoder;
    GenerateOptions options;
    options.max_tokens = 20;
    Sequence sequence(ids("prompt"), options, kTokenizer, decoder.spec());
    Sampler sampler(drawable_ids(decoder.spec(), kTokenizer));
    std::vector<int32_t> table(64 * 64);
    for (size_t i = 0; i < 64; ++i) table[i] = static_cast<int32_t>(i);
    std::string text;
    for (int64_t step = 1; !sequence.finished(); ++step) {
      if (step % every == 0) sequence.forget_cache();
      std::vector<DecodeRow> rows;
      sequence.append_rows(0, 128, 1, rows);
      std::vector<float> logits(264);
      decoder.forward(rows, table, logits);
      sequence.accept(rows.back().position, logits, sampler);
      text += sequence.take().text;
    }
    texts.push_back(text);
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
}

TEST(Sequence, WrongInputIsNamed) {
  const DecoderSpec spec = FakeDecoder({.context = 8}).spec();
  const auto message = [&](std::vector<int32_t> prompt, GenerateOptions options) {
    return error_of([&] { Sequence(std::move(prompt), std::move(options), kTokenizer, spec); });
  };
  EXPECT_EQ(message({}, {}),
            "generate: the prompt has no tokens; give at least the begin-of-text token");
  EXPECT_EQ(
      message({1}, {}),
      "generate: the context is 8 tokens but 1 of prompt and 16 of completion were asked for; "
      "shorten the prompt or lower max_tokens");
  GenerateOptions options;
  options.max_tokens = 1;
  EXPECT_EQ(message({260}, options),
            "generate: the prompt holds token 260 but the vocabulary has 260");
  options.stop = {""};
  EXPECT_EQ(message({1}, options), "generate: a stop string is empty; leave it out");
  options.stop = {"\xFF"};
  EXPECT_EQ(message({1}, options), "generate: a stop string is not UTF-8; leave it out");
  options.stop = {};
  options.max_tokens = -1;
  EXPECT_EQ(message({1}, options), "generate: max_tokens is -1 but must be >= 0");
}

TEST(Generate, NeedsPagesForTheWholeText) {
  FakeDecoder decoder({.pages = 3});
  GenerateOptions options;
  EXPECT_EQ(error_of([&] { generate(decoder, kTokenizer, ids("q"), options); }),
            "generate: 17 tokens need 5 cache pages but the pool has 3; lower max_tokens");
}

}  // namespace
}  // namespace ingot::models::generate_test
