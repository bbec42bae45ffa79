// SPDX-License-Identifier: Apache-2.0
// Counting is bounded: a column of a million different values is no category.
#include "data/transforms/category_feature.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kMaxDistinct = 1'000'000;

}  // namespace

CategoryFeature::CategoryFeature(FeatureConfig config, const Json& state, std::string_view what)
    : Feature(std::move(config), true),
      rows_(json_int(state, "rows", what)),
      missing_(json_int(state, "missing", what)),
      own_(json_bool(state, "own", what)) {
  const Json& categories = json_member(state, "categories", what);
  require(categories.is_array() && !categories.empty() && rows_ > 0, Code::kInvalidArgument,
          "{}: \"categories\" must be a list of [value, count]", what);
  for (const Json& item : categories) {
    require(
        item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_number_integer(),
        Code::kInvalidArgument, "{}: \"categories\" must be a list of [value, count]", what);
    categories_.push_back({item[0].get<std::string>(), item[1].get<int64_t>()});
  }
  index_categories();
  if (learns_target()) means_.emplace(json_member(state, "target", what), mean_places(), what);
}

void CategoryFeature::add(const Cell& cell) {
  rows_ += 1;
  std::string_view value = trim(cell.text);
  if (cell.missing) {
    require_missing_allowed(cell, "missing: own");
    missing_ += 1;
    if (config_.missing != Missing::kValue) return;
    value = config_.missing_value;
  }
  const auto found = counts_.find(value);
  if (found != counts_.end()) {
    found->second += 1;
    return;
  }
  if (counts_.size() >= kMaxDistinct) {
    fail(Code::kInvalidArgument,
         "features: column \"{}\"{}: more than {} different values; it is no category: {}, or "
         "kind: ignore",
         name(), at_line(cell.line), kMaxDistinct, advice("kind: text"));
  }
  counts_.emplace(value, 1);
}

void CategoryFeature::keep_most_frequent(std::vector<std::string>& warnings) {
  const auto limit = static_cast<size_t>(config_.max_categories);
  if (categories_.size() <= limit) return;
  require(
      config_.unknown != Unknown::kError, Code::kInvalidArgument,
      "features: column \"{}\" has {} categories, max_categories is {} and unknown is error; {}, "
      "or unknown: zero",
      name(), categories_.size(), limit,
      advice(fmt::format("max_categories: {}", categories_.size())));
  warnings.push_back(
      fmt::format("{}: {} categories, the {} most frequent are kept and the others count as unseen "
                  "(max_categories in table.features)",
                  name(), categories_.size(), limit));
  std::stable_sort(categories_.begin(), categories_.end(),
                   [](const Category& a, const Category& b) { return a.count > b.count; });
  categories_.resize(limit);
}

/// With the target it takes a second pass, over the categories that the first one found.
bool CategoryFeature::finish_pass(std::vector<std::string>& warnings) {
  if (means_) {
    means_->finish();
    return false;
  }
  count_categories(warnings);
  return learns_target();
}

int64_t CategoryFeature::begin_target(const Target& target, uint64_t seed, int64_t space) {
  if (!learns_target()) return 0;
  means_.emplace(config_, mean_places(), target, seed, space);
  return means_->bytes();
}

void CategoryFeature::add_with_target(const Cell& cell, const TrainingRow& row) {
  INGOT_ASSERT(means_.has_value());
  FeatureScratch scratch;
  means_->add(mean_place(cell, scratch), row);
}

void CategoryFeature::count_categories(std::vector<std::string>& warnings) {
  require(rows_ > missing_, Code::kInvalidArgument,
          "features: column \"{}\" has no value in {} training rows; {}", name(), rows_,
          advice("kind: ignore"));
  for (const auto& [value, count] : counts_) {
    if (count >= config_.min_count) categories_.push_back({value, count});
  }
  require(!categories_.empty(), Code::kInvalidArgument,
          "features: column \"{}\": none of {} categories has min_count={} training rows; {}, or "
          "kind: ignore",
          name(), counts_.size(), config_.min_count, advice("min_count: 1"));
  const auto by_value = [](const Category& a, const Category& b) { return a.value < b.value; };
  std::sort(categories_.begin(), categories_.end(), by_value);
  keep_most_frequent(warnings);
  std::sort(categories_.begin(), categories_.end(), by_value);
  own_ = config_.missing == Missing::kOwn || (config_.missing == Missing::kAuto && missing_ > 0);
  if (counts_.size() == 1 && !(own_ && missing_ > 0)) {
    warnings.push_back(
        fmt::format("{}: is \"{}\" in all training rows", name(), excerpt(categories_[0].value)));
  }
  index_categories();
  counts_.clear();
}

