// SPDX-License-Identifier: Apache-2.0
// One table of the missing policies per kind, then the ranges of every key.
#include "data/transforms/feature_config.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/schema.h"

namespace ingot::data {
namespace {

std::vector<Missing> policies_of(FeatureKind kind) {
  switch (kind) {
    case FeatureKind::kNumber:
      return {Missing::kAuto, Missing::kMean,  Missing::kMedian,  Missing::kMode,
              Missing::kZero, Missing::kValue, Missing::kDropRow, Missing::kError};
    case FeatureKind::kCategory:
      return {Missing::kAuto,  Missing::kOwn,     Missing::kMode, Missing::kZero,
              Missing::kValue, Missing::kDropRow, Missing::kError};
    case FeatureKind::kText:
      return {Missing::kAuto, Missing::kValue, Missing::kDropRow, Missing::kError};
    case FeatureKind::kImage:
      return {Missing::kAuto, Missing::kDropRow, Missing::kError};
    default:
      return {};
  }
}

/// What a policy lacks for a kind; "" when it can be had.
std::string missing_problem(Missing missing, std::string_view value, FeatureKind kind) {
  const std::vector<Missing> allowed = policies_of(kind);
  if (std::find(allowed.begin(), allowed.end(), missing) == allowed.end()) {
    std::vector<std::string> names;
    for (const Missing policy : allowed) names.emplace_back(enum_name(policy));
    return fmt::format("missing={} does not suit kind {}; possible: {}", enum_name(missing),
                       enum_name(kind), join(names, ", "));
  }
  if (missing != Missing::kValue) return "";
  if (kind != FeatureKind::kNumber) {
    return value.empty() ? "missing=value needs a text in missing_value" : "";
  }
  const std::optional<double> number = parse_number(value);
  if (number && std::isfinite(*number)) return "";
  return fmt::format("missing=value needs a number in missing_value, got \"{}\"", excerpt(value));
}

void check_missing(const FeatureConfig& config) {
  if (policies_of(config.kind).empty()) return;
  const std::string problem = missing_problem(config.missing, config.missing_value, config.kind);
  require(problem.empty(), Code::kInvalidArgument, "table.features: column \"{}\": {}", config.name,
          problem);
}

void check_number(const FeatureConfig& config) {
  if (config.clip == Clip::kNone) {
    require(
        !config.clip_low && !config.clip_high, Code::kInvalidArgument,
        "table.features: column \"{}\": clip_low and clip_high need clip=quantiles or clip=values",
        config.name);
    return;
  }
  const bool quantiles = config.clip == Clip::kQuantiles;
  const double low = config.clip_low.value_or(quantiles ? 0.01 : -HUGE_VAL);
  const double high = config.clip_high.value_or(quantiles ? 0.99 : HUGE_VAL);
  require(
      low < high && (!quantiles || (low >= 0 && high <= 1)), Code::kInvalidArgument,
      "table.features: column \"{}\": clip={} from {} to {}; clip_low must be below clip_high{}",
      config.name, enum_name(config.clip), low, high, quantiles ? ", both in [0, 1]" : "");
  require(quantiles || config.clip_low || config.clip_high, Code::kInvalidArgument,
          "table.features: column \"{}\": clip=values needs clip_low or clip_high", config.name);
}

void check_target_means(const FeatureConfig& config) {
  const int64_t folds = config.folds.value_or(kDefaultFolds);
  require(folds >= 2 && folds <= 100, Code::kInvalidArgument,
          "table.features: column \"{}\": folds is {}, it must be in 2 .. 100; {} is usual",
          config.name, folds, kDefaultFolds);
  const double smoothing = config.smoothing.value_or(kDefaultSmoothing);
  require(std::isfinite(smoothing) && smoothing >= 0, Code::kInvalidArgument,
          "table.features: column \"{}\": smoothing is {}, it must be >= 0; {} is usual",
          config.name, smoothing, kDefaultSmoothing);
}

void check_category(const FeatureConfig& config) {
  require(config.min_count >= 1, Code::kInvalidArgument,
          "table.features: column \"{}\": min_count is {}, it must be >= 1", config.name,
          config.min_count);
  require(config.max_categories >= 1, Code::kInvalidArgument,
          "table.features: column \"{}\": max_categories is {}, it must be >= 1", config.name,
          config.max_categories);
  require(config.min_count == 1 || config.unknown != Unknown::kError, Code::kInvalidArgument,
          "table.features: column \"{}\": min_count={} makes rare categories unseen, which "
          "unknown=error "
          "refuses; set unknown=zero, bucket or most_frequent",
          config.name, config.min_count);
  check_target_means(config);
}

void check_text(const FeatureConfig& config) {
  const TextOptions& text = config.text;
  require(text.length >= 1 && text.length <= (int64_t{1} << 24), Code::kInvalidArgument,
          "table.features: column \"{}\": text.length is {}, it must be in 1 .. {}", config.name,
          text.length, int64_t{1} << 24);
  // 0 is padding and, where there is one, 1 the token of unknown words.
  const int least = text.oov.empty() ? 2 : 3;
  require(text.words == 0 || text.words >= least, Code::kInvalidArgument,
          "table.features: column \"{}\": text.words is {}, ids of words lie from {} to below it; "
          "text.words={} knows the most frequent word, 0 every word",
          config.name, text.words, least - 1, least);
  require(
      text.char_level || !text.split.empty(), Code::kInvalidArgument,
      "table.features: column \"{}\": text.split is empty; give the text that separates words, or "
      "set text.char_level=true",
      config.name);
}

}  // namespace

bool suits(Missing missing, std::string_view value, FeatureKind kind) {
  return missing_problem(missing, value, kind).empty();
}

void check(const FeatureConfig& config) {
  require(std::isfinite(config.noise) && config.noise >= 0, Code::kInvalidArgument,
          "table.features: column \"{}\": noise is {}, it must be >= 0", config.name, config.noise);
  require(
      config.noise == 0 || config.kind == FeatureKind::kNumber || config.kind == FeatureKind::kAuto,
      Code::kInvalidArgument, "table.features: column \"{}\": noise is for numbers, its kind is {}",
      config.name, enum_name(config.kind));
  require(
      config.encode != CategoryEncode::kTarget || config.kind == FeatureKind::kCategory ||
          config.kind == FeatureKind::kAuto || config.kind == FeatureKind::kIgnore,
      Code::kInvalidArgument,
      "table.features: column \"{}\": encode=target is for categories, its kind is {}; set kind: "
      "category for it, or leave encode out",
      config.name, enum_name(config.kind));
  check_missing(config);
  if (config.kind == FeatureKind::kNumber) check_number(config);
  if (config.kind == FeatureKind::kCategory) check_category(config);
  if (config.kind == FeatureKind::kText) check_text(config);
  if (config.kind == FeatureKind::kImage) check(config.image, config.name);
}

}  // namespace ingot::data
