// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/philox.h"

namespace ingot::train {
namespace {

constexpr int64_t kMostLooks = 1'000'000'000;  // some ten seconds
constexpr int64_t kFewestReplicates = 100;

// Entry k: 2^32 P(X <= k) for X ~ Poisson(1); the tail beyond 12 is below 2^-32.
constexpr int kMost = 13;
constexpr std::array<uint32_t, kMost> poisson_table() {
  std::array<uint32_t, kMost> table{};
  double term = 0.36787944117144233, sum = 0.0;
  for (int k = 0; k < kMost; ++k) {
    sum += term;
    term /= k + 1;
    table[static_cast<size_t>(k)] = static_cast<uint32_t>(sum * 0x1.0p32);
  }
  return table;
}
constexpr std::array<uint32_t, kMost> kTable = poisson_table();

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

void check(const BootstrapOptions& options) {
  require(options.replicates >= 0, Code::kInvalidArgument,
          "metrics: {} bootstrap replicates; 1000 is usual, 0 turns intervals off",
          options.replicates);
  require(options.confidence > 0.0 && options.confidence < 1.0, Code::kInvalidArgument,
          "metrics: confidence {} is not in (0, 1); 0.95 is usual", options.confidence);
}

int64_t affordable_replicates(int64_t wanted, int64_t rows, int64_t columns) {
  const int64_t values = std::max<int64_t>(1, rows * columns);
  return std::min(wanted, std::max(kFewestReplicates, kMostLooks / values));
}

void poisson_weights(uint64_t seed, int64_t replicate, std::span<uint8_t> weights) {
  Philox random(seed, static_cast<uint64_t>(replicate));
  for (uint8_t& weight : weights) {
    const uint32_t word = random();
    int k = 0;  // bounds rise, so to count them says the same as to search, without a branch
    for (const uint32_t bound : kTable) k += word >= bound ? 1 : 0;
    weight = static_cast<uint8_t>(k);
  }
}

void set_interval(MetricValue& metric, std::vector<double> replicates, double confidence) {
  metric.low = metric.high = std::numeric_limits<double>::quiet_NaN();
  std::erase_if(replicates, [](double x) { return std::isnan(x); });
  if (replicates.empty() || std::isnan(metric.value)) return;
  std::sort(replicates.begin(), replicates.end());
  metric.low = quantile(replicates, 0.5 - 0.5 * confidence);
  metric.high = quantile(replicates, 0.5 + 0.5 * confidence);
}

const MetricValue& find_metric(std::span<const MetricValue> values, std::string_view name) {
  std::string names;
  for (const MetricValue& v : values) {
    if (v.name == name) return v;
    names += (names.empty() ? "" : ", ") + v.name;
  }
  fail(Code::kNotFound, "metrics: no \"{}\" among {}", name, names);
}

}  // namespace ingot::train
