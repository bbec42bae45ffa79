// SPDX-License-Identifier: Apache-2.0
// Classes are counted in a sorted map while fitting; a column with more than max_classes of them
// stops at once, before it can fill memory.
#include "data/transforms/target.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/error.h"
#include "base/text.h"
#include "data/formats/decimal_comma.h"
#include "data/schema.h"

namespace ingot::data {

void check(const TargetConfig& config) {
  require(std::isfinite(config.unit) && config.unit != 0, Code::kInvalidArgument,
          "target \"{}\": table.target.unit is {}, it must be a number other than 0", config.column,
          config.unit);
  require(config.max_classes >= 2, Code::kInvalidArgument,
          "target \"{}\": table.target.max_classes is {}, it must be >= 2", config.column,
          config.max_classes);
  require(config.kind != TargetKind::kClass || (config.scale == Scale::kNone && config.unit == 1),
          Code::kInvalidArgument,
          "target \"{}\": scale and unit are for numbers, its kind is class; set "
          "table.target.kind=number",
          config.column);
}

namespace {

constexpr double kLargestFloat = std::numeric_limits<float>::max();

/// `1e300`: the power of ten at or next to a finite number other than 0, which makes one of about
/// 1 to 10 of it.
std::string unit_for(double value) {
  return fmt::format("1e{}", static_cast<int>(std::floor(std::log10(std::abs(value)))));
}

}  // namespace

Target::Target(TargetConfig config) : config_(std::move(config)), scale_(config_.scale) {
  check(config_);
  require(config_.kind != TargetKind::kAuto, Code::kInvalidArgument,
          "target \"{}\": kind is auto; set table.target.kind=class or number", config_.column);
}

std::string Target::cure(std::string_view keys) const {
  return is_loaded_ ? "correct it or leave the row out" : fmt::format("correct it, or {}", keys);
}

double Target::number(const Cell& cell) const {
  require(!cell.missing, Code::kInvalidArgument,
          "target \"{}\"{}: the cell has no value; correct it or set table.target.missing=drop_row",
          config_.column, at_line(cell.line));
  require(!is_comma_number(cell.text), Code::kInvalidArgument,
          "target \"{}\"{}: \"{}\" has a decimal comma; set table.format.decimal=comma",
          config_.column, at_line(cell.line), excerpt(cell.text));
  const std::optional<double> x = parse_number(cell.text);
  if (!x) {
    fail(Code::kInvalidArgument, "target \"{}\"{}: \"{}\" is no finite number; {}", config_.column,
         at_line(cell.line), excerpt(cell.text), cure("set table.target.kind=class"));
  }
  if (!std::isfinite(*x)) {
    const std::string keys = fmt::format(
        "leave such rows out: set {{column: \"{}\", low: -3e38, high: 3e38}} in "
        "table.clean.ranges",
        config_.column);
    fail(Code::kInvalidArgument, "target \"{}\"{}: \"{}\" is no finite number; {}", config_.column,
         at_line(cell.line), excerpt(cell.text), cure(keys));
  }
  return *x / config_.unit;
}

/// As number(), which the scale takes and float32 holds: under a logarithm too the truth beside
/// the predictions is the number itself.
double Target::learnable(const Cell& cell) const {
  const double x = number(cell);
  if (!scale_.defined(x)) {
    const std::string keys = "set table.target.scale=standard";
    fail(Code::kInvalidArgument, "target \"{}\"{}: scale={} needs values {}, got {}; {}",
         config_.column, at_line(cell.line), enum_name(config_.scale), scale_.domain(), x,
         is_loaded_ ? cure(keys) : keys);
  }
  if (std::abs(x) > kLargestFloat) {
    fail(Code::kInvalidArgument, "target \"{}\"{}: \"{}\"{} is beyond float32 (3.4e38); {}",
         config_.column, at_line(cell.line), excerpt(cell.text),
         config_.unit == 1 ? "" : fmt::format(" in units of {}", config_.unit),
         cure("set table.target.unit=" + unit_for(*parse_number(cell.text))));
  }
  return x;
}

void Target::add(const Cell& cell) {
  if (!is_class()) {
    moments_.add(scale_.logged(learnable(cell)));
    return;
  }
  require(!cell.missing, Code::kInvalidArgument,
          "target \"{}\"{}: the cell has no value; correct it or set table.target.missing=drop_row",
          config_.column, at_line(cell.line));
  const std::string_view label = trim(cell.text);
  const auto found = counts_.find(label);
  if (found != counts_.end()) {
    found->second += 1;
    return;
  }
  require(static_cast<int64_t>(counts_.size()) < config_.max_classes, Code::kInvalidArgument,
          "target \"{}\"{}: more than table.target.max_classes={} classes; set "
          "table.target.kind=number, or raise max_classes",
          config_.column, at_line(cell.line), config_.max_classes);
  counts_.emplace(label, 1);
}

void Target::finish(std::vector<std::string>& warnings) {
  if (!is_class()) {
    require(moments_.count > 0, Code::kInvalidArgument,
            "target \"{}\": no training row has a value to fit on; name another column: "
            "table.target.column=NAME",
            config_.column);
    scale_.fit(moments_);
    if (moments_.constant()) {
      warnings.push_back(
          fmt::format("{}: the target is the same in all training rows", config_.column));
    }
    return;
  }
  require(!counts_.empty(), Code::kInvalidArgument,
          "target \"{}\": no training row has a value to fit on; name another column: "
          "table.target.column=NAME",
          config_.column);
  require(counts_.size() > 1, Code::kInvalidArgument,
          "target \"{}\": all training rows have the class \"{}\"; there is nothing to tell apart. "
          "If the table has others, table.split.method=stratified trains on each; if it has none, "
          "name another column: table.target.column=NAME",
          config_.column, excerpt(counts_.begin()->first));
  for (const auto& [label, count] : counts_) classes_.push_back(label);
  finish_classes();
  for (const std::string& label : classes_) class_counts_.push_back(counts_.find(label)->second);
  counts_.clear();
}

/// By value when every name is a number: 2 before 10. "1" and "1.0" stay two classes.
void Target::finish_classes() {
  const bool numbers = std::all_of(classes_.begin(), classes_.end(), [](const std::string& label) {
    return parse_number(label).has_value();
  });
  if (numbers) {
    std::stable_sort(classes_.begin(), classes_.end(), [](const auto& a, const auto& b) {
      return *parse_number(a) < *parse_number(b);
    });
  }
  for (size_t i = 0; i < classes_.size(); ++i) ids_[classes_[i]] = static_cast<int32_t>(i);
}

/// A number among classes that are numbers, more than half of which one row has.
bool Target::is_measured(std::string_view label) const {
  const auto is_number = [](std::string_view text) { return parse_number(text).has_value(); };
  const auto single = std::count(class_counts_.begin(), class_counts_.end(), 1);
  return is_number(label) && 2 * single > std::ssize(classes_) &&
         std::all_of(classes_.begin(), classes_.end(), is_number);
}

int32_t Target::encode_class(const Cell& cell, std::string_view table,
                             std::string_view cure) const {
  INGOT_ASSERT(is_class());
  require(!cell.missing, Code::kInvalidArgument,
          "target \"{}\"{}: the cell has no value; correct it or set table.target.missing=drop_row",
          config_.column, at_line(cell.line));
  const auto found = ids_.find(trim(cell.text));
  if (found == ids_.end()) {
    require(
        !is_measured(cell.text), Code::kInvalidArgument,
        "target \"{}\"{}: {} was never seen in training: table.target.kind is class, and numbers "
        "that differ from row to row are no classes; set table.target.kind=number",
        config_.column, at_line(cell.line), excerpt(trim(cell.text)));
    fail(Code::kInvalidArgument,
         "target \"{}\"{}: the label \"{}\" was never seen in training.{}{}{}", config_.column,
         table.empty() ? at_line(cell.line) : fmt::format(" (line {} of \"{}\")", cell.line, table),
         excerpt(trim(cell.text)), did_you_mean(trim(cell.text), classes_), cure.empty() ? "" : " ",
         cure);
  }
  return found->second;
}

float Target::encode_number(const Cell& cell) const {
  INGOT_ASSERT(!is_class());
  const double x = learnable(cell);
  const double y = scale_.apply(x);
  if (std::abs(y) > kLargestFloat) {
    fail(Code::kInvalidArgument,
         "target \"{}\"{}: {} becomes {} under scale={}, beyond float32; {}", config_.column,
         at_line(cell.line), x, y, enum_name(config_.scale), cure("set table.target.scale=none"));
  }
  return static_cast<float>(y);
}

double Target::decode_number(double predicted) const {
  INGOT_ASSERT(!is_class());
  return scale_.invert(predicted);
}

Json Target::to_json() const {
  Json json{{"config", parse_json(ingot::to_json(config_), "target")}};
  if (is_class()) {
    json["classes"] = classes_;
    json["class_counts"] = class_counts_;
  } else {
    json["scale"] = scale_.to_json();
  }
  return json;
}

Target Target::from_json(const Json& json, std::string_view what) {
  TargetConfig config;
  bind_text(dump_json(json_member(json, "config", what)), what, config);
  Target target(config);
  target.is_loaded_ = true;
  if (!target.is_class()) {
    target.scale_ = NumberScale::from_json(config.scale, json_member(json, "scale", what), what);
    return target;
  }
  const Json& classes = json_member(json, "classes", what);
  const Json& counts = json_member(json, "class_counts", what);
  require(classes.is_array() && counts.is_array() && classes.size() == counts.size() &&
              classes.size() > 1,
          Code::kInvalidArgument,
          "{}: \"classes\" and \"class_counts\" must be lists of one length, of two or more", what);
  for (size_t i = 0; i < classes.size(); ++i) {
    require(classes[i].is_string() && counts[i].is_number_integer(), Code::kInvalidArgument,
            "{}: \"classes\" must hold texts and \"class_counts\" whole numbers", what);
    target.classes_.push_back(classes[i].get<std::string>());
    target.class_counts_.push_back(counts[i].get<int64_t>());
  }
  for (size_t i = 0; i < classes.size(); ++i) {
    require(target.ids_.emplace(target.classes_[i], static_cast<int32_t>(i)).second,
            Code::kInvalidArgument, "{}: the class \"{}\" is listed twice", what,
            excerpt(target.classes_[i]));
  }
  return target;
}

}  // namespace ingot::data
