// SPDX-License-Identifier: Apache-2.0
// Each distinct word is a run of symbols in one array. For each pair a chain of (word, next) nodes
// tells where it occurs; a pair's chain may name words that have lost it, never misses one that has
// it. The heap holds (count, pair) entries that may be out of date: an entry whose count is not the
// pair's present one is pushed again with that, so the top with a true count is the maximum.
// An overlapping pair ("aaa" has "aa" twice) is counted as often as it stands in the word.
#include "text/bpe_train.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "text/byte_alphabet.h"
#include "text/pretokenize.h"

namespace ingot::text {
namespace {

constexpr uint32_t kNil = 0xFFFFFFFFU;
constexpr int64_t kMaxDistinctWords = int64_t{1} << 31;
constexpr size_t kMaxDistinctBytes = size_t{1} << 31;  // nodes are numbered with 32 bits

struct Pair {
  uint64_t key;  // left << 32 | right: the smaller key is the smaller pair
  int64_t count;
  uint32_t chain;  // first node, newest word first
  bool pushed;     // already in the list of pairs that this merge raised
};

// Pairs in order of first sight, found through open addressing.
class PairTable {
 public:
  uint32_t index_of(uint64_t key) {
    if ((pairs_.size() + 1) * 2 > slots_.size()) grow();
    size_t i = mix64(key) & (slots_.size() - 1);
    for (; slots_[i] != 0; i = (i + 1) & (slots_.size() - 1)) {
      if (pairs_[slots_[i] - 1].key == key) return slots_[i] - 1;
    }
    pairs_.push_back({key, 0, kNil, false});
    slots_[i] = static_cast<uint32_t>(pairs_.size());
    return slots_[i] - 1;
  }
  Pair& operator[](uint32_t index) { return pairs_[index]; }
  [[nodiscard]] size_t size() const { return pairs_.size(); }

 private:
  void grow() {
    slots_.assign(std::max<size_t>(size_t{1} << 16, slots_.size() * 2), 0);
    for (size_t p = 0; p < pairs_.size(); ++p) {
      size_t i = mix64(pairs_[p].key) & (slots_.size() - 1);
      while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = static_cast<uint32_t>(p + 1);
    }
  }
  std::vector<Pair> pairs_;
  std::vector<uint32_t> slots_;  // index + 1, 0: empty
};

struct HeapEntry {
  int64_t count;
  uint64_t key;
  uint32_t pair;
  bool operator<(const HeapEntry& other) const {  // the largest is merged next
    return count != other.count ? count < other.count : key > other.key;
  }
};

class Learner {
 public:
  Learner(const WordCounts& counts, const std::array<uint32_t, 256>& byte_ids) {
    size_t bytes = 0;
    for (const auto& word : counts.words()) bytes += word.size_bytes;
    require(bytes < kMaxDistinctBytes, Code::kUnsupported,
            "train tokenizer: the distinct words have {} bytes, at most {} are possible; feed a "
            "sample of the text",
            bytes, kMaxDistinctBytes);
    symbols_.reserve(bytes);
    words_.reserve(counts.words().size());
    for (const auto& word : counts.words()) {
      words_.push_back({symbols_.size(), word.count, word.size_bytes});
      for (const char c : counts.bytes(word)) symbols_.push_back(byte_ids[static_cast<uint8_t>(c)]);
    }
    nodes_.reserve(bytes);
    for (uint32_t w = 0; w < words_.size(); ++w) {
      const uint32_t* symbol = symbols_.data() + words_[w].begin;
      for (uint32_t i = 0; i + 1 < words_[w].size; ++i) {
        change(symbol[i], symbol[i + 1], words_[w].count, w);
      }
    }
    push_raised();
  }

  // The most frequent pair, or nothing where its count is below `least`.
  bool next(int64_t least, HeapEntry& best) {
    while (!heap_.empty()) {
      best = heap_.top();
      heap_.pop();
      const int64_t count = pairs_[best.pair].count;
      if (count == best.count) return count >= least;
      best.count = count;
      if (count > 0) heap_.push(best);
    }
    return false;
  }

