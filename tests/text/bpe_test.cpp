// SPDX-License-Identifier: Apache-2.0
// Encoding against the definition of byte pair encoding written as naive loops over strings.
#include "text/bpe.h"

#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "text/pretokenize.h"
#include "text/text_samples.h"

namespace ingot::text::bpe_test {
namespace {

// The truth: parts of the word as strings; the merge listed first, leftmost, until none applies.
class NaiveBpe {
 public:
  explicit NaiveBpe(const BpeModel& model) {
    for (size_t id = 0; id < model.tokens.size(); ++id) {
      ids_.emplace(model.tokens[id], static_cast<int32_t>(id));
    }
    int rank = 0;
    for (const MergePair& pair : model.merges) {
      ranks_[{model.tokens[static_cast<size_t>(pair.left)],
              model.tokens[static_cast<size_t>(pair.right)]}] = rank++;
    }
  }

  std::vector<int32_t> encode_word(std::string_view word) const {
    std::vector<std::string> parts;
    for (const char c : word) parts.emplace_back(1, c);
    for (size_t best = find_best(parts); best < parts.size(); best = find_best(parts)) {
      parts[best] += parts[best + 1];
      parts.erase(parts.begin() + static_cast<int64_t>(best) + 1);
    }
    std::vector<int32_t> ids;
    for (const std::string& part : parts) ids.push_back(ids_.at(part));
    return ids;
  }

  std::vector<int32_t> encode(std::string_view text) const {
    std::vector<int32_t> ids;
    for_each_word(text, [&](std::string_view word) {
      const auto more = encode_word(word);
      ids.insert(ids.end(), more.begin(), more.end());
    });
    return ids;
  }

 private:
  size_t find_best(const std::vector<std::string>& parts) const {
    size_t best = parts.size();
    int best_rank = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto at = ranks_.find({parts[i], parts[i + 1]});
      if (at == ranks_.end() || (best < parts.size() && at->second >= best_rank)) continue;
      best = i;
      best_rank = at->second;
    }
    return best;
  }

  std::map<std::string, int32_t> ids_;
  std::map<std::pair<std::string, std::string>, int> ranks_;
};

BpeModel byte_model() {
  BpeModel model;
  for (int byte = 0; byte < 256; ++byte) model.tokens.emplace_back(1, static_cast<char>(byte));
  return model;
}

// The merge of two tokens by their bytes, appended to the model.
void add_merge(BpeModel& model, const std::string& left, const std::string& right) {
  const auto id = [&](const std::string& token) {
    const auto at = std::find(model.tokens.begin(), model.tokens.end(), token);
    return static_cast<int32_t>(at - model.tokens.begin());
  };
  model.merges.push_back({id(left), id(right)});
  if (id(left + right) == static_cast<int32_t>(model.tokens.size())) {
    model.tokens.push_back(left + right);
  }
}

TEST(ByteBpe, MergesTheLowestRankLeftmostFirst) {
  BpeModel model = byte_model();
  add_merge(model, "b", "c");  // 256
  add_merge(model, "a", "b");  // 257
  add_merge(model, "a", "a");  // 258
  const ByteBpe bpe(model);
  EXPECT_EQ(bpe.encode("abc"), (std::vector<int32_t>{'a', 256}));
  EXPECT_EQ(bpe.encode("abab"), (std::vector<int32_t>{257, 257}));
  EXPECT_EQ(bpe.encode("aaab"), (std::vector<int32_t>{258, 257}));
  EXPECT_EQ(bpe.encode("aaaaa"), (std::vector<int32_t>{258, 258, 'a'}));
}

TEST(ByteBpe, EqualsTheDefinitionOnShortAndLongWords) {
  const BpeModel model = golden_model();
  const ByteBpe bpe(model);
  const NaiveBpe naive(model);
  std::mt19937 rng(7);
  for (int round = 0; round < 300; ++round) {
    const int64_t size = 1 + static_cast<int64_t>(rng() % 120);
    for (const std::string& text : {random_text(rng, size, "theinrs"), random_text(rng, size, "ab"),
                                    random_text(rng, size, " -=\n"), random_bytes(rng, size)}) {
      ASSERT_EQ(bpe.encode(text, Added::kPlain), naive.encode(text)) << text;
    }
  }
}

TEST(ByteBpe, MergesWhoseResultIsRankedLowerStillFollowTheDefinition) {
  BpeModel model = byte_model();
  model.tokens.push_back("ab");
  model.tokens.push_back("abab");
  model.tokens.push_back("bab");
  add_merge(model, "ab", "ab");  // listed before the pair it is made of
  add_merge(model, "b", "ab");
  add_merge(model, "a", "b");
  const NaiveBpe naive(model);
  const ByteBpe bpe(model);
  std::mt19937 rng(3);
  for (int64_t size = 1; size < 100; ++size) {
    const std::string text = random_text(rng, size, "aabb");
    ASSERT_EQ(bpe.encode(text), naive.encode(text)) << text;
  }
}

TEST(ByteBpe, EveryByteStringRoundTrips) {
  const ByteBpe bpe(golden_model());
  EncodeScratch scratch;
  std::mt19937 rng(11);
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_bytes(rng, static_cast<int64_t>(rng() % 5000));
    std::vector<int32_t> ids;
    bpe.encode(text, Added::kMatch, scratch, ids);
    ASSERT_EQ(bpe.decode(ids), text);
  }
}

