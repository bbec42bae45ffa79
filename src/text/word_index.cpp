// SPDX-License-Identifier: Apache-2.0
// Keras works on Python's dict and str; this works on UTF-8 bytes and gives the same: filtered
// characters are replaced by the separator in the text itself (a separator of several characters
// may join with its neighbours, as there), and the sort by count is stable.
#include "text/word_index.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "text/lower.h"
#include "text/unicode.h"

namespace ingot::text {
namespace {

constexpr int64_t kNone = -1;
constexpr int64_t kOov = -2;

/// Ranks from `first` on, by falling count, earlier words first.
std::vector<int32_t> rank(std::span<const WordCount> words, int32_t first) {
  require(words.size() < static_cast<size_t>(std::numeric_limits<int32_t>::max()) - 2,
          Code::kInvalidArgument, "word index: {} words are more than ids can number",
          words.size());
  std::vector<int64_t> order(words.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return words[static_cast<size_t>(a)].count > words[static_cast<size_t>(b)].count;
  });
  std::vector<int32_t> numbers(words.size());
  for (const int64_t i : order) numbers[static_cast<size_t>(i)] = first++;
  return numbers;
}

}  // namespace

void check(const WordIndexConfig& config) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  require(config.num_words >= 0 && config.num_words <= kMost, Code::kInvalidArgument,
          "word index: num_words is {}, it must be in 1 .. {}, or 0 to keep every word",
          config.num_words, kMost);
  require(!config.split.empty() || config.char_level, Code::kInvalidArgument,
          "word index: split is empty; give the text that separates words, or char_level=true");
  for (const auto& [key, value] :
       {std::pair{"filters", &config.filters}, std::pair{"split", &config.split},
        std::pair{"oov_token", &config.oov_token}}) {
    require(is_valid_utf8(*value), Code::kInvalidArgument, "word index: {} is not UTF-8: \"{}\"",
            key, excerpt(*value));
  }
}

size_t WordHash::operator()(std::string_view word) const noexcept { return hash64(word); }

// ---- words of a text

WordSplitter::WordSplitter(const WordIndexConfig& config) : config_(config) {
  check(config);
  const auto size = static_cast<int64_t>(config_.filters.size());
  for (int64_t at = 0; at < size;) {
    const CodePoint c = decode_utf8(config_.filters, at);
    if (c.value < 128) {
      ascii_filter_[c.value] = true;
    } else {
      filters_.push_back(c.value);
    }
    at += c.size_bytes;
  }
  std::sort(filters_.begin(), filters_.end());
  bytewise_ = filters_.empty() && config_.split.size() == 1;
  for (size_t byte = 0; byte < replaced_.size(); ++byte) {
    const bool filtered = byte < 128 && ascii_filter_[byte];
    replaced_[byte] = filtered && bytewise_ ? config_.split[0] : static_cast<char>(byte);
  }
}

void WordSplitter::replace_filtered(std::string_view text, std::string& out) const {
  if (bytewise_) {
    out.resize(text.size());
    std::transform(text.begin(), text.end(), out.begin(),
                   [this](char c) { return replaced_[static_cast<unsigned char>(c)]; });
    return;
  }
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t at = 0; at < size;) {
    const auto byte = static_cast<unsigned char>(text[static_cast<size_t>(at)]);
    if (byte < 128 || filters_.empty()) {
      if (byte < 128 && ascii_filter_[byte]) {
        out += config_.split;
      } else {
        out += static_cast<char>(byte);
      }
      ++at;
      continue;
    }
    const CodePoint c = decode_utf8(text, at);
    if (c.valid && std::binary_search(filters_.begin(), filters_.end(), c.value)) {
      out += config_.split;
    } else {
      out.append(text, static_cast<size_t>(at), static_cast<size_t>(c.size_bytes));
    }
    at += c.size_bytes;
  }
}

std::span<const std::string_view> WordSplitter::operator()(std::string_view text,
                                                           WordScratch& scratch) const {
  scratch.words.clear();
  if (config_.lower) {
    scratch.lowered.clear();
    append_lower(text, scratch.lowered);
    text = scratch.lowered;
  }
  if (config_.char_level) {
    for (size_t at = 0; at < text.size();) {
      const auto size = static_cast<size_t>(decode_utf8(text, static_cast<int64_t>(at)).size_bytes);
      scratch.words.push_back(text.substr(at, size));
      at += size;
    }
    return scratch.words;
  }
  scratch.filtered.clear();
  replace_filtered(text, scratch.filtered);
  text = scratch.filtered;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(config_.split, at), text.size());
    if (end > at) scratch.words.push_back(text.substr(at, end - at));
    at = end + config_.split.size();
  }
  return scratch.words;
}

// ---- the index

WordIndex::WordIndex(WordIndexConfig config, std::vector<WordCount> words, int64_t document_count)
    : config_(std::move(config)),
      splitter_(config_),
      words_(std::move(words)),
      numbers_(rank(words_, config_.oov_token.empty() ? 1 : 2)),
      document_count_(document_count) {
  index_words(1);
}

WordIndex::WordIndex(WordIndexConfig config, std::vector<WordCount> words,
                     std::vector<int32_t> numbers, std::optional<int32_t> oov_number,
                     int64_t document_count)
    : config_(std::move(config)),
      splitter_(config_),
      words_(std::move(words)),
      numbers_(std::move(numbers)),
      document_count_(document_count) {
  require(numbers_.size() == words_.size(), Code::kInvalidArgument,
          "word index: {} numbers for {} words", numbers_.size(), words_.size());
  index_words(oov_number);
}

