// SPDX-License-Identifier: Apache-2.0
// Quantiles of a stream in bounded memory: exact while the values fit, from a uniform sample
// (Vitter 1985, algorithm R) beyond. The sample's random numbers are a function of how many values
// came before, so equal streams give equal quantiles. Called by number_feature.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "base/philox.h"

namespace ingot::data {

class Quantiles {
 public:
  /// The rank of a sampled quantile is off by about 0.5 / √capacity of all values (standard error).
  static constexpr int64_t kCapacity = int64_t{1} << 18;

  explicit Quantiles(int64_t capacity = kCapacity) : capacity_(capacity) {}
  void add(double value);
  [[nodiscard]] int64_t count() const { return count_; }
  /// The value at position q·(n - 1) of the ordered values, between two of them in proportion
  /// (NumPy's default). count() > 0, q in [0, 1].
  [[nodiscard]] double at(double q);

 private:
  int64_t capacity_;
  int64_t count_ = 0;
  bool sorted_ = false;
  std::vector<double> values_;
  Philox random_{0x5155414E54494C45ULL};
};

}  // namespace ingot::data
