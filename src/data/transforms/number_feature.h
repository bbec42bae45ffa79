// SPDX-License-Identifier: Apache-2.0
// A column of numbers: missing cells filled, outliers cut, scaled; one float32 slot, and a second
// one that says whether the cell was missing when asked for. In this order: fill, clip, logarithm,
// scale; everything after the fill is fitted on what training rows hold after the steps before.
// Made by catalog.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/transforms/feature.h"
#include "data/transforms/number_scale.h"
#include "data/transforms/quantiles.h"

namespace ingot::data {

class NumberFeature final : public Feature {
 public:
  explicit NumberFeature(FeatureConfig config);
  NumberFeature(FeatureConfig config, const Json& state, std::string_view what);

  void add(const Cell& cell) override;
  [[nodiscard]] bool finish_pass(std::vector<std::string>& warnings) override;
  [[nodiscard]] FeatureLayout layout() const override;
  bool encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const override;
  [[nodiscard]] Json state() const override;

 private:
  [[nodiscard]] double number(const Cell& cell) const;
  [[nodiscard]] double clipped(double x) const;
  [[nodiscard]] double fill_value();
  void fit_clip();
  void check_domain(double x, int64_t line) const;
  void check_finite();
  [[noreturn]] void fail_of_range(std::string_view what, std::string_view keys) const;
  [[nodiscard]] std::string_view clip_keys();
  void finish_scale(const Moments& moments, std::vector<std::string>& warnings);

  // Fitted.
  double fill_ = 0;
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
  NumberScale scale_;
  // While fitting.
  int pass_ = 0;
  int64_t missing_ = 0;
  Moments raw_;
  Moments scaled_;
  int64_t min_line_ = 0, max_line_ = 0;  // where the smallest and the largest value stand
  Quantiles quantiles_;
  std::map<double, int64_t> modes_;
};

}  // namespace ingot::data
