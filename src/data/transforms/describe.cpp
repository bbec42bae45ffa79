// SPDX-License-Identifier: Apache-2.0
#include "data/transforms/describe.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kShownCategories = 3;

std::string number_text(const Json& value) { return fmt::format("{:.4g}", value.get<double>()); }

std::string joined(const std::vector<std::string>& parts, std::string_view by) {
  std::vector<std::string> kept = parts;
  std::erase(kept, "");
  return join(kept, by);
}

const char* scale_text(Scale scale) {
  switch (scale) {
    case Scale::kNone:
      return "as it is";
    case Scale::kMinMax:
      return "to [0, 1]";
    case Scale::kSymmetric:
      return "to [\u22121, 1]";
    case Scale::kStandard:
      return "mean 0, deviation 1";
    case Scale::kLog:
      return "ln x";
    case Scale::kLog1p:
      return "ln(1 + x)";
    case Scale::kLogStandard:
      return "ln x, then mean 0, deviation 1";
    case Scale::kLog1pStandard:
      return "ln(1 + x), then mean 0, deviation 1";
  }
  return "";
}

FeatureText describe_number(const FeatureConfig& c, const Json& state) {
  const auto missing = c.missing == Missing::kAuto ? Missing::kMedian : c.missing;
  const bool is_clipped = !state["low"].is_null() || !state["high"].is_null();
  const auto bound = [&](const char* key, const char* open) {
    return state[key].is_null() ? std::string(open) : number_text(state[key]);
  };
  return {
      joined({fmt::format("missing: {}", enum_name(missing)),
              c.missing_flag ? "a column that says so" : "",
              c.clip == Clip::kNone ? "" : fmt::format("clipped to {}", enum_name(c.clip)),
              scale_text(c.scale), c.noise > 0 ? fmt::format("noise {} in training", c.noise) : ""},
             "; "),
      joined({fmt::format("{} {}", enum_name(missing), number_text(state["fill"])),
              is_clipped ? fmt::format("bounds {} \u2026 {}", bound("low", "\u2212\u221e"),
                                       bound("high", "\u221e"))
                         : "",
              fmt::format("centre {}, divisor {}", number_text(state["center"]),
                          number_text(state["divisor"]))},
             ", ")};
}

FeatureText describe_category(const FeatureConfig& c, const Json& state) {
  std::vector<std::pair<int64_t, std::string>> categories;
  for (const Json& entry : state["categories"]) {
    categories.emplace_back(entry[1].get<int64_t>(), entry[0].get<std::string>());
  }
  std::stable_sort(categories.begin(), categories.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(categories.size(), kShownCategories); ++i) {
    shown.push_back(fmt::format("{} {}", excerpt(categories[i].second, 30),
                                with_thousands(categories[i].first)));
  }
  if (categories.size() > kShownCategories) shown.emplace_back("\u2026");
  const auto missing = c.missing == Missing::kAuto ? Missing::kOwn : c.missing;
  return {
      joined({fmt::format("missing: {}", enum_name(missing)),
              fmt::format("unknown: {}", enum_name(c.unknown)), std::string(enum_name(c.encode))},
             "; "),
      fmt::format("{} categories: {}", categories.size(), join(shown, ", "))};
}

/// The words are those of the state: a tokenizer.json brings its own options.
FeatureText describe_text(const FeatureConfig& c, const Json& state) {
  const TextOptions& t = c.text;
  const bool is_ids = t.encode == TextEncode::kIds;
  const bool is_characters = state["char_level"].get<bool>();
  const auto most = state["num_words"].get<int64_t>();
  return {
      joined({fmt::format("{} of {}", enum_name(t.encode), is_characters ? "characters" : "words"),
              most > 0 ? fmt::format("at most {}", with_thousands(most)) : "",
              is_ids ? fmt::format("{} places, padded and cut: {}, {}", t.length, enum_name(t.pad),
                                   enum_name(t.truncate))
                     : ""},
             "; "),
      fmt::format("{} different in {} texts",
                  with_thousands(static_cast<int64_t>(state["words"].size())),
                  with_thousands(state["document_count"].get<int64_t>()))};
}

FeatureText describe_image(const FeatureConfig& c, const Json& state) {
  std::string augment;
  for (const AugmentConfig& step : c.image.augment) {
    augment += (augment.empty() ? "in training: " : ", ") + std::string(enum_name(step.kind));
  }
  std::string mean;
  for (const Json& value : state["mean"]) mean += (mean.empty() ? "" : ", ") + number_text(value);
  return {joined({fmt::format("{} to one size", enum_name(c.image.fit)),
                  std::string(enum_name(c.image.scale)), augment},
                 "; "),
          fmt::format("{} \u00d7 {} \u00d7 {}, mean {}", state["height"].get<int64_t>(),
                      state["width"].get<int64_t>(), state["channels"].get<int64_t>(), mean)};
}

}  // namespace

FeatureText describe(const Feature& feature) {
  const FeatureConfig& config = feature.config();
  switch (config.kind) {
    case FeatureKind::kNumber:
      return describe_number(config, feature.state());
    case FeatureKind::kCategory:
      return describe_category(config, feature.state());
    case FeatureKind::kText:
      return describe_text(config, feature.state());
    case FeatureKind::kImage:
      return describe_image(config, feature.state());
    default:
      return {};
  }
}

}  // namespace ingot::data
