// SPDX-License-Identifier: Apache-2.0
// Quantiles of a stream in bounded memory: exact while the values fit, from a uniform sample
// (Vitter 1985, algorithm R) beyond. The sample's random numbers are a function of how many values
// came before, so equal streams give equal quantiles. Called by number_feature.cpp; quantile_of by
// column_profile.cpp too, which samples by its own rule (algorithm L, table.infer.sample values).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/philox.h"

namespace ingot::data {

/// The value at position q·(n - 1) of n ordered values, between two of them in proportion (NumPy's
/// default). n > 0, q in [0, 1].
[[nodiscard]] double quantile_of(std::span<const double> sorted, double q);

class Quantiles {
 public:
  /// The rank of a sampled quantile is off by about 0.5 / √capacity of all values (standard error).
  static constexpr int64_t kCapacity = int64_t{1} << 18;

  explicit Quantiles(int64_t capacity = kCapacity) : capacity_(capacity) {}
  void add(double value);
  [[nodiscard]] int64_t count() const { return count_; }
  /// quantile_of what is kept. count() > 0, q in [0, 1].
  [[nodiscard]] double at(double q);

 private:
  int64_t capacity_;
  int64_t count_ = 0;
  bool sorted_ = false;
  std::vector<double> values_;
  Philox random_{0x5155414E54494C45ULL};
};

}  // namespace ingot::data