/// Where the token for unknown words also occurs as a word, Keras' dict keeps the word's number,
/// and the number 1 belongs to nobody.
void WordIndex::index_words(std::optional<int32_t> oov_number) {
  const auto highest = static_cast<int64_t>(words_.size()) + 1;
  const auto place = [&](int32_t number, int64_t what) {
    require(number >= 1 && number <= highest, Code::kInvalidArgument,
            "word index: number {} is outside 1 .. {} (one more than the words)", number, highest);
    if (static_cast<size_t>(number) >= by_number_.size()) {
      by_number_.resize(static_cast<size_t>(number) + 1, kNone);
    }
    int64_t& taken = by_number_[static_cast<size_t>(number)];
    require(taken == kNone, Code::kInvalidArgument, "word index: number {} is given twice", number);
    taken = what;
  };
  by_number_.assign(1, kNone);
  lookup_.reserve(words_.size() + 1);
  for (size_t i = 0; i < words_.size(); ++i) {
    require(lookup_.try_emplace(words_[i].word, numbers_[i]).second, Code::kInvalidArgument,
            "word index: the word \"{}\" is given twice", excerpt(words_[i].word));
    if (numbers_[i] != 0) place(numbers_[i], static_cast<int64_t>(i));
  }
  if (!config_.oov_token.empty()) {
    const auto word = lookup_.find(config_.oov_token);
    if (word != lookup_.end() && word->second != 0) {
      oov_number_ = word->second;
    } else if (oov_number) {
      place(*oov_number, kOov);
      lookup_[config_.oov_token] = *oov_number;
      oov_number_ = oov_number;
    }
  }
  id_limit_ = number_limit();
  if (config_.num_words > 0) id_limit_ = std::min(id_limit_, config_.num_words);
  if (oov_number_) id_limit_ = std::max<int64_t>(id_limit_, *oov_number_ + 1);
}

void WordIndex::encode(std::string_view text, WordScratch& scratch,
                       std::vector<int32_t>& out) const {
  for (const std::string_view word : splitter_(text, scratch)) {
    const auto found = lookup_.find(word);
    const bool known = found != lookup_.end() && found->second != 0 &&
                       (config_.num_words == 0 || found->second < config_.num_words);
    if (known) {
      out.push_back(found->second);
    } else if (oov_number_) {
      out.push_back(*oov_number_);
    }
  }
}

std::vector<int32_t> WordIndex::encode(std::string_view text) const {
  WordScratch scratch;
  std::vector<int32_t> ids;
  encode(text, scratch, ids);
  return ids;
}

std::optional<int32_t> WordIndex::number_of(std::string_view word) const {
  const auto found = lookup_.find(word);
  if (found == lookup_.end() || found->second == 0) return std::nullopt;
  return found->second;
}

std::string_view WordIndex::word_of(int32_t number) const {
  if (number < 0 || number >= number_limit()) return {};
  const int64_t what = by_number_[static_cast<size_t>(number)];
  if (what == kOov) return config_.oov_token;
  return what == kNone ? std::string_view() : words_[static_cast<size_t>(what)].word;
}

int64_t WordIndex::documents_of(int32_t number) const {
  if (number < 0 || number >= number_limit()) return 0;
  const int64_t what = by_number_[static_cast<size_t>(number)];
  return what < 0 ? 0 : words_[static_cast<size_t>(what)].documents;
}

WordIndex WordIndex::compact() const {
  // A token for unknown words that is a rare word itself may carry any number: keep all.
  const bool own_token = !oov_number_ || by_number_[static_cast<size_t>(*oov_number_)] == kOov;
  if (config_.num_words == 0 || !own_token) return *this;
  std::vector<WordCount> words;
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < words_.size(); ++i) {
    if (numbers_[i] == 0 || numbers_[i] >= config_.num_words) continue;
    words.push_back(words_[i]);
    numbers.push_back(numbers_[i]);
  }
  const int64_t highest = static_cast<int64_t>(words.size()) + 1;
  const bool fits = std::all_of(numbers.begin(), numbers.end(),
                                [&](int32_t number) { return number <= highest; });
  if (!fits || oov_number_.value_or(1) > highest) return *this;
  return {config_, std::move(words), std::move(numbers), oov_number_, document_count_};
}

// ---- fitting

WordCounter::WordCounter(const WordIndexConfig& config, int64_t max_distinct)
    : config_(config), splitter_(config), max_distinct_(std::max<int64_t>(max_distinct, 1)) {}

int64_t WordCounter::add(std::string_view text) {
  const std::span<const std::string_view> words = splitter_(text, scratch_);
  for (const std::string_view word : words) {
    auto found = entries_.find(word);
    if (found == entries_.end()) {
      found = entries_.try_emplace(std::string(word), Entry{next_++, 0, 0, -1}).first;
    }
    Entry& entry = found->second;
    entry.count += 1;
    entry.documents += entry.last_document != document_count_ ? 1 : 0;
    entry.last_document = document_count_;
  }
  document_count_ += 1;
  if (static_cast<int64_t>(entries_.size()) > max_distinct_) prune();
  return static_cast<int64_t>(words.size());
}

/// Forgets the words with the lowest count until half of the room is free (lossy counting, Manku
/// and Motwani 2002, with the bound taken from the room instead of an error rate).
void WordCounter::prune() {
  for (int64_t floor = 1; static_cast<int64_t>(entries_.size()) > max_distinct_ / 2; ++floor) {
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.count <= floor; });
  }
  prunings_ += 1;
}

WordIndex WordCounter::finish() const {
  std::vector<const WordMap<Entry>::value_type*> order;
  order.reserve(entries_.size());
  for (const auto& entry : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->second.first < b->second.first; });
  std::vector<WordCount> words;
  words.reserve(order.size());
  for (const auto* entry : order) {
    words.push_back({entry->first, entry->second.count, entry->second.documents});
  }
  return {config_, std::move(words), document_count_};
}

}  // namespace ingot::text