  // Replaces the pair by `merged` in every word.
  void merge(const HeapEntry& best, uint32_t merged) {
    uint32_t node = std::exchange(pairs_[best.pair].chain, kNil);
    while (node != kNil) {
      const Node here = nodes_[node];
      merge_word(here.word, static_cast<uint32_t>(best.key >> 32), static_cast<uint32_t>(best.key),
                 merged);
      nodes_[node].next = std::exchange(free_, node);
      node = here.next;
    }
    pairs_[best.pair].count = 0;
    push_raised();
  }

 private:
  struct Word {
    size_t begin;
    int64_t count;
    uint32_t size;
  };
  struct Node {
    uint32_t word;
    uint32_t next;
  };

  void change(uint32_t left, uint32_t right, int64_t by, uint32_t word) {
    const uint32_t index = pairs_.index_of((static_cast<uint64_t>(left) << 32) | right);
    Pair& pair = pairs_[index];
    pair.count += by;
    if (by < 0) return;
    if (pair.chain == kNil || nodes_[pair.chain].word != word) {
      pair.chain = new_node(word, pair.chain);
    }
    if (!pair.pushed) raised_.push_back(index);
    pair.pushed = true;
  }

  uint32_t new_node(uint32_t word, uint32_t next) {
    if (free_ == kNil) {
      nodes_.push_back({word, next});
      return static_cast<uint32_t>(nodes_.size() - 1);
    }
    const uint32_t node = std::exchange(free_, nodes_[free_].next);
    nodes_[node] = {word, next};
    return node;
  }

  // Left to right; what stands left of `out` is already merged.
  void merge_word(uint32_t w, uint32_t left, uint32_t right, uint32_t merged) {
    Word& word = words_[w];
    uint32_t* s = symbols_.data() + word.begin;
    uint32_t out = 0;
    for (uint32_t i = 0; i < word.size; ++out) {
      if (s[i] != left || i + 1 == word.size || s[i + 1] != right) {
        s[out] = s[i++];
        continue;
      }
      if (out > 0) {
        change(s[out - 1], left, -word.count, w);
        change(s[out - 1], merged, word.count, w);
      }
      i += 2;
      if (i < word.size) {
        change(right, s[i], -word.count, w);
        change(merged, s[i], word.count, w);
      }
      s[out] = merged;
    }
    word.size = out;
  }

  void push_raised() {
    for (const uint32_t index : raised_) {
      Pair& pair = pairs_[index];
      pair.pushed = false;
      if (pair.count > 0) heap_.push({pair.count, pair.key, index});
    }
    raised_.clear();
  }