void CategoryFeature::index_categories() {
  for (size_t i = 0; i < categories_.size(); ++i) {
    places_.emplace(categories_[i].value, static_cast<int64_t>(i));
    if (categories_[i].count > categories_[static_cast<size_t>(most_frequent_)].count) {
      most_frequent_ = static_cast<int64_t>(i);
    }
  }
}

FeatureLayout CategoryFeature::layout() const {
  const auto known = static_cast<int64_t>(categories_.size()) + (own_ ? 1 : 0);
  if (config_.encode == CategoryEncode::kIndex) return {{}, 1, known + 1};
  if (config_.encode == CategoryEncode::kFrequency) return {{name() + " (share)"}, 0, 0};
  if (means_) return {means_->columns(), 0, 0};
  FeatureLayout layout;
  for (const Category& category : categories_) {
    layout.columns.push_back(name() + "=" + category.value);
  }
  if (own_) layout.columns.push_back(name() + "=<missing>");
  if (has_bucket()) layout.columns.push_back(name() + "=<other>");
  return layout;
}

int64_t CategoryFeature::unseen(const Cell& cell, FeatureScratch& scratch) const {
  if (!cell.missing) scratch.is_unseen = true;
  if (config_.unknown == Unknown::kMostFrequent) return most_frequent_;
  if (config_.unknown != Unknown::kError) return kUnseen;
  if (cell.missing) {
    fail(Code::kInvalidArgument,
         "features: column \"{}\"{}: the cell has no value, no training row lacked one, and "
         "unknown is error; {}",
         name(), at_line(cell.line), advice("unknown: zero"));
  }
  std::vector<std::string> known;
  for (const Category& category : categories_) known.push_back(category.value);
  fail(Code::kInvalidArgument,
       "features: column \"{}\"{}: \"{}\" is no category of the training rows and unknown is "
       "error; {}.{}",
       name(), at_line(cell.line), excerpt(cell.text), advice("unknown: zero"),
       did_you_mean(trim(cell.text), known));
}

int64_t CategoryFeature::place_of(const Cell& cell, FeatureScratch& scratch) const {
  std::string_view value = trim(cell.text);
  if (cell.missing) {
    require_missing_allowed(cell, "missing: own");
    if (own_) return own_place();
    if (config_.missing == Missing::kMode) return most_frequent_;
    if (config_.missing == Missing::kZero) return kUnseen;
    if (config_.missing != Missing::kValue) return unseen(cell, scratch);
    value = config_.missing_value;
  }
  const auto found = places_.find(value);
  return found == places_.end() ? unseen(cell, scratch) : found->second;
}

int64_t CategoryFeature::mean_place(const Cell& cell, FeatureScratch& scratch) const {
  const int64_t place = place_of(cell, scratch);
  if (place != kUnseen) return place;
  return is_in_bucket(cell) ? mean_places() - 1 : TargetMeans::kNone;
}

bool CategoryFeature::encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const {
  if (means_) {
    means_->write(mean_place(cell, scratch), cell.part_key, slots.floats);
    return true;
  }
  const int64_t place = place_of(cell, scratch);
  if (config_.encode == CategoryEncode::kIndex) {
    slots.ids[0] = static_cast<int32_t>(place + 1);
    return true;
  }
  if (config_.encode == CategoryEncode::kFrequency) {
    const int64_t count = place == kUnseen       ? 0
                          : place == own_place() ? missing_
                                                 : categories_[static_cast<size_t>(place)].count;
    slots.floats[0] = static_cast<float>(static_cast<double>(count) / static_cast<double>(rows_));
    return true;
  }
  std::fill(slots.floats.begin(), slots.floats.end(), 0.0F);
  if (place != kUnseen) {
    slots.floats[static_cast<size_t>(place)] = 1.0F;
  } else if (is_in_bucket(cell)) {
    slots.floats.back() = 1.0F;
  }
  return true;
}

Json CategoryFeature::state() const {
  Json categories = Json::array();
  for (const Category& category : categories_) {
    categories.push_back(Json::array({category.value, category.count}));
  }
  Json state{{"rows", rows_}, {"missing", missing_}, {"own", own_}, {"categories", categories}};
  if (means_) state["target"] = means_->state();
  return state;
}

}  // namespace ingot::data
