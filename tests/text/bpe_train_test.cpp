// SPDX-License-Identifier: Apache-2.0
// Training against the textbook: count all pairs of all words anew before each merge.
#include "text/bpe_train.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "text/pretokenize.h"
#include "text/text_samples.h"

namespace ingot::text::bpe_train_test {
namespace {

using Symbols = std::vector<int32_t>;

Symbols merge_symbols(const Symbols& word, MergePair pair, int32_t merged) {
  Symbols out;
  for (size_t i = 0; i < word.size(); ++i) {
    const bool hit = i + 1 < word.size() && word[i] == pair.left && word[i + 1] == pair.right;
    out.push_back(hit ? merged : word[i]);
    if (hit) ++i;
  }
  return out;
}

std::vector<MergePair> naive_merges(const std::vector<std::string>& documents,
                                    const BpeModel& start, size_t count, int64_t min_frequency) {
  std::vector<std::string> tokens(start.tokens.begin(), start.tokens.end());
  const auto id_of = [&](const std::string& token) {
    return static_cast<int32_t>(std::find(tokens.begin(), tokens.end(), token) - tokens.begin());
  };
  std::vector<Symbols> words;
  for (const std::string& document : documents) {
    for_each_word(document, [&](std::string_view word) {
      Symbols symbols;
      for (const char c : word) symbols.push_back(id_of(std::string(1, c)));
      words.push_back(symbols);
    });
  }
  std::vector<MergePair> merges;
  while (merges.size() < count) {
    std::map<std::pair<int32_t, int32_t>, int64_t> counts;
    for (const Symbols& word : words) {
      for (size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    }
    const auto best = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) {
      return a.second < b.second;  // the first of equals is the smallest pair
    });
    if (best == counts.end() || best->second < min_frequency) break;
    const MergePair pair = {best->first.first, best->first.second};
    const std::string text =
        tokens[static_cast<size_t>(pair.left)] + tokens[static_cast<size_t>(pair.right)];
    if (id_of(text) == static_cast<int32_t>(tokens.size())) tokens.push_back(text);
    for (Symbols& word : words) word = merge_symbols(word, pair, id_of(text));
    merges.push_back(pair);
  }
  return merges;
}

BpeModel bytes_only() { return BpeTrainer({257, 2, {"<|endoftext|>"}}).train(); }

TEST(BpeTrainer, EqualsCountingAnew) {
  constexpr size_t kMerges = 60;
  std::mt19937 rng(5);
  for (const char* alphabet : {"ab ", "abc d\n", "aaaab b", "xyz   ==="}) {
    const std::vector<std::string> documents = {random_text(rng, 700, alphabet),
                                                random_text(rng, 900, alphabet)};
    BpeTrainer trainer({257 + static_cast<int64_t>(kMerges), 2, {"<|endoftext|>"}});
    for (const std::string& document : documents) trainer.feed(document);
    const BpeModel model = trainer.train();
    const auto expected = naive_merges(documents, bytes_only(), model.merges.size(), 2);
    EXPECT_EQ(model.merges, expected) << alphabet;
    EXPECT_GE(model.merges.size(), 20U);
  }
}

TEST(BpeTrainer, ByteIdsFollowGpt2) {
  const BpeModel model = bytes_only();
  ASSERT_EQ(model.tokens.size(), 257U);
  EXPECT_EQ(model.tokens[0], "<|endoftext|>");
  EXPECT_EQ(model.tokens[1], "!");
  EXPECT_EQ(model.tokens[94], "~");
  EXPECT_EQ(model.tokens[189], std::string(1, '\0'));
  EXPECT_EQ(model.tokens[221], " ");
}

TEST(BpeTrainer, OrderAndPartitionOfDocumentsDoNotMatter) {
  const std::string text = read_file(golden_path("corpus.txt"));
  const std::string_view view = text;
  const BpeTrainConfig config = {600, 2, {"<|endoftext|>"}};
  const size_t cut = view.find('\n', 20000);
  BpeTrainer forward(config);
  forward.feed(view.substr(0, cut));
  forward.feed(view.substr(cut));
  BpeTrainer first(config);
  BpeTrainer second(config);
  first.feed(view.substr(cut));
  second.feed(view.substr(0, cut));
  first.merge(second);
  EXPECT_EQ(forward.distinct_words(), first.distinct_words());
  EXPECT_EQ(forward.train().merges, first.train().merges);
  EXPECT_EQ(forward.train().tokens, first.train().tokens);
}

TEST(BpeTrainer, StopsAtMinFrequencyAndWithoutText) {
  BpeTrainer trainer({1000, 3, {"<|endoftext|>"}});
  trainer.feed("ab ab cd cd cd");
  const BpeModel model = trainer.train();
  for (const std::string& token : model.tokens) EXPECT_NE(token, "ab");
  EXPECT_EQ(model.merges.size(), 2U);  // "cd", then " cd"; "ab" stands there twice
  EXPECT_EQ(BpeTrainer({1000, 2, {}}).train().tokens.size(), 256U);
}

TEST(BpeTrainer, SpecialTokensComeFirstAndTheFirstEndsAText) {
  const BpeModel model = BpeTrainer({300, 2, {"<end>", "<pad>"}}).train();
  EXPECT_EQ(model.tokens[0], "<end>");
  EXPECT_EQ(model.tokens[1], "<pad>");
  EXPECT_EQ(model.eos_token, "<end>");
  EXPECT_EQ(ByteBpe(model).specials().all, (std::vector<int32_t>{0, 1}));
}

TEST(BpeTrainer, RefusesImpossibleSettings) {
  const auto refused = [](std::string_view part, const BpeTrainConfig& config) {
    expect_error(Code::kInvalidArgument, part, [&] { const BpeTrainer trainer(config); });
  };
  refused(
      "tokenizer.vocab_size: 256 is not in 257 (256 bytes and special tokens: 1) to 16777216; 4096 "
      "is usual",
      {256, 2, {"<e>"}});
  refused("tokenizer.vocab_size: 16777217 is not in 257", {(1 << 24) + 1, 2, {"<e>"}});
  BpeTrainConfig{1 << 24, 2, {"<e>"}}.check();
  BpeTrainConfig{257, 2, {"<e>"}}.check();
  refused("tokenizer.min_frequency: 0 must be at least 1; 2 is usual", {300, 0, {"<e>"}});
  refused("special token \"\" must be UTF-8 text of two bytes or more", {300, 2, {""}});
  refused("must be UTF-8 text", {300, 2, {"a\xFF"}});
  refused("special token \"<e>\" is given twice", {300, 2, {"<e>", "<e>"}});
}

}  // namespace
}  // namespace ingot::text::bpe_train_test
