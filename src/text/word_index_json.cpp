// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of Keras: {"class_name": "Tokenizer", "config": {...}} whose tables word_counts,
// word_docs, index_docs, index_word and word_index are strings that hold JSON themselves. Reading
// takes the numbers from word_index and the order of words from word_counts; the two tables keyed
// by number repeat what these say. Written by hand: a table of a million words is no tree.
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "text/word_index.h"

namespace ingot::text {
namespace {

class KerasReader {
 public:
  explicit KerasReader(std::string_view what) : what_(what) {}

  WordIndex read(std::string_view json) {
    const Json root = parse(json, what_);
    expect(root.is_object() && root.contains("config"), "has no member \"config\"");
    const Json& config = root["config"];
    expect(config.is_object(), "\"config\" is no object");
    read_options(config);
    read_counts(config);
    read_numbers(config);
    const int64_t documents = config.contains("document_count")
                                  ? whole(config["document_count"], "document_count")
                                  : int64_t{0};
    try {
      return {options_, std::move(words_), std::move(numbers_), oov_number_, documents};
    } catch (const Error& error) {
      fail(Code::kCorruptFile, "{}: {}", what_, error.what());
    }
  }

 private:
  template <class... Args>
  void expect(bool ok, fmt::format_string<Args...> text, Args&&... args) const {
    if (!ok) {
      fail(Code::kCorruptFile, "{}: {}; is it a tokenizer.json written by Keras' to_json()?", what_,
           fmt::format(text, std::forward<Args>(args)...));
    }
  }

  static Json parse(std::string_view text, const std::string& what) {
    JsonLimits limits;
    limits.code = Code::kCorruptFile;
    return parse_json(text, what, limits);
  }

  int64_t whole(const Json& value, std::string_view key) const {
    expect(value.is_number_integer(), "\"{}\" must be a whole number", key);
    const auto number = value.get<int64_t>();
    expect(number >= 0, "\"{}\" is {}, it must not be negative", key, number);
    return number;
  }

  /// A table kept as a string; empty where the member is missing.
  Json table(const Json& config, const char* key) const {
    if (!config.contains(key)) return Json::object();
    const Json& text = config[key];
    expect(text.is_string(), "\"{}\" must be a string that holds a JSON object", key);
    Json parsed = parse(text.get_ref<const std::string&>(), fmt::format("{}: {}", what_, key));
    expect(parsed.is_object(), "\"{}\" must be a string that holds a JSON object", key);
    return parsed;
  }

  void read_options(const Json& config) {
    options_.num_words = 0;
    options_.oov_token.clear();
    const auto string = [&](const char* key, std::string& value) {
      if (!config.contains(key) || config[key].is_null()) return;
      expect(config[key].is_string(), "\"{}\" must be a string", key);
      value = config[key].get<std::string>();
    };
    const auto flag = [&](const char* key, bool& value) {
      if (!config.contains(key)) return;
      expect(config[key].is_boolean(), "\"{}\" must be true or false", key);
      value = config[key].get<bool>();
    };
    if (config.contains("num_words") && !config["num_words"].is_null()) {
      options_.num_words = whole(config["num_words"], "num_words");
    }
    string("filters", options_.filters);
    string("split", options_.split);
    string("oov_token", options_.oov_token);
    flag("lower", options_.lower);
    flag("char_level", options_.char_level);
  }

  void read_counts(const Json& config) {
    const Json counts = table(config, "word_counts");
    for (const auto& [word, count] : counts.items()) {
      places_.emplace(word, words_.size());
      words_.push_back({word, whole(count, "word_counts"), 0});
    }
    const Json documents = table(config, "word_docs");
    for (const auto& [word, count] : documents.items()) {
      const auto at = places_.find(word);
      if (at != places_.end()) words_[at->second].documents = whole(count, "word_docs");
    }
    numbers_.assign(words_.size(), 0);
  }

  void read_numbers(const Json& config) {
    expect(config.contains("word_index"), "has no member \"word_index\"");
    const Json index = table(config, "word_index");
    for (const auto& [word, value] : index.items()) {
      const int64_t number = whole(value, "word_index");
      expect(number >= 1 && number <= std::numeric_limits<int32_t>::max(),
             "word_index of \"{}\" is {}, it must be in 1 .. {}", excerpt(word), number,
             std::numeric_limits<int32_t>::max());
      const auto at = places_.find(word);
      if (at != places_.end()) {
        numbers_[at->second] = static_cast<int32_t>(number);
      } else if (word == options_.oov_token && !word.empty()) {
        oov_number_ = static_cast<int32_t>(number);
      } else {
        words_.push_back({word, 0, 0});
        numbers_.push_back(static_cast<int32_t>(number));
      }
    }
  }

  std::string what_;
  WordIndexConfig options_;
  std::vector<WordCount> words_;
  std::vector<int32_t> numbers_;
  std::optional<int32_t> oov_number_;
  WordMap<size_t> places_;
};

/// {"key": value, ...} as json.dumps spells it, then as a string of the outer document.
class Table {
 public:
  void add(std::string_view key, int64_t value) { add(quote_json(key), std::to_string(value)); }
  void add(int64_t key, std::string_view value) {
    add(fmt::format("\"{}\"", key), quote_json(value));
  }
  void add(int64_t key, int64_t value) { add(fmt::format("\"{}\"", key), std::to_string(value)); }
  [[nodiscard]] std::string quoted() const { return quote_json(text_ + "}"); }

 private:
  void add(const std::string& key, const std::string& value) {
    if (text_.size() > 1) text_ += ", ";
    text_ += key + ": " + value;
  }
  std::string text_ = "{";
};

}  // namespace

WordIndex WordIndex::from_keras_json(std::string_view json, std::string_view what) {
  return KerasReader(what).read(json);
}

std::string WordIndex::to_keras_json() const {
  Table counts;
  Table documents;
  for (const WordCount& word : words_) {
    counts.add(std::string_view(word.word), word.count);
    documents.add(std::string_view(word.word), word.documents);
  }
  Table index;
  Table words;
  Table index_documents;
  for (int64_t number = 1; number < number_limit(); ++number) {
    const int64_t what = by_number_[static_cast<size_t>(number)];
    if (what == -1) continue;
    const std::string_view word = word_of(static_cast<int32_t>(number));
    index.add(word, number);
    words.add(number, word);
    if (what >= 0) index_documents.add(number, words_[static_cast<size_t>(what)].documents);
  }
  const auto optional_number = config_.num_words > 0 ? std::to_string(config_.num_words) : "null";
  const auto optional_token =
      config_.oov_token.empty() ? std::string("null") : quote_json(config_.oov_token);
  return fmt::format(
      "{{\"class_name\": \"Tokenizer\", \"config\": {{\"num_words\": {}, \"filters\": {}, "
      "\"lower\": {}, \"split\": {}, \"char_level\": {}, \"oov_token\": {}, \"document_count\": "
      "{}, \"word_counts\": {}, \"word_docs\": {}, \"index_docs\": {}, \"index_word\": {}, "
      "\"word_index\": {}}}}}",
      optional_number, quote_json(config_.filters), config_.lower, quote_json(config_.split),
      config_.char_level, optional_token, document_count_, counts.quoted(), documents.quoted(),
      index_documents.quoted(), words.quoted(), index.quoted());
}

}  // namespace ingot::text
