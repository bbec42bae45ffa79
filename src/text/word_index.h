// SPDX-License-Identifier: Apache-2.0
// Words to ids by rank, with the exact semantics of Keras' Tokenizer (keras_preprocessing 1.1.2,
// tf.keras.preprocessing.text): lower case, replace every filtered character by the separator, cut
// at the separator, number the words by falling count (first seen wins a tie) from 1; 0 is never
// a word. With an out-of-vocabulary token that token is 1 and the words start at 2. A word whose
// number reaches num_words is out of vocabulary. Ids, files (tokenizer.json of Keras) and padding
// equal the original's. Not reversible and not a text/tokenizer.h Tokenizer: filtered characters
// are lost. Called by data/transforms and by programs that take over a Keras vocabulary.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/config_fields.h"

namespace ingot::text {

/// Keras' default filters: ASCII punctuation without the apostrophe, tab and newline.
inline constexpr std::string_view kWordFilters = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";

struct WordIndexConfig {
  int64_t num_words = 10'000;
  std::string oov_token = "<OOV>";
  std::string filters = std::string(kWordFilters);
  bool lower = true;
  std::string split = " ";
  bool char_level = false;

  friend bool operator==(const WordIndexConfig&, const WordIndexConfig&) = default;
  void visit(auto& field) {
    field("num_words", num_words,
          "ids stay below this number: the token for unknown words and the num_words - 2 most "
          "frequent words; 0 keeps every word");
    field("oov_token", oov_token, "stands for unknown words, id 1; empty: unknown words vanish");
    field("filters", filters, "characters that separate words like `split` does");
    field("lower", lower, "lower case first");
    field("split", split, "what separates words");
    field("char_level", char_level, "every character is a word; filters and split are not used");
  }
};

/// Throws kInvalidArgument: num_words negative, empty split, filters or split not UTF-8.
void check(const WordIndexConfig& config);

/// What fitting counted of one word.
struct WordCount {
  std::string word;
  int64_t count = 0;      ///< occurrences
  int64_t documents = 0;  ///< texts that hold it
};

struct WordHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
  size_t operator()(std::string_view word) const noexcept;
};
template <class Value>
using WordMap = std::unordered_map<std::string, Value, WordHash, std::equal_to<>>;

/// Buffers of one caller of WordIndex::encode or WordCounter::add; keep it for the next call.
struct WordScratch {
  std::string lowered;
  std::string filtered;
  std::vector<std::string_view> words;
};

/// Words of a text in order, as Keras' text_to_word_sequence; with char_level its characters. The
/// views point into `text` or `scratch`, until the next call.
class WordSplitter {
 public:
  explicit WordSplitter(const WordIndexConfig& config);
  std::span<const std::string_view> operator()(std::string_view text, WordScratch& scratch) const;

 private:
  void replace_filtered(std::string_view text, std::string& out) const;

  WordIndexConfig config_;
  std::vector<uint32_t> filters_;  // sorted code points
  std::array<bool, 128> ascii_filter_{};
  bool bytewise_ = false;             // no filter and no separator of several bytes: use the table
  std::array<char, 256> replaced_{};  // byte, or the separator
};

/// Fitted vocabulary; immutable, shared by threads that bring a WordScratch each.
class WordIndex {
 public:
  /// Numbers `words`, which come in the order of first appearance, by falling count. Throws
  /// kInvalidArgument for a repeated word and for words beyond int32.
  WordIndex(WordIndexConfig config, std::vector<WordCount> words, int64_t document_count);
  /// Numbers given, one per word, 0 for none; `oov_number` where the token is no word of the list.
  /// Throws kInvalidArgument for a repeated word or number, or one above words.size() + 1.
  WordIndex(WordIndexConfig config, std::vector<WordCount> words, std::vector<int32_t> numbers,
            std::optional<int32_t> oov_number, int64_t document_count);

  /// Keras' Tokenizer.to_json(); its word_index decides the numbers. Throws kCorruptFile
  /// "<what>: ..." naming the member.
  [[nodiscard]] static WordIndex from_keras_json(std::string_view json, std::string_view what);
  /// Loads with Keras' tokenizer_from_json and counts on from there as this would.
  [[nodiscard]] std::string to_keras_json() const;

  /// Appends the ids of `text`: every one in [1, id_limit()).
  void encode(std::string_view text, WordScratch& scratch, std::vector<int32_t>& out) const;
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text) const;

  /// Number of any word seen in fitting (also beyond num_words) or of the token for unknown words.
  [[nodiscard]] std::optional<int32_t> number_of(std::string_view word) const;
  /// The word of a number, "" where there is none.
  [[nodiscard]] std::string_view word_of(int32_t number) const;
  /// Texts that held the word of this number, for tf-idf; 0 where there is none.
  [[nodiscard]] int64_t documents_of(int32_t number) const;

  /// Rows an embedding table needs: encode() gives smaller ids only.
  [[nodiscard]] int64_t id_limit() const { return id_limit_; }
  /// One more than the largest number.
  [[nodiscard]] int64_t number_limit() const { return static_cast<int64_t>(by_number_.size()); }
  [[nodiscard]] int64_t document_count() const { return document_count_; }
  [[nodiscard]] const WordIndexConfig& config() const { return config_; }
  [[nodiscard]] std::span<const WordCount> words() const { return words_; }
  /// Of words()[i]; 0 where it has none.
  [[nodiscard]] std::span<const int32_t> numbers() const { return numbers_; }
  /// Of the token for unknown words.
  [[nodiscard]] std::optional<int32_t> oov_number() const { return oov_number_; }

  /// The same ids from a smaller table: without the words that num_words cuts off.
  [[nodiscard]] WordIndex compact() const;

 private:
  void index_words(std::optional<int32_t> oov_number);

  WordIndexConfig config_;
  WordSplitter splitter_;
  std::vector<WordCount> words_;
  std::vector<int32_t> numbers_;  // [words]
  int64_t document_count_ = 0;
  WordMap<int32_t> lookup_;
  std::vector<int64_t> by_number_;  // index into words_, kNone or kOov
  std::optional<int32_t> oov_number_;
  int64_t id_limit_ = 1;
};

/// Counts words over any number of texts. Memory: the distinct words, at most `max_distinct`:
/// beyond it words that occurred once so far are forgotten, and the count of forgetting is kept.
class WordCounter {
 public:
  explicit WordCounter(const WordIndexConfig& config, int64_t max_distinct = 5'000'000);
  /// Returns how many words the text has.
  int64_t add(std::string_view text);
  /// Times that rare words were forgotten; 0: every number is Keras'.
  [[nodiscard]] int64_t prunings() const { return prunings_; }
  [[nodiscard]] int64_t document_count() const { return document_count_; }
  [[nodiscard]] WordIndex finish() const;

 private:
  struct Entry {
    int64_t first = 0;  // order of first appearance
    int64_t count = 0;
    int64_t documents = 0;
    int64_t last_document = -1;
  };
  void prune();

  WordIndexConfig config_;
  WordSplitter splitter_;
  WordScratch scratch_;
  WordMap<Entry> entries_;
  int64_t max_distinct_;
  int64_t next_ = 0;
  int64_t document_count_ = 0;
  int64_t prunings_ = 0;
};

}  // namespace ingot::text
