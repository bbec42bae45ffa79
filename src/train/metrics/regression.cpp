// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/regression.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace ingot::train {
namespace {

constexpr std::array kNames = {"mse", "rmse", "mae", "r2"};
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::vector<std::string> regression_metric_names() { return {kNames.begin(), kNames.end()}; }

RegressionMetrics::RegressionMetrics(const RegressionOptions& options)
    : options_(options), sums_(static_cast<size_t>(options.outputs > 0 ? options.outputs : 0)) {
  require(options.outputs > 0, Code::kInvalidArgument, "metrics: {} outputs, at least 1 is needed",
          options.outputs);
  check(options.bootstrap);
}

void RegressionMetrics::Sums::add(double prediction, double target, double weight) {
  if (weight == 0.0) return;
  const double error = prediction - target;
  count += weight;
  squared += weight * error * error;
  absolute += weight * std::abs(error);
  const double offset = target - mean;
  mean += offset * weight / count;
  spread += weight * offset * (target - mean);
}

void RegressionMetrics::add(std::span<const float> predictions, std::span<const float> targets) {
  const auto outputs = static_cast<size_t>(options_.outputs);
  require(predictions.size() == targets.size() && targets.size() % outputs == 0,
          Code::kShapeMismatch,
          "metrics: {} predictions and {} targets; equal numbers of rows of {} are needed",
          predictions.size(), targets.size(), outputs);
  for (size_t i = 0; i < targets.size(); ++i) {
    require(std::isfinite(predictions[i]) && std::isfinite(targets[i]), Code::kNumeric,
            "metrics: row {}: prediction {} and target {} must be finite",
            rows_ + static_cast<int64_t>(i / outputs), predictions[i], targets[i]);
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    sums_[i % outputs].add(static_cast<double>(predictions[i]), static_cast<double>(targets[i]),
                           1.0);
  }
  rows_ += static_cast<int64_t>(targets.size() / outputs);
  if (options_.bootstrap.replicates == 0) return;
  for (size_t i = 0; i < targets.size(); ++i) {
    kept_.push_back(predictions[i]);
    kept_.push_back(targets[i]);
  }
}

std::vector<double> RegressionMetrics::values_of(const std::vector<Sums>& sums) {
  std::vector<double> total(kNames.size(), 0.0);
  const auto outputs = static_cast<double>(sums.size());
  for (const Sums& s : sums) {
    if (s.count == 0.0) return std::vector<double>(kNames.size(), kUndefined);
    const double mse = s.squared / s.count;
    double r2 = s.spread > 0.0 ? 1.0 - s.squared / s.spread : (s.squared == 0.0 ? 1.0 : 0.0);
    if (s.count < 2.0) r2 = kUndefined;
    const std::array values = {mse, std::sqrt(mse), s.absolute / s.count, r2};
    for (size_t k = 0; k < total.size(); ++k) total[k] += values[k] / outputs;
  }
  return total;
}

RegressionResult RegressionMetrics::result() const {
  RegressionResult out;
  out.count = rows_;
  const std::vector<double> values = values_of(sums_);
  for (size_t k = 0; k < kNames.size(); ++k)
    out.values.push_back({kNames[k], values[k], kUndefined, kUndefined});
  const BootstrapOptions& b = options_.bootstrap;
  if (b.replicates == 0 || rows_ == 0) return out;
  out.replicates = affordable_replicates(b.replicates, rows_, options_.outputs);
  std::vector<std::vector<double>> replicates(kNames.size());
  std::vector<uint8_t> weights(static_cast<size_t>(rows_));
  for (int64_t r = 0; r < out.replicates; ++r) {
    throw_if_stopped(b.stop);
    poisson_weights(b.seed, r, weights);
    std::vector<Sums> sums(sums_.size());
    const float* pair = kept_.data();
    for (const uint8_t weight : weights) {
      for (Sums& s : sums) {
        s.add(static_cast<double>(pair[0]), static_cast<double>(pair[1]),
              static_cast<double>(weight));
        pair += 2;
      }
    }
    const std::vector<double> drawn = values_of(sums);
    for (size_t k = 0; k < kNames.size(); ++k) replicates[k].push_back(drawn[k]);
  }
  for (size_t k = 0; k < kNames.size(); ++k) {
    set_interval(out.values[k], std::move(replicates[k]), b.confidence);
  }
  return out;
}

}  // namespace ingot::train
