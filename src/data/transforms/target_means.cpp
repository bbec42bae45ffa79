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

constexpr int64_t kAllParts = -1;
constexpr int64_t kNumber = 8;       // bytes of a sum, a count or a value
constexpr int64_t kOtherPlaces = 2;  // a missing one, the bucket
/// Deviations that are a smaller share of the values than this are their rounding.
constexpr double kRounding = 1e-12;

/// Sums and a count per part, and the values.
int64_t bytes_per_place(int64_t folds, int64_t width) {
  return kNumber * (folds * (width + 1) + width);
}

/// What of a column's keys would fit into the space, for a message.
std::string fitting_keys(const std::string& name, int64_t folds, int64_t width, int64_t space) {
  const auto categories = [&](int64_t parts) {
    return space / bytes_per_place(parts, width) - kOtherPlaces;
  };
  constexpr int64_t kFewest = 2;
  if (categories(folds) >= 1) {
    return fmt::format(
        "set {{name: \"{}\", max_categories: {}}} in table.features, or encode: index", name,
        categories(folds));
  }
  if (categories(kFewest) >= 1) {
    return fmt::format(
        "set {{name: \"{}\", folds: {}, max_categories: {}}} in table.features, or encode: index",
        name, kFewest, categories(kFewest));
  }
  return fmt::format("set {{name: \"{}\", encode: index}} in table.features", name);
}

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

int64_t fold_of(uint64_t seed, int64_t part_key, int64_t folds) {
  constexpr uint64_t kTag = 0x464F4C4453ULL;  // apart from other uses of the same seed
  const uint64_t draw = mix64(mix64(seed ^ kTag) ^ static_cast<uint64_t>(part_key));
  return static_cast<int64_t>(draw % static_cast<uint64_t>(folds));
}

TargetMeans::TargetMeans(const FeatureConfig& config, int64_t places, const Target& target,
                         uint64_t seed, int64_t space)
    : columns_(mean_columns(config.name, target)),
      prior_(columns_.size()),
      places_(places),
      folds_(config.folds.value_or(kDefaultFolds)),
      smoothing_(config.smoothing.value_or(kDefaultSmoothing)),
      seed_(seed),
      is_class_(target.is_class()) {
  const auto columns = static_cast<int64_t>(width());
  require(bytes() <= space, Code::kInvalidArgument,
          "features: column \"{}\": encode=target keeps {} bytes ({} categories, {} folds, {} "
          "columns), {} are left for it; {}",
          config.name, bytes(), places, folds_, columns, space,
          fitting_keys(config.name, folds_, columns, space));
  sums_.resize(static_cast<size_t>(places * folds_) * width());
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
  const Json& scales = json_member(state, "scale", what);
  require(scales.is_array() && scales.size() == width(), Code::kInvalidArgument,
          "{}: \"scale\" must be a list of one per column", what);
  for (const Json& scale : scales) {
    scales_.push_back(NumberScale::from_json(Scale::kStandard, scale, what));
  }
}

int64_t TargetMeans::bytes() const {
  return places_ * bytes_per_place(folds_, static_cast<int64_t>(width()));
}

void TargetMeans::add(int64_t place, const TrainingRow& row) {
  // What the row adds to one of the columns; of two classes there is only that of the second.
  const bool is_binary = is_class_ && width() == 1;
  const size_t column = is_class_ && !is_binary ? static_cast<size_t>(row.label) : 0;
  const double amount = !is_class_ ? row.number : is_binary && row.label != 1 ? 0.0 : 1.0;
  rows_ += 1;
  prior_[column] += amount;  // a sum until finish()
  if (place == kNone) return;
  const auto part = static_cast<size_t>(place * folds_ + fold_of(seed_, row.part_key, folds_));
  counts_[part] += 1;
  sums_[part * width() + column] += amount;
}

void TargetMeans::finish() {
  INGOT_ASSERT(rows_ > 0);
  for (double& sum : prior_) sum /= static_cast<double>(rows_);
  const bool is_finite = std::all_of(prior_.begin(), prior_.end(),
                                     [&](double mean) { return std::isfinite(smoothing_ * mean); });
  require(is_finite, Code::kInvalidArgument,
          "features: \"{}\": with smoothing={} it would be no finite number; set smoothing: {} in "
          "table.features",
          columns_.front(), smoothing_, kDefaultSmoothing);
  values_.resize(static_cast<size_t>(places_) * width());
  for (int64_t place = 0; place < places_; ++place) {
    means(place, kAllParts,
          std::span(values_).subspan(static_cast<size_t>(place) * width(), width()));
  }
  fit_scales();
}

/// Of what the training rows get: all rows of a place and a part get the same.
void TargetMeans::fit_scales() {
  std::vector<Moments> moments(width());
  std::vector<double> own(width());
  int64_t placeless = rows_;
  const auto add = [&](std::span<const double> values, int64_t rows) {
    for (size_t k = 0; k < width() && rows > 0; ++k) moments[k].add(values[k], rows);
  };
  for (int64_t place = 0; place < places_; ++place) {
    for (int64_t fold = 0; fold < folds_; ++fold) {
      const int64_t rows = counts_[static_cast<size_t>(place * folds_ + fold)];
      if (rows == 0) continue;
      means(place, fold, own);
      add(own, rows);
      placeless -= rows;
    }
  }
  add(prior_, placeless);
  for (Moments& of : moments) {
    const double largest = std::max(std::abs(of.min), std::abs(of.max));
    if (of.deviation() <= kRounding * largest) of.max = of.min;  // the same for all
    scales_.emplace_back(Scale::kStandard).fit(of);
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
    out[k] = count == 0 ? prior_[k] : (out[k] + smoothing_ * prior_[k]) / (n + smoothing_);
  }
}

void TargetMeans::write(int64_t place, int64_t part_key, std::span<float> out) const {
  INGOT_ASSERT(out.size() == width() && place < places_);
  const auto put = [&](std::span<const double> values) {
    for (size_t k = 0; k < width(); ++k) out[k] = static_cast<float>(scales_[k].apply(values[k]));
  };
  if (place == kNone) return put(prior_);
  if (part_key == kNotTrained) {
    return put(std::span(values_).subspan(static_cast<size_t>(place) * width(), width()));
  }
  INGOT_ASSERT(folds_ > 0);  // a loaded one has forgotten the training rows
  std::vector<double> own(width());
  means(place, fold_of(seed_, part_key, folds_), own);
  put(own);
}

Json TargetMeans::state() const {
  Json values = Json::array();
  for (size_t at = 0; at < values_.size(); at += width()) {
    values.push_back(
        std::vector<double>(values_.begin() + static_cast<std::ptrdiff_t>(at),
                            values_.begin() + static_cast<std::ptrdiff_t>(at + width())));
  }
  Json scales = Json::array();
  for (const NumberScale& scale : scales_) scales.push_back(scale.to_json());
  return Json{{"columns", columns_},
              {"prior", prior_},
              {"values", std::move(values)},
              {"scale", std::move(scales)}};
}

}  // namespace ingot::data