TEST(ByteBpe, LongRunsOfOneCharacterRoundTrip) {
  constexpr size_t kRunBytes = 1 << 20;  // quadratic work would need minutes
  const ByteBpe bpe(golden_model());
  for (const char c : {'a', ' ', '\n', '=', '\xFF'}) {
    const std::string run(kRunBytes, c);
    EXPECT_EQ(bpe.decode(bpe.encode(run)), run);
  }
}

TEST(ByteBpe, OneScratchServesTwoTokenizersAndTheCacheChangesNothing) {
  const ByteBpe first(golden_model());
  const ByteBpe second(byte_model());
  const std::string text = read_file(golden_path("corpus.txt"));
  EncodeScratch scratch(16);
  EncodeScratch none(0);
  for (int round = 0; round < 2; ++round) {
    std::vector<int32_t> cached;
    std::vector<int32_t> fresh;
    first.encode(text, Added::kMatch, scratch, cached);
    first.encode(text, Added::kMatch, none, fresh);
    EXPECT_EQ(cached, fresh);
    std::vector<int32_t> bytes;
    second.encode(text, Added::kMatch, scratch, bytes);
    EXPECT_EQ(bytes.size(), text.size());
  }
}

TEST(ByteBpe, ThreadsShareATokenizer) {
  const ByteBpe bpe(golden_model());
  const std::string text = read_file(golden_path("corpus.txt"));
  const std::vector<int32_t> expected = bpe.encode(text);
  std::vector<std::vector<int32_t>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      EncodeScratch scratch;
      bpe.encode(text, Added::kMatch, scratch, result);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

TEST(ByteBpe, AddedTokensAreMatchedOnlyWhenAsked) {
  const ByteBpe bpe(golden_model());
  const std::string text = "it<|endoftext|>";
  EXPECT_EQ(bpe.encode(text).back(), 0);
  const std::vector<int32_t> plain = bpe.encode(text, Added::kPlain);
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 0), 0);
  EXPECT_EQ(bpe.decode(plain), text);
  EXPECT_EQ(bpe.eos_id(), 0);
  EXPECT_EQ(bpe.bos_id(), std::nullopt);
  EXPECT_TRUE(bpe.is_special(0));
  EXPECT_FALSE(bpe.is_special(1));
  EXPECT_EQ(bpe.decode(bpe.encode(text), /*skip_special=*/true), "it");
}