  std::vector<uint32_t> symbols_;
  std::vector<Word> words_;
  std::vector<Node> nodes_;
  uint32_t free_ = kNil;
  PairTable pairs_;
  std::vector<uint32_t> raised_;
  std::priority_queue<HeapEntry> heap_;
};

// Ids of the 256 bytes follow the order of their spelling, as in GPT-2's vocabulary.
std::array<uint8_t, 256> bytes_by_spelling() {
  std::array<uint8_t, 256> order{};
  std::iota(order.begin(), order.end(), uint8_t{0});
  std::sort(order.begin(), order.end(),
            [](uint8_t a, uint8_t b) { return byte_alphabet()[a] < byte_alphabet()[b]; });
  return order;
}

// Tokens with their ids; the same bytes are one token, however they came about.
class Vocabulary {
 public:
  uint32_t add(const std::string& token) {
    const auto [at, fresh] = ids_.emplace(token, static_cast<uint32_t>(tokens_.size()));
    if (fresh) tokens_.push_back(token);
    return at->second;
  }
  [[nodiscard]] const std::string& operator[](uint32_t id) const { return tokens_[id]; }
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  std::vector<std::string> take() { return std::move(tokens_); }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, uint32_t> ids_;
};

}  // namespace

std::string_view WordCounts::bytes(const Word& word) const {
  return {arena_.data() + word.offset, word.size_bytes};
}

void WordCounts::add(std::string_view word, int64_t count) {
  if ((words_.size() + 1) * 2 > slots_.size()) grow();
  const uint64_t hash = hash64(word);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  size_t i = hash & (slots_.size() - 1);
  for (; slots_[i] != 0; i = (i + 1) & (slots_.size() - 1)) {
    Word& known = words_[slots_[i] - 1];
    if (known.tag == tag && known.size_bytes == word.size() && bytes(known) == word) {
      known.count += count;
      return;
    }
  }
  require(static_cast<int64_t>(words_.size()) < kMaxDistinctWords, Code::kUnsupported,
          "train tokenizer: more than {} distinct words; feed a sample of the text",
          kMaxDistinctWords);
  words_.push_back(
      {static_cast<int64_t>(arena_.size()), count, static_cast<uint32_t>(word.size()), tag});
  arena_.insert(arena_.end(), word.begin(), word.end());
  slots_[i] = static_cast<uint32_t>(words_.size());
}

void WordCounts::grow() {
  slots_.assign(std::max<size_t>(size_t{1} << 14, slots_.size() * 2), 0);
  for (size_t w = 0; w < words_.size(); ++w) {
    size_t i = hash64(bytes(words_[w])) & (slots_.size() - 1);
    while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = static_cast<uint32_t>(w + 1);
  }
}

void BpeTrainConfig::check() const {
  const auto specials = static_cast<int64_t>(special_tokens.size());
  require(vocab_size >= 256 + specials && vocab_size <= kMaxVocab, Code::kInvalidArgument,
          "tokenizer.vocab_size: {} is not in {} (256 bytes and special tokens: {}) to {}; 4096 is "
          "usual",
          vocab_size, 256 + specials, specials, kMaxVocab);
  require(min_frequency >= 1, Code::kInvalidArgument,
          "tokenizer.min_frequency: {} must be at least 1; 2 is usual", min_frequency);
  std::unordered_set<std::string_view> seen;
  for (const std::string& token : special_tokens) {
    require(token.size() > 1 && is_valid_utf8(token), Code::kInvalidArgument,
            "train tokenizer: special token \"{}\" must be UTF-8 text of two bytes or more",
            excerpt(token));
    require(seen.insert(token).second, Code::kInvalidArgument,
            "train tokenizer: special token \"{}\" is given twice", excerpt(token));
  }
}

BpeTrainer::BpeTrainer(BpeTrainConfig config) : config_(std::move(config)) { config_.check(); }

void BpeTrainer::feed(std::string_view document) {
  for_each_word(document, [&](std::string_view word) { counts_.add(word); });
}

void BpeTrainer::merge(const BpeTrainer& other) {
  for (const auto& word : other.counts_.words()) counts_.add(other.counts_.bytes(word), word.count);
}

BpeModel BpeTrainer::train(const StopFlag* stop) const {
  Vocabulary vocabulary;
  BpeModel model;
  for (const std::string& token : config_.special_tokens) {
    AddedToken added;
    added.id = static_cast<int32_t>(vocabulary.add(token));
    added.content = token;
    model.added.push_back(std::move(added));
  }
  if (!config_.special_tokens.empty()) model.eos_token = config_.special_tokens.front();
  std::array<uint32_t, 256> byte_ids{};
  for (const uint8_t byte : bytes_by_spelling()) {
    byte_ids[byte] = vocabulary.add(std::string(1, static_cast<char>(byte)));
  }
  Learner learner(counts_, byte_ids);
  HeapEntry best{};
  while (vocabulary.size() < config_.vocab_size && learner.next(config_.min_frequency, best)) {
    throw_if_stopped(stop);
    const auto left = static_cast<uint32_t>(best.key >> 32);
    const auto right = static_cast<uint32_t>(best.key);
    const uint32_t merged = vocabulary.add(vocabulary[left] + vocabulary[right]);
    model.merges.push_back({static_cast<int32_t>(left), static_cast<int32_t>(right)});
    learner.merge(best, merged);
  }
  model.tokens = vocabulary.take();
  return model;
}

}  // namespace ingot::text
