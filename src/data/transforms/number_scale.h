// SPDX-License-Identifier: Apache-2.0
// The scales of numbers, and the streaming moments they are fitted from: y = (g(x) - center) /
// divisor, where g is the identity, ln or ln(1 + x). Deviations are divided by the count, as in
// scikit-learn's StandardScaler; a constant column becomes 0. Moments by Welford's recurrence, in
// double. Called by number_feature.cpp and target.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "base/json.h"
#include "data/transforms/feature_config.h"

namespace ingot::data {

struct Moments {
  int64_t count = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double mean = 0;
  double squares = 0;  ///< sum of squared differences from the mean

  void add(double x, int64_t times = 1);   ///< times >= 1
  [[nodiscard]] double deviation() const;  ///< 0 for no values and for equal ones
  [[nodiscard]] bool constant() const { return count > 0 && min == max; }
};

/// Whether g is a logarithm.
[[nodiscard]] bool is_logarithm(Scale kind);

class NumberScale {
 public:
  NumberScale() = default;
  explicit NumberScale(Scale kind) : kind_(kind) {}

  /// g(x): what the moments of fit() are taken of.
  [[nodiscard]] double logged(double x) const;
  /// Whether g is defined at x: ln needs x > 0, ln(1 + x) needs x > -1.
  [[nodiscard]] bool defined(double x) const;
  /// "> 0" or "> -1".
  [[nodiscard]] const char* domain() const;
  /// Whether center and divisor are to be fitted.
  [[nodiscard]] bool needs_moments() const;
  /// `moments` of logged(x).
  void fit(const Moments& moments);
  /// Whether center and divisor are: not of values so far apart that a double holds no square of
  /// their distance.
  [[nodiscard]] bool is_finite() const;

  [[nodiscard]] double apply(double x) const;
  /// How much larger the difference of two x is than that of their y; nullopt under a logarithm,
  /// where it depends on them, and for a constant column.
  [[nodiscard]] std::optional<double> spread() const;
  /// x of y. A constant column gives the constant back.
  [[nodiscard]] double invert(double y) const;

  [[nodiscard]] Scale kind() const { return kind_; }
  [[nodiscard]] double center() const { return center_; }
  [[nodiscard]] double divisor() const { return divisor_; }
  [[nodiscard]] Json to_json() const;
  [[nodiscard]] static NumberScale from_json(Scale kind, const Json& json, std::string_view what);

 private:
  Scale kind_ = Scale::kNone;
  double center_ = 0;
  double divisor_ = 1;  // 0: constant, apply gives 0
};

}  // namespace ingot::data
