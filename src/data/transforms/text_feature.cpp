// SPDX-License-Identifier: Apache-2.0
// Stored are the words that ids can stand for, in the order of first appearance, each with its
// number and counts: enough for the same ids and the same tf-idf.
#include "data/transforms/text_feature.h"

#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "text/sequences.h"

namespace ingot::data {
namespace {

constexpr int64_t kMaxTokenizerBytes = int64_t{1} << 30;
constexpr int64_t kMaxBag = int64_t{1} << 20;  // columns of one bag of words

text::BagMode bag_mode(TextEncode encode) {
  switch (encode) {
    case TextEncode::kCount:
      return text::BagMode::kCount;
    case TextEncode::kFreq:
      return text::BagMode::kFreq;
    case TextEncode::kTfidf:
      return text::BagMode::kTfidf;
    default:
      return text::BagMode::kBinary;
  }
}

text::WordIndex read_words(const Json& state, std::string_view what) {
  text::WordIndexConfig config;
  config.num_words = json_int(state, "num_words", what);
  config.oov_token = json_string(state, "oov_token", what);
  config.filters = json_string(state, "filters", what);
  config.lower = json_bool(state, "lower", what);
  config.split = json_string(state, "split", what);
  config.char_level = json_bool(state, "char_level", what);
  const Json& list = json_member(state, "words", what);
  const auto is_entry = [](const Json& entry) {
    return entry.is_array() && entry.size() == 4 && entry[0].is_string() &&
           entry[1].is_number_integer() && entry[2].is_number_integer() &&
           entry[3].is_number_integer();
  };
  require(list.is_array(), Code::kInvalidArgument, "{}: \"words\" must be a list", what);
  std::vector<text::WordCount> words;
  std::vector<int32_t> numbers;
  for (const Json& entry : list) {
    require(is_entry(entry), Code::kInvalidArgument,
            "{}: \"words\" must be a list of [word, number, count, documents]", what);
    const auto number = entry[1].get<int64_t>();
    require(number >= 0 && number <= std::numeric_limits<int32_t>::max(), Code::kInvalidArgument,
            "{}: \"words\" holds the number {}", what, number);
    numbers.push_back(static_cast<int32_t>(number));
    words.push_back(
        {entry[0].get<std::string>(), entry[2].get<int64_t>(), entry[3].get<int64_t>()});
  }
  const int64_t oov = json_int(state, "oov_number", what);
  return {std::move(config), std::move(words), std::move(numbers),
          oov > 0 && oov <= std::numeric_limits<int32_t>::max()
              ? std::optional(static_cast<int32_t>(oov))
              : std::nullopt,
          json_int(state, "document_count", what)};
}

/// What the ids of a text stand for, for messages.
std::string unit_of(const text::WordIndex& words) {
  const std::string unit = words.config().char_level ? "characters" : "words";
  return words.oov_number() ? unit : "known " + unit;
}

}  // namespace

text::WordIndexConfig word_config(const TextOptions& options) {
  return {options.words, options.oov,   options.filters,
          options.lower, options.split, options.char_level};
}

text::WordIndex words_given(const FeatureConfig& config) {
  const std::string& path = config.text.tokenizer;
  if (!file_exists(path)) {
    const auto is_json = [](const std::string& other) { return other.ends_with(".json"); };
    fail(Code::kNotFound,
         "table.features: column \"{}\": text.tokenizer is \"{}\", which is not there.{}",
         config.name, path, names_beside(path, is_json));
  }
  return text::WordIndex::from_keras_json(read_regular_file(path, kMaxTokenizerBytes), path)
      .compact();
}

TextFeature::TextFeature(FeatureConfig config)
    : Feature(std::move(config)), counter_(word_config(config_.text)) {
  if (!config_.text.tokenizer.empty()) words_ = words_given(config_);
}

TextFeature::TextFeature(FeatureConfig config, const Json& state, std::string_view what)
    : Feature(std::move(config), true),
      words_(read_words(state, what)),
      counter_(word_config(config_.text)) {}

std::string_view TextFeature::text_of(const Cell& cell) const {
  if (!cell.missing) return cell.text;
  require_missing_allowed(cell, "missing: auto");  // an empty text
  return config_.missing == Missing::kValue ? std::string_view(config_.missing_value)
                                            : std::string_view();
}

/// How many ids encode() makes of the text before it cuts them; how many words it has, while the
/// words are being counted.
int64_t TextFeature::count_ids(std::string_view text) {
  if (!words_) return counter_.add(text);
  scratch_.ids.clear();
  words_->encode(text, scratch_.words, scratch_.ids);
  return std::ssize(scratch_.ids);
}

void TextFeature::add(const Cell& cell) {
  rows_ += 1;
  missing_ += cell.missing ? 1 : 0;
  const int64_t ids = count_ids(text_of(cell));
  total_ += ids;
  cut_ += ids > config_.text.length ? 1 : 0;
}

void TextFeature::require_words() const {
  require(rows_ > missing_, Code::kInvalidArgument,
          "features: column \"{}\" has no value in {} training rows; {}", name(), rows_,
          advice("kind: ignore"));
  require(total_ > 0 || config_.text.tokenizer.empty(), Code::kInvalidArgument,
          "features: column \"{}\": text.tokenizer \"{}\" knows no word of {} training rows; name "
          "the one that was made for such texts, or {}",
          name(), config_.text.tokenizer, rows_, advice("text: {tokenizer: \"\"}"));
  require(total_ > 0, Code::kInvalidArgument,
          "features: column \"{}\": no word in {} training rows; check filters and split, or {}",
          name(), rows_, advice("text: {char_level: true}"));
}

bool TextFeature::finish_pass(std::vector<std::string>& warnings) {
  require_words();
  if (!words_) {
    words_ = counter_.finish().compact();
    if (counter_.prunings() > 0) {
      warnings.push_back(fmt::format(
          "{}: too many different words to count; rare ones were forgotten {} times, so counts of "
          "rare words may be too low",
          name(), counter_.prunings()));
    }
    counter_ = text::WordCounter(word_config(config_.text));
    // Unknown words vanish here, so which texts are cut can only be told by those that are known.
    if (cut_ > 0 && !is_bag() && !words_->oov_number()) {
      rows_ = missing_ = total_ = cut_ = 0;
      return true;
    }
  }
  if (cut_ > 0 && !is_bag()) {
    warnings.push_back(
        fmt::format("{}: {} of {} training texts are longer than {} {} and lose some (text.length "
                    "in table.features)",
                    name(), cut_, rows_, config_.text.length, unit_of(*words_)));
  }
  return false;
}

FeatureLayout TextFeature::layout() const {
  if (!is_bag()) return {{}, config_.text.length, words_->id_limit()};
  FeatureLayout layout;
  const int64_t width = text::bag_width(*words_);
  require(width <= kMaxBag, Code::kInvalidArgument,
          "features: column \"{}\": a bag of {} words is more than {} columns; {}", name(), width,
          kMaxBag, advice("text: {words: 10000}"));
  layout.columns.reserve(static_cast<size_t>(width));
  for (int64_t i = 0; i < width; ++i) {
    const std::string_view word = words_->word_of(static_cast<int32_t>(i));
    layout.columns.push_back(word.empty() ? fmt::format("{}#{}", name(), i)
                                          : fmt::format("{}={}", name(), word));
  }
  return layout;
}

bool TextFeature::encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const {
  scratch.ids.clear();
  words_->encode(text_of(cell), scratch.words, scratch.ids);
  if (is_bag()) {
    text::bag_of_words(*words_, scratch.ids, bag_mode(config_.text.encode), slots.floats);
  } else {
    text::pad_sequence(scratch.ids, {config_.text.pad, config_.text.truncate, 0}, slots.ids);
  }
  return true;
}

Json TextFeature::state() const {
  const text::WordIndexConfig& config = words_->config();
  Json list = Json::array();
  for (size_t i = 0; i < words_->words().size(); ++i) {
    const text::WordCount& word = words_->words()[i];
    list.push_back(Json::array({word.word, words_->numbers()[i], word.count, word.documents}));
  }
  return Json{{"num_words", config.num_words},
              {"oov_token", config.oov_token},
              {"filters", config.filters},
              {"lower", config.lower},
              {"split", config.split},
              {"char_level", config.char_level},
              {"oov_number", words_->oov_number().value_or(0)},
              {"document_count", words_->document_count()},
              {"words", std::move(list)}};
}

}  // namespace ingot::data
