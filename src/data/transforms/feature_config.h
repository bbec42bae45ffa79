// SPDX-License-Identifier: Apache-2.0
// What a recipe says about one column: how missing and abnormal values are treated and how the
// cell becomes numbers or ids. Plain aggregates with one visitor; the defaults suit each kind, so
// a recipe names only what differs. Nothing is fitted here. Read by feature_set.cpp and the
// features, stored in features.json beside what was fitted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/config_fields.h"
#include "data/transforms/image_config.h"
#include "text/sequences.h"
#include "text/word_index.h"

namespace ingot::data {

enum class FeatureKind : uint8_t { kAuto, kNumber, kCategory, kText, kImage, kIgnore };
inline constexpr EnumName kFeatureKindNames[] = {
    {"auto", FeatureKind::kAuto},         {"number", FeatureKind::kNumber},
    {"category", FeatureKind::kCategory}, {"text", FeatureKind::kText},
    {"image", FeatureKind::kImage},       {"ignore", FeatureKind::kIgnore}};
constexpr std::span<const EnumName> enum_names(FeatureKind) { return kFeatureKindNames; }

enum class Missing : uint8_t {
  kAuto,
  kMean,
  kMedian,
  kMode,
  kZero,
  kValue,
  kOwn,
  kDropRow,
  kError
};
inline constexpr EnumName kMissingNames[] = {
    {"auto", Missing::kAuto}, {"mean", Missing::kMean},        {"median", Missing::kMedian},
    {"mode", Missing::kMode}, {"zero", Missing::kZero},        {"value", Missing::kValue},
    {"own", Missing::kOwn},   {"drop_row", Missing::kDropRow}, {"error", Missing::kError}};
constexpr std::span<const EnumName> enum_names(Missing) { return kMissingNames; }

/// What to do with a cell of a number column that is not a finite number.
enum class BadNumber : uint8_t { kError, kMissing };
inline constexpr EnumName kBadNumberNames[] = {{"error", BadNumber::kError},
                                               {"missing", BadNumber::kMissing}};
constexpr std::span<const EnumName> enum_names(BadNumber) { return kBadNumberNames; }

enum class Clip : uint8_t { kNone, kQuantiles, kValues };
inline constexpr EnumName kClipNames[] = {
    {"none", Clip::kNone}, {"quantiles", Clip::kQuantiles}, {"values", Clip::kValues}};
constexpr std::span<const EnumName> enum_names(Clip) { return kClipNames; }

enum class Scale : uint8_t {
  kNone,
  kMinMax,
  kSymmetric,
  kStandard,
  kLog,
  kLog1p,
  kLogStandard,
  kLog1pStandard
};
inline constexpr EnumName kScaleNames[] = {{"none", Scale::kNone},
                                           {"min_max", Scale::kMinMax},
                                           {"symmetric", Scale::kSymmetric},
                                           {"standard", Scale::kStandard},
                                           {"log", Scale::kLog},
                                           {"log1p", Scale::kLog1p},
                                           {"log_standard", Scale::kLogStandard},
                                           {"log1p_standard", Scale::kLog1pStandard}};
constexpr std::span<const EnumName> enum_names(Scale) { return kScaleNames; }

enum class CategoryEncode : uint8_t { kOneHot, kIndex, kFrequency, kTarget };
inline constexpr EnumName kCategoryEncodeNames[] = {{"one_hot", CategoryEncode::kOneHot},
                                                    {"index", CategoryEncode::kIndex},
                                                    {"frequency", CategoryEncode::kFrequency},
                                                    {"target", CategoryEncode::kTarget}};
constexpr std::span<const EnumName> enum_names(CategoryEncode) { return kCategoryEncodeNames; }

enum class Unknown : uint8_t { kZero, kBucket, kMostFrequent, kError };
inline constexpr EnumName kUnknownNames[] = {{"zero", Unknown::kZero},
                                             {"bucket", Unknown::kBucket},
                                             {"most_frequent", Unknown::kMostFrequent},
                                             {"error", Unknown::kError}};
constexpr std::span<const EnumName> enum_names(Unknown) { return kUnknownNames; }

enum class TextEncode : uint8_t { kIds, kBinary, kCount, kFreq, kTfidf };
inline constexpr EnumName kTextEncodeNames[] = {{"ids", TextEncode::kIds},
                                                {"binary", TextEncode::kBinary},
                                                {"count", TextEncode::kCount},
                                                {"freq", TextEncode::kFreq},
                                                {"tfidf", TextEncode::kTfidf}};
constexpr std::span<const EnumName> enum_names(TextEncode) { return kTextEncodeNames; }

/// Words to ids (text/word_index.h) and one length for all.
struct TextOptions {
  TextEncode encode = TextEncode::kIds;
  int64_t words = 10'000;
  int64_t length = 500;
  text::SequenceEnd pad = text::SequenceEnd::kPre;
  text::SequenceEnd truncate = text::SequenceEnd::kPre;
  std::string oov = "<OOV>";
  bool lower = true;
  bool char_level = false;
  std::string filters = std::string(text::kWordFilters);
  std::string split = " ";
  std::string tokenizer;