// Expected words are those of the PyPI package with the same flags.
TEST(ByteBpe, FlagsOfThePreTokenizer) {
  BpeModel model = golden_model();
  const auto pieces = [&](std::string_view text) {
    const ByteBpe bpe(model);
    std::vector<std::string> out;
    for (const int32_t id : bpe.encode(text)) out.emplace_back(bpe.token_bytes(id));
    return out;
  };
  using Pieces = std::vector<std::string>;
  EXPECT_EQ(pieces("it doesn't  read"), (Pieces{"it", " doesn", "'t", " ", " read"}));
  model.add_prefix_space = true;
  EXPECT_EQ(pieces("a<|endoftext|>b <|endoftext|> c"),
            (Pieces{" a", "<|endoftext|>", " b", " ", "<|endoftext|>", " ", "c"}));
  EXPECT_EQ(pieces(" a  b<|endoftext|>\nc"),
            (Pieces{" a", " ", " b", "<|endoftext|>", " ", "\n", "c"}));
  EXPECT_TRUE(pieces("").empty());
  model.add_prefix_space = false;
  model.split_words = false;
  EXPECT_EQ(pieces("it doesn't  read"), (Pieces{"it", " doesn", "'t", " ", " read"}));
  const std::string longer(static_cast<size_t>(kMaxWordBytes) + 5, 'x');
  EXPECT_EQ(ByteBpe(model).decode(ByteBpe(model).encode(longer)), longer);
}

TEST(ByteBpe, IgnoreMergesTakesTheWholeWord) {
  BpeModel model = byte_model();
  model.tokens.push_back("xy");
  model.tokens.push_back("xyz");
  add_merge(model, "x", "y");
  EXPECT_EQ(ByteBpe(model).encode("xyz"), (std::vector<int32_t>{256, 'z'}));
  model.ignore_merges = true;
  EXPECT_EQ(ByteBpe(model).encode("xyz"), (std::vector<int32_t>{257}));
}

TEST(ByteBpe, LooksUpTokensAndRefusesUnknownIds) {
  const ByteBpe bpe(golden_model());
  EXPECT_EQ(bpe.vocab_size(), 1013);  // the corpus has no more pairs
  EXPECT_EQ(bpe.token_bytes(*bpe.token_id(" the")), " the");
  EXPECT_EQ(bpe.token_id("no such token"), std::nullopt);
  const std::vector<int32_t> ids = {1, 1013};
  EXPECT_EQ(error_of(Code::kInvalidArgument, [&] { (void)bpe.decode(ids); }),
            "decode: id 1013 is outside the vocabulary of 1013");
  expect_error(Code::kInvalidArgument, "id -1 is outside", [&] { (void)bpe.token_bytes(-1); });
}

TEST(BpeModel, CheckNamesTheBrokenRule) {
  const auto broken = [](std::string_view part, const auto& breakage) {
    BpeModel model = byte_model();
    breakage(model);
    expect_error(Code::kInvalidArgument, part, [&] { const ByteBpe bpe(model); });
  };
  AddedToken end;
  end.id = 256;
  end.content = "<end>";
  broken("byte 0x41 has no token", [](BpeModel& m) { m.tokens['A'] = "AA"; });
  broken("tokens 65 and 256 are both \"A\"", [](BpeModel& m) { m.tokens.push_back("A"); });
  broken("merge 0 joins ids 0 and 256, the vocabulary has 256", [](BpeModel& m) {
    m.merges.push_back({0, 256});
  });
  broken("merge 0 makes \"ab\" from \"a\" and \"b\", which is no token", [](BpeModel& m) {
    m.merges.push_back({'a', 'b'});
  });
  broken("added token \"<end>\" has id 256, the vocabulary has 256",
         [&](BpeModel& m) { m.added.push_back(end); });
  broken("added token \"<end>\" has id 256, which is \"<e>\"", [&](BpeModel& m) {
    m.tokens.push_back("<e>");
    m.added.push_back(end);
  });
  broken("id 256 is added twice", [&](BpeModel& m) {
    m.tokens.push_back("<end>");
    m.added = {end, end};
  });
  broken("added token 256 is empty", [&](BpeModel& m) {
    m.tokens.push_back("");
    m.added = {end};
    m.added[0].content = "";
  });
  broken("eos_token \"<eos>\" is no token", [](BpeModel& m) { m.eos_token = "<eos>"; });
}

}  // namespace
}  // namespace ingot::text::bpe_test
