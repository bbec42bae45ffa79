// SPDX-License-Identifier: Apache-2.0
// Rows of ids to what a network takes: one length for all (Keras' pad_sequences), or one number per
// word (Keras' Tokenizer.sequences_to_matrix). Values equal the original's. Called by
// data/transforms and by programs that use a WordIndex.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/config_fields.h"
#include "text/word_index.h"

namespace ingot::text {

/// Which end of a sequence is filled or cut; Keras' default is the front for both.
enum class SequenceEnd : uint8_t { kPre, kPost };
inline constexpr EnumName kSequenceEndNames[] = {{"pre", SequenceEnd::kPre},
                                                 {"post", SequenceEnd::kPost}};
constexpr std::span<const EnumName> enum_names(SequenceEnd) { return kSequenceEndNames; }

struct PadOptions {
  SequenceEnd pad = SequenceEnd::kPre;
  SequenceEnd truncate = SequenceEnd::kPre;
  int32_t value = 0;
};

/// `ids` cut to out.size() at one end or filled up with `value` at one end.
void pad_sequence(std::span<const int32_t> ids, const PadOptions& options, std::span<int32_t> out);

/// [sequences, length], row after row.
struct PaddedSequences {
  int64_t length = 0;
  std::vector<int32_t> ids;
};
/// length 0: that of the longest. Throws kInvalidArgument for a negative length.
[[nodiscard]] PaddedSequences pad_sequences(std::span<const std::vector<int32_t>> sequences,
                                            int64_t length, const PadOptions& options = {});

/// What a text's row holds at a word: 1, its count, its share of the text's words, or
/// (1 + ln count) · ln(1 + texts / (1 + texts with the word)), texts counted in fitting.
enum class BagMode : uint8_t { kBinary, kCount, kFreq, kTfidf };
inline constexpr EnumName kBagModeNames[] = {{"binary", BagMode::kBinary},
                                             {"count", BagMode::kCount},
                                             {"freq", BagMode::kFreq},
                                             {"tfidf", BagMode::kTfidf}};
constexpr std::span<const EnumName> enum_names(BagMode) { return kBagModeNames; }

/// Columns of a bag of words: num_words, or one more than the words when num_words is 0. Column 0
/// stands for no word and stays 0.
[[nodiscard]] int64_t bag_width(const WordIndex& words);

/// `ids` from words.encode(); out.size() == bag_width(words). Sums in double, rounds once.
void bag_of_words(const WordIndex& words, std::span<const int32_t> ids, BagMode mode,
                  std::span<float> out);

}  // namespace ingot::text
