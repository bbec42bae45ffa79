// SPDX-License-Identifier: Apache-2.0
// Confidence intervals by the Poisson bootstrap: in every replicate each example counts Poisson(1)
// times, which is what resampling n of n examples tends to, and needs no second look at the order
// of the stream (Chamandy et al. 2012). The weight is a pure function of (seed, replicate,
// position), so intervals do not depend on batch size or threads. Bounds are percentiles of the
// replicates (Efron 1981) with linear interpolation. Of very many examples fewer replicates are
// drawn (affordable_replicates): there intervals are narrow, and time is what they cost. Called by
// the metrics beside it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/signals.h"
#include "base/team.h"

namespace ingot::train {

struct BootstrapOptions {
  int64_t replicates = 0;  ///< 0: no intervals and no memory for them; 1000 is usual
  double confidence = 0.95;
  uint64_t seed = 0;
  Team* team = nullptr;            ///< null: this thread alone; no figure depends on it
  const StopFlag* stop = nullptr;  ///< looked at between replicates: throws kCancelled
};

/// Throws kInvalidArgument for a negative number of replicates or a confidence outside (0, 1).
void check(const BootstrapOptions& options);

/// Replicates that are drawn of `rows` examples of so many columns: those that are wanted while all
/// together look at no more than 10⁹ values; beyond it as many as do that, but not below 100. So
/// 1,000 are drawn of up to a million rows of one column.
[[nodiscard]] int64_t affordable_replicates(int64_t wanted, int64_t rows, int64_t columns);

/// weights[i] = how often example i counts in this replicate: 0 … 13.
void poisson_weights(uint64_t seed, int64_t replicate, std::span<uint8_t> weights);

/// A figure with the bounds of its interval; NaN where undefined or not asked for.
struct MetricValue {
  std::string name;
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// Sets the bounds from the replicates' values; those that are not a number are left out.
void set_interval(MetricValue& metric, std::vector<double> replicates, double confidence);

/// The value called `name`. Throws kNotFound listing the names there are.
[[nodiscard]] const MetricValue& find_metric(std::span<const MetricValue> values,
                                             std::string_view name);

}  // namespace ingot::train
