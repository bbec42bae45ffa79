// SPDX-License-Identifier: Apache-2.0
// Learns a byte-level BPE from text: counts words once, then merges the most frequent adjacent pair
// until the vocabulary is full. Pair counts are updated only in the words that hold the pair, and a
// lazy heap yields the next one, so the cost follows the number of changes, not words x merges.
// Ties go to the smaller pair of ids and the result does not depend on the order of documents; it
// equals that of the PyPI `tokenizers` package with the full ByteLevel alphabet.
// Source: Sennrich 2016, algorithm 1. Called by the run and data verbs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/signals.h"
#include "text/bpe.h"

namespace ingot::text {

struct BpeTrainConfig {
  int64_t vocab_size = 32000;
  int64_t min_frequency = 2;
  std::vector<std::string> special_tokens = {"<|endoftext|>"};  ///< ids 0, 1, ...; [0] ends a text

  /// Throws kInvalidArgument naming tokenizer.<key> and a value that works: vocab_size from 256 and
  /// the special tokens to kMaxVocab, min_frequency from 1, special tokens of UTF-8, none twice.
  void check() const;
};

/// Counts of distinct words: open addressing over one arena of bytes.
class WordCounts {
 public:
  struct Word {
    int64_t offset;
    int64_t count;
    uint32_t size_bytes;
    uint32_t tag;
  };
  void add(std::string_view word, int64_t count = 1);
  [[nodiscard]] const std::vector<Word>& words() const { return words_; }
  [[nodiscard]] std::string_view bytes(const Word& word) const;

 private:
  void grow();
  std::vector<char> arena_;
  std::vector<Word> words_;
  std::vector<uint32_t> slots_;  // index + 1 into words_, 0: empty
};

class BpeTrainer {
 public:
  /// Throws what BpeTrainConfig::check throws.
  explicit BpeTrainer(BpeTrainConfig config = {});

  /// Adds one document; documents never share a word. Any bytes are accepted.
  void feed(std::string_view document);
  /// Adds what another trainer was fed: one trainer per thread, merged in any order.
  void merge(const BpeTrainer& other);
  [[nodiscard]] int64_t distinct_words() const {
    return static_cast<int64_t>(counts_.words().size());
  }
  /// Learns the merges. The vocabulary is smaller than asked where the text has too few pairs.
  /// Throws kCancelled (between merges).
  [[nodiscard]] BpeModel train(const StopFlag* stop = nullptr) const;

 private:
  BpeTrainConfig config_;
  WordCounts counts_;
};

}  // namespace ingot::text
