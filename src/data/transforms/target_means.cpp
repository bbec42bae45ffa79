// SPDX-License-Identifier: Apache-2.0
// The sum outside a part adds the other parts up, in their order, instead of taking one from the
// whole: a difference of doubles would hold a trace of what was taken away.
#include "data/transforms/target_means.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr int64_t kMostSums = int64_t{1} << 24;  // 128 MiB
constexpr int64_t kAllParts = -1;

std::vector<std::string> mean_columns(const std::string& name, const Target& target) {
  if (!target.is_class()) {
    return {fmt::format("{} (mean of {})", name, target.config().column)};
  }
  std::vector<std::string> columns;
  for (const std::string& label : target.classes()) {
    columns.push_back(fmt::format("{} (share of {})", name, label));
  }
  if (columns.size() == 2) columns.erase(columns.begin());  // it is one minus the other
  return columns;
}

bool is_float(const Json& x) {
  return x.is_number() && std::abs(x.get<double>()) <= std::numeric_limits<float>::max();
}

std::vector<double> number_list(const Json& list, size_t size, std::string_view what) {
  require(list.is_array() && list.size() == size && std::all_of(list.begin(), list.end(), is_float),
          Code::kInvalidArgument, "{}: \"target\" must hold {} numbers per category", what, size);
  return list.get<std::vector<double>>();
}

}  // namespace

int64_t fold_of(uint64_t seed, int64_t row, int64_t folds) {
  constexpr uint64_t kTag = 0x464F4C4453ULL;  // apart from other uses of the same seed
  const uint64_t draw = mix64(mix64(seed ^ kTag) ^ static_cast<uint64_t>(row));
  return static_cast<int64_t>(draw % static_cast<uint64_t>(folds));
}

TargetMeans::TargetMeans(const FeatureConfig& config, int64_t places, const Target& target,
                         uint64_t seed)
    : columns_(mean_columns(config.name, target)),
      prior_(columns_.size()),
      places_(places),
      folds_(config.folds),
      smoothing_(config.smoothing),
      seed_(seed),
      is_class_(target.is_class()) {
  const auto per_place = folds_ * static_cast<int64_t>(width());
  require(places <= kMostSums / per_place, Code::kInvalidArgument,
          "features: column \"{}\": encode=target keeps {} numbers ({} categories, {} folds, {} "
          "columns), at most {} are possible; set {{name: \"{}\", max_categories: {}}} in "
          "table.features, or encode: index",
          config.name, places * per_place, places, folds_, width(), kMostSums, config.name,
          std::max<int64_t>(1, kMostSums / per_place - 2));
  sums_.resize(static_cast<size_t>(places * per_place));
  counts_.resize(static_cast<size_t>(places * folds_));
}

TargetMeans::TargetMeans(const Json& state, int64_t places, std::string_view what)
    : places_(places) {
  const Json& columns = json_member(state, "columns", what);
  require(columns.is_array() && !columns.empty() &&
              std::all_of(columns.begin(), columns.end(),
                          [](const Json& name) { return name.is_string(); }),
          Code::kInvalidArgument, "{}: \"columns\" must be a list of names", what);
  columns_ = columns.get<std::vector<std::string>>();
  prior_ = number_list(json_member(state, "prior", what), width(), what);
  const Json& values = json_member(state, "values", what);
  require(values.is_array() && static_cast<int64_t>(values.size()) == places,
          Code::kInvalidArgument, "{}: \"values\" must be a list of {} categories", what, places);
  for (const Json& item : values) {
    const std::vector<double> row = number_list(item, width(), what);
    values_.insert(values_.end(), row.begin(), row.end());
  }
}

void TargetMeans::add(int64_t place, const TrainingRow& row) {
  // What the row adds to one of the columns; of two classes there is only that of the second.
  const bool is_binary = is_class_ && width() == 1;
  const size_t column = is_class_ && !is_binary ? static_cast<size_t>(row.label) : 0;
  const double amount = !is_class_ ? row.number : is_binary && row.label != 1 ? 0.0 : 1.0;
  rows_ += 1;
  prior_[column] += amount;  // a sum until finish()
  if (place == kNone) return;
  const auto part = static_cast<size_t>(place * folds_ + fold_of(seed_, row.row, folds_));
  counts_[part] += 1;
  sums_[part * width() + column] += amount;
}

void TargetMeans::finish() {
  INGOT_ASSERT(rows_ > 0);
  for (double& sum : prior_) sum /= static_cast<double>(rows_);
  values_.resize(static_cast<size_t>(places_) * width());
  for (int64_t place = 0; place < places_; ++place) {
    means(place, kAllParts,
          std::span(values_).subspan(static_cast<size_t>(place) * width(), width()));
  }
}

void TargetMeans::means(int64_t place, int64_t left_out, std::span<double> out) const {
  int64_t count = 0;
  std::fill(out.begin(), out.end(), 0.0);
  for (int64_t fold = 0; fold < folds_; ++fold) {
    if (fold == left_out) continue;
    const auto part = static_cast<size_t>(place * folds_ + fold);
    count += counts_[part];
    for (size_t k = 0; k < width(); ++k) out[k] += sums_[part * width() + k];
  }
  const auto n = static_cast<double>(count);
  for (size_t k = 0; k < width(); ++k) {
    out[k] = count == 0 ? prior_[k] : prior_[k] + (out[k] - n * prior_[k]) / (n + smoothing_);
  }
}

void TargetMeans::write(int64_t place, int64_t row, std::span<float> out) const {
  INGOT_ASSERT(out.size() == width() && place < places_);
  if (place == kNone) {
    std::transform(prior_.begin(), prior_.end(), out.begin(),
                   [](double x) { return static_cast<float>(x); });
    return;
  }
  if (row == kNotTrained) {
    for (size_t k = 0; k < width(); ++k) {
      out[k] = static_cast<float>(values_[static_cast<size_t>(place) * width() + k]);
    }
    return;
  }
  INGOT_ASSERT(folds_ > 0);  // a loaded one has forgotten the training rows
  std::vector<double> own(width());
  means(place, fold_of(seed_, row, folds_), own);
  std::transform(own.begin(), own.end(), out.begin(),
                 [](double x) { return static_cast<float>(x); });
}

Json TargetMeans::state() const {
  Json values = Json::array();
  for (size_t at = 0; at < values_.size(); at += width()) {
    values.push_back(
        std::vector<double>(values_.begin() + static_cast<std::ptrdiff_t>(at),
                            values_.begin() + static_cast<std::ptrdiff_t>(at + width())));
  }
  return Json{{"columns", columns_}, {"prior", prior_}, {"values", std::move(values)}};
}

}  // namespace ingot::data
