// SPDX-License-Identifier: Apache-2.0
// center and divisor per scale: min_max (min, max - min), symmetric (middle, half the range),
// standard (mean, deviation). A divisor of 0 stands for a constant column.
#include "data/transforms/number_scale.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace ingot::data {
namespace {

bool is_log(Scale kind) { return kind == Scale::kLog || kind == Scale::kLogStandard; }
bool is_log1p(Scale kind) { return kind == Scale::kLog1p || kind == Scale::kLog1pStandard; }

}  // namespace

void Moments::add(double x, int64_t times) {
  const auto n = static_cast<double>(times);
  count += times;
  min = std::min(min, x);
  max = std::max(max, x);
  const double before = x - mean;
  mean += before * n / static_cast<double>(count);
  squares += before * (x - mean) * n;
}

double Moments::deviation() const {
  return count == 0 || min == max ? 0 : std::sqrt(squares / static_cast<double>(count));
}

bool is_logarithm(Scale kind) { return is_log(kind) || is_log1p(kind); }

double NumberScale::logged(double x) const {
  if (is_log(kind_)) return std::log(x);
  return is_log1p(kind_) ? std::log1p(x) : x;
}

bool NumberScale::defined(double x) const {
  if (is_log(kind_)) return x > 0;
  return !is_log1p(kind_) || x > -1;
}

const char* NumberScale::domain() const { return is_log(kind_) ? "> 0" : "> -1"; }

bool NumberScale::needs_moments() const {
  return kind_ != Scale::kNone && kind_ != Scale::kLog && kind_ != Scale::kLog1p;
}

void NumberScale::fit(const Moments& moments) {
  if (kind_ == Scale::kMinMax) {
    center_ = moments.min;
    divisor_ = moments.max - moments.min;
  } else if (kind_ == Scale::kSymmetric) {
    center_ = moments.min + (moments.max - moments.min) / 2;
    divisor_ = (moments.max - moments.min) / 2;
  } else if (needs_moments()) {
    // The recurrence leaves rounding in the mean of equal values; the value itself has none.
    center_ = moments.constant() ? moments.min : moments.mean;
    divisor_ = moments.deviation();
  }
}

bool NumberScale::is_finite() const { return std::isfinite(center_) && std::isfinite(divisor_); }

double NumberScale::apply(double x) const {
  return divisor_ == 0 ? 0 : (logged(x) - center_) / divisor_;
}

std::optional<double> NumberScale::spread() const {
  if (is_logarithm(kind_) || divisor_ == 0) return std::nullopt;
  return divisor_;
}

double NumberScale::invert(double y) const {
  const double value = y * divisor_ + center_;
  if (is_log(kind_)) return std::exp(value);
  return is_log1p(kind_) ? std::expm1(value) : value;
}

Json NumberScale::to_json() const { return Json{{"center", center_}, {"divisor", divisor_}}; }

NumberScale NumberScale::from_json(Scale kind, const Json& json, std::string_view what) {
  NumberScale scale(kind);
  scale.center_ = json_number(json, "center", what);
  scale.divisor_ = json_number(json, "divisor", what);
  require(scale.divisor_ >= 0, Code::kInvalidArgument,
          "{}: \"divisor\" is {}, it must not be negative", what, scale.divisor_);
  return scale;
}

}  // namespace ingot::data
