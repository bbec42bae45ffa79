// SPDX-License-Identifier: Apache-2.0
// features.json: {"format": 1, "missing": [...], "features": [{"config", "state"}, ...],
// "ignored": [...], "target": {...} or null}. "ignored" may be absent, as it was once. Numbers are
// written with the digits that read back to the same bits. The config is the recipe's, bound by the
// same visitor, so an unknown key is refused by name.
#include <utility>

#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/error.h"
#include "data/transforms/feature_set.h"

namespace ingot::data {
namespace {

constexpr int64_t kFormat = 1;
constexpr int64_t kMaxBytes = int64_t{1} << 30;

void read_texts(const Json& list, const char* key, std::string_view what,
                std::vector<std::string>& to) {
  require(list.is_array(), Code::kInvalidArgument, "{}: \"{}\" must be a list of texts", what, key);
  for (const Json& text : list) {
    require(text.is_string(), Code::kInvalidArgument, "{}: \"{}\" must be a list of texts", what,
            key);
    to.push_back(text.get<std::string>());
  }
}

std::unique_ptr<Feature> read_feature(const Json& item, std::string_view what) {
  FeatureConfig config;
  bind_text(dump_json(json_member(item, "config", what)), what, config);
  return load_feature(config, json_member(item, "state", what), what);
}

}  // namespace

std::string FeatureSet::to_json() const {
  require(fitted_, Code::kInvalidArgument, "features: not fitted yet; fit on training rows first");
  Json features = Json::array();
  for (const auto& feature : features_) {
    features.push_back(
        Json{{"config", parse_json(ingot::to_json(feature->config()), "features: config")},
             {"state", feature->state()}});
  }
  const Json json{{"format", kFormat},
                  {"missing", missing_},
                  {"features", std::move(features)},
                  {"ignored", ignored_},
                  {"target", target_ ? target_->to_json() : Json()}};
  return dump_json(json) + "\n";
}

FeatureSet FeatureSet::from_json(std::string_view json, std::string_view what) {
  JsonLimits limits;
  limits.max_bytes = kMaxBytes;
  limits.code = Code::kCorruptFile;
  const Json root = parse_json(json, what, limits);
  try {
    FeatureSet set;
    const int64_t format = json_int(root, "format", what);
    require(format == kFormat, Code::kInvalidArgument,
            "{}: \"format\" is {}, this program reads {}; train again or use a newer program", what,
            format, kFormat);
    read_texts(json_member(root, "missing", what), "missing", what, set.missing_);
    if (const Json* ignored = json_optional(root, "ignored", what)) {
      read_texts(*ignored, "ignored", what, set.ignored_);
    }
    const Json& features = json_member(root, "features", what);
    require(features.is_array() && !features.empty(), Code::kInvalidArgument,
            "{}: \"features\" must be a list of one feature or more", what);
    for (const Json& item : features) set.features_.push_back(read_feature(item, what));
    if (const Json* target = json_optional(root, "target", what)) {
      set.target_ = Target::from_json(*target, what);
    }
    set.fitted_ = true;
    set.lay_out();
    return set;
  } catch (const Error& error) {
    throw Error(Code::kCorruptFile, error.what());
  }
}

void FeatureSet::save(FileSystem& files, const std::string& path) const {
  write_atomically(files, path, to_json());
}

FeatureSet FeatureSet::load(const std::string& path) {
  return from_json(read_file(path, kMaxBytes), path);
}

}  // namespace ingot::data
