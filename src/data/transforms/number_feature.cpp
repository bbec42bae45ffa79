// SPDX-License-Identifier: Apache-2.0
// The first pass finds the fill value and the bounds; the scale is fitted on values after both, so
// it takes a second pass, unless nothing changes between (no missing cell, no bound, no logarithm).
#include "data/transforms/number_feature.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "data/formats/decimal_comma.h"
#include "data/schema.h"

namespace ingot::data {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLowQuantile = 0.01;
constexpr double kHighQuantile = 0.99;
constexpr size_t kMaxModes = 65536;  // different values counted for missing=mode
/// The squared distances of values within this of 0, of however many rows, have a finite sum.
constexpr double kFarthest = 1e100;
constexpr std::string_view kClipValues = "clip: values, clip_low: -1e30, clip_high: 1e30";

/// `, leave the cell empty`, or another text of the table's that stands for no value; nothing where
/// none may stand.
std::string no_value_advice(const Cell& cell) {
  if (cell.none.empty()) return {};
  if (is_missing("", cell.none)) return ", leave the cell empty";
  return fmt::format(", write \"{}\" for no value", excerpt(cell.none.front()));
}

double bound(const Json& state, const char* key, double none, std::string_view what) {
  return json_optional(state, key, what) == nullptr ? none : json_number(state, key, what);
}

}  // namespace

NumberFeature::NumberFeature(FeatureConfig config)
    : Feature(std::move(config)), scale_(config_.scale) {}

NumberFeature::NumberFeature(FeatureConfig config, const Json& state, std::string_view what)
    : Feature(std::move(config), true),
      fill_(json_number(state, "fill", what)),
      low_(bound(state, "low", -kInfinity, what)),
      high_(bound(state, "high", kInfinity, what)),
      scale_(NumberScale::from_json(config_.scale, state, what)) {}

double NumberFeature::number(const Cell& cell) const {
  const std::optional<double> x = parse_number(cell.text);
  if (x && std::isfinite(*x)) return *x;
  require(!is_comma_number(cell.text), Code::kInvalidArgument,
          "features: column \"{}\"{}: \"{}\" has a decimal comma; write it with a point, or set "
          "decimal=comma in table.format, or in predict.input",
          name(), at_line(cell.line), excerpt(cell.text));
  const bool is_refused = config_.missing == Missing::kError;  // and so would a missing one be
  fail(Code::kInvalidArgument,
       "features: column \"{}\"{}: \"{}\" is no finite number; correct it{}, or {}", name(),
       at_line(cell.line), excerpt(cell.text), is_refused ? "" : no_value_advice(cell),
       advice(is_refused ? "kind: number, bad_number: missing, missing: median"
                         : "kind: number, bad_number: missing"));
}

double NumberFeature::clipped(double x) const { return std::clamp(x, low_, high_); }

void NumberFeature::add(const Cell& cell) {
  if (pass_ == 1) {
    scaled_.add(scale_.logged(clipped(cell.missing ? fill_ : number(cell))));
    return;
  }
  if (cell.missing) {
    require_missing_allowed(cell, "missing: median");
    missing_ += 1;
    return;
  }
  const double x = number(cell);
  if (x < raw_.min) min_line_ = cell.line;
  if (x > raw_.max) max_line_ = cell.line;
  raw_.add(x);
  quantiles_.add(x);
  if (config_.missing != Missing::kMode) return;
  modes_[x] += 1;
  if (modes_.size() <= kMaxModes) return;
  fail(Code::kInvalidArgument,
       "features: column \"{}\": missing=mode counts at most {} different values; {}", name(),
       kMaxModes, advice("missing: median"));
}

double NumberFeature::fill_value() {
  switch (config_.missing) {
    case Missing::kMean:
      return raw_.constant() ? raw_.min : raw_.mean;
    case Missing::kMode:
      return std::max_element(modes_.begin(), modes_.end(),
                              [](const auto& a, const auto& b) { return a.second < b.second; })
          ->first;
    case Missing::kZero:
      return 0;
    case Missing::kValue:
      return *parse_number(config_.missing_value);
    default:
      return quantiles_.at(0.5);
  }
}

void NumberFeature::fit_clip() {
  if (config_.clip == Clip::kQuantiles) {
    low_ = quantiles_.at(config_.clip_low.value_or(kLowQuantile));
    high_ = quantiles_.at(config_.clip_high.value_or(kHighQuantile));
  } else if (config_.clip == Clip::kValues) {
    low_ = config_.clip_low.value_or(-kInfinity);
    high_ = config_.clip_high.value_or(kInfinity);
  }
}

void NumberFeature::check_domain(double x, int64_t line) const {
  if (scale_.defined(x)) return;
  fail(Code::kInvalidArgument,
       "features: column \"{}\"{}: scale={} needs values {}, got {}; {}, or clip: values with a "
       "clip_low that it takes",
       name(), at_line(line), enum_name(config_.scale), scale_.domain(), x,
       advice("scale: standard"));
}

