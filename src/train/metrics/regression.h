// SPDX-License-Identifier: Apache-2.0
// Mean squared error, its root, mean absolute error and R² of a stream of predictions, in double;
// several outputs count equally (scikit-learn's uniform average; the root is taken per output).
// State: five numbers per output; with bootstrap intervals also 8 bytes per value, without limit.
// Called by training tasks and the evaluate verb; knows no tensors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics/bootstrap.h"

namespace ingot::train {

struct RegressionOptions {
  int64_t outputs = 1;
  BootstrapOptions bootstrap;
};

struct RegressionResult {
  int64_t count = 0;                ///< rows
  int64_t replicates = 0;           ///< behind the intervals; 0: there are none
  std::vector<MetricValue> values;  ///< mse, rmse, mae, r2
  [[nodiscard]] double operator[](std::string_view name) const {
    return find_metric(values, name).value;
  }
};

/// mse, rmse, mae, r2.
[[nodiscard]] std::vector<std::string> regression_metric_names();

class RegressionMetrics {
 public:
  explicit RegressionMetrics(const RegressionOptions& options = {});

  /// Row-major [rows, outputs] each. Throws kShapeMismatch, and kNumeric for a value that is not
  /// finite, naming the row counted from the first add.
  void add(std::span<const float> predictions, std::span<const float> targets);

  /// R² = 1 − Σ(p − t)² / Σ(t − mean t)²; for constant targets 1 when the error is 0, else 0; NaN
  /// for fewer than two rows. Everything is NaN without rows. Throws kCancelled when asked to stop.
  [[nodiscard]] RegressionResult result() const;

  /// Bytes kept per row for the intervals.
  [[nodiscard]] int64_t bytes_per_example() const {
    return options_.bootstrap.replicates > 0 ? 8 * options_.outputs : 0;
  }

 private:
  struct Sums {  // of one output
    double count = 0.0, squared = 0.0, absolute = 0.0;
    double mean = 0.0, spread = 0.0;  // of the targets: Welford
    void add(double prediction, double target, double weight);
  };
  [[nodiscard]] static std::vector<double> values_of(const std::vector<Sums>& sums);

  RegressionOptions options_;
  std::vector<Sums> sums_;
  std::vector<float> kept_;  // prediction and target by turns
  int64_t rows_ = 0;
};

}  // namespace ingot::train