  void visit(auto& field) {
    field(
        "encode", encode,
        "ids: a row of word ids for an embedding; binary, count, freq, tfidf: one number per word");
    field("words", words, "ids stay below this number, so words - 2 words are known; 0: all words");
    field("length", length, "ids per text, >= 1");
    field("pad", pad, "shorter texts are filled with 0 at this end");
    field("truncate", truncate, "longer texts lose words at this end");
    field("oov", oov, "token of unknown words, id 1; empty: unknown words vanish");
    field("lower", lower, "lower case first");
    field("char_level", char_level, "every character is a word (Chinese, Japanese)");
    field("filters", filters, "characters that separate words like `split` does");
    field("split", split, "what separates words");
    field("tokenizer", tokenizer,
          "path of a tokenizer.json of Keras: its words and options instead of fitted ones");
  }
};

/// Of encode=target, where the recipe does not say.
inline constexpr int64_t kDefaultFolds = 5;
inline constexpr double kDefaultSmoothing = 10;

/// One column. Defaults by kind: numbers are filled with the median and standardised, categories
/// are one-hot with missing as a category of its own, texts are ids, pictures are standardised.
struct FeatureConfig {
  std::string name;
  FeatureKind kind = FeatureKind::kAuto;
  Missing missing = Missing::kAuto;
  std::string missing_value;
  bool missing_flag = false;
  BadNumber bad_number = BadNumber::kError;
  Clip clip = Clip::kNone;
  std::optional<double> clip_low;
  std::optional<double> clip_high;
  Scale scale = Scale::kStandard;
  float noise = 0;
  CategoryEncode encode = CategoryEncode::kOneHot;
  Unknown unknown = Unknown::kZero;
  int64_t min_count = 1;
  int64_t max_categories = 1000;
  // encode=target. Not set they are not printed, so that other recipes stay the ones they were.
  std::optional<int64_t> folds;
  std::optional<double> smoothing;
  TextOptions text;
  ImageOptions image;

  void visit(auto& field) {
    field("name", name,
          "the column; * sets what all other columns start from, as far as it suits their kind");
    field("kind", kind,
          "auto takes it from the schema; * may be ignore: only columns that are named are used");
    field("missing", missing,
          "numbers: mean, median (auto), mode, zero, value; categories: own (auto), mode, zero, "
          "value; texts: empty (auto), value; all: drop_row, error");
    field("missing_value", missing_value, "what stands for a missing cell under missing=value");
    field("missing_flag", missing_flag, "numbers: one more column, 1 where the cell was missing");
    field("bad_number", bad_number, "numbers: a cell that is no finite number: error, or missing");
    field("clip", clip, "numbers: cut values to quantiles of the training rows, or to values");
    field("clip_low", clip_low,
          "lower bound: a quantile in [0, 1), 0.01 when left out, or a value");
    field("clip_high", clip_high, "upper bound: a quantile in (0, 1], 0.99 when left out");
    field("scale", scale,
          "numbers: min_max to [0, 1], symmetric to [-1, 1], standard to mean 0 and deviation 1, "
          "natural logarithms, or both");
    field("noise", noise, "numbers, in training only: deviation of the noise added after scaling");
    field(
        "encode", encode,
        "categories: one column each, an id, their share of training rows, or target: the mean of "
        "the target over other training rows of the category");
    field("unknown", unknown,
          "categories unseen or rare in training: zero (all columns 0, id 0, encode=target: the "
          "mean of all training rows), a bucket of their own, as the most frequent one, or an "
          "error");
    field("min_count", min_count, "categories with fewer training rows count as unseen, >= 1");
    field("max_categories", max_categories, "the most frequent so many are kept, >= 1");
    field("folds", folds,
          "encode=target: training rows are in so many parts, and the mean that a row gets leaves "
          "out its own part, in 2 .. 100, 5 when left out");
    field(
        "smoothing", smoothing,
        "encode=target: every category counts as many rows more, of the mean of all training rows "
        "(a row's own part and group too: one number, the same for each), >= 0, 10 when left out; "
        "0: to categories without rows alone");
    field("text", text, "texts");
    field("image", image, "pictures");
  }
};

/// Whether columns of the kind can be filled so: `missing`, and `value` under missing=value.
[[nodiscard]] bool suits(Missing missing, std::string_view value, FeatureKind kind);

/// Throws kInvalidArgument naming the column, the key, its value and what is allowed. A kind other
/// than auto is checked against the keys of that kind.
void check(const FeatureConfig& config);

}  // namespace ingot::data