/// Of the value that is farthest from 0: what is fitted would be infinite, and no file holds that.
void NumberFeature::fail_of_range(std::string_view what, std::string_view keys) const {
  const bool is_min = std::abs(raw_.min) > std::abs(raw_.max);
  double value = is_min ? raw_.min : raw_.max;
  int64_t line = is_min ? min_line_ : max_line_;
  if (missing_ > 0 && std::isfinite(fill_) && std::abs(fill_) > std::abs(value)) {
    value = fill_;  // the missing_value of the recipe
    line = 0;
  }
  fail(Code::kInvalidArgument,
       "features: column \"{}\"{}: {} is too far out: {} would be no finite number; correct it, or "
       "{}",
       name(), at_line(line), value, what, advice(keys));
}

/// The quantiles where they leave nothing of what is too far out.
std::string_view NumberFeature::clip_keys() {
  const auto is_near = [&](double q) { return std::abs(quantiles_.at(q)) <= kFarthest; };
  const bool is_cut =
      config_.clip != Clip::kQuantiles && is_near(kLowQuantile) && is_near(kHighQuantile);
  return is_cut ? "clip: quantiles" : kClipValues;
}

/// Infinite bounds are those of no clip.
void NumberFeature::check_finite() {
  if (!std::isfinite(fill_)) {
    fail_of_range(fmt::format("the fill value (missing={})", enum_name(config_.missing)),
                  fmt::format("missing: zero, {}", clip_keys()));
  }
  if (config_.clip == Clip::kQuantiles && !(std::isfinite(low_) && std::isfinite(high_))) {
    fail_of_range("a bound of clip=quantiles", clip_keys());
  }
}

bool NumberFeature::finish_pass(std::vector<std::string>& warnings) {
  if (pass_ == 1) {
    finish_scale(scaled_, warnings);
    return false;
  }
  require(raw_.count > 0, Code::kInvalidArgument,
          "features: column \"{}\" has no value in {} training rows; {}", name(), missing_,
          advice("kind: ignore"));
  fill_ = fill_value();
  fit_clip();
  check_finite();
  check_domain(clipped(raw_.min), min_line_);
  if (missing_ > 0) check_domain(clipped(fill_), 0);
  modes_.clear();
  const bool changed = missing_ > 0 || config_.clip != Clip::kNone ||
                       scale_.logged(raw_.max) != raw_.max || scale_.logged(raw_.min) != raw_.min;
  if (scale_.needs_moments() && changed) {
    pass_ = 1;
    return true;
  }
  finish_scale(raw_, warnings);
  return false;
}

void NumberFeature::finish_scale(const Moments& moments, std::vector<std::string>& warnings) {
  scale_.fit(moments);
  if (!scale_.is_finite()) {
    fail_of_range(fmt::format("what scale={} is fitted to", enum_name(config_.scale)), clip_keys());
  }
  quantiles_ = Quantiles(0);
  const double low = clipped(raw_.min);
  if (low == clipped(raw_.max) && (missing_ == 0 || clipped(fill_) == low)) {
    warnings.push_back(fmt::format("{}: is {} in all training rows{}", name(), low,
                                   scale_.needs_moments() ? ", scaled to 0" : ""));
  }
}

FeatureLayout NumberFeature::layout() const {
  FeatureLayout layout{{name()}, 0, 0};
  if (config_.missing_flag) layout.columns.push_back(name() + " is missing");
  return layout;
}

bool NumberFeature::encode(const Cell& cell, Slots slots, FeatureScratch& /*scratch*/) const {
  if (cell.missing) require_missing_allowed(cell, "missing: median");
  const double x = clipped(cell.missing ? fill_ : number(cell));
  check_domain(x, cell.line);
  const double y = scale_.apply(x);
  if (!(std::abs(y) <= std::numeric_limits<float>::max())) {
    fail(Code::kInvalidArgument,
         "features: column \"{}\"{}: {} becomes {} under scale={}, beyond float32; {}", name(),
         at_line(cell.line), x, y, enum_name(config_.scale),
         advice(config_.clip == Clip::kQuantiles ? kClipValues : "clip: quantiles"));
  }
  slots.floats[0] = static_cast<float>(y);
  if (config_.missing_flag) slots.floats[1] = cell.missing ? 1.0F : 0.0F;
  return true;
}

Json NumberFeature::state() const {
  Json json{{"fill", fill_}};
  json["low"] = std::isinf(low_) ? Json() : Json(low_);
  json["high"] = std::isinf(high_) ? Json() : Json(high_);
  json.update(scale_.to_json());
  return json;
}

}  // namespace ingot::data
