// SPDX-License-Identifier: Apache-2.0
// Sorting waits for the first question. A value that comes after a question enters a sorted
// sample at a random place all the same, since the replaced one is chosen at random.
#include "data/transforms/quantiles.h"

#include <algorithm>

#include "base/error.h"

namespace ingot::data {

double quantile_of(std::span<const double> sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below);
  return sorted[below] + (sorted[above] - sorted[below]) * part;
}

void Quantiles::add(double value) {
  count_ += 1;
  sorted_ = false;
  if (count_ <= capacity_) {
    values_.push_back(value);
    return;
  }
  const auto place = static_cast<int64_t>(random_.bounded(static_cast<uint64_t>(count_)));
  if (place < capacity_) values_[static_cast<size_t>(place)] = value;
}

double Quantiles::at(double q) {
  INGOT_ASSERT(count_ > 0 && q >= 0 && q <= 1);
  if (!sorted_) std::sort(values_.begin(), values_.end());
  sorted_ = true;
  return quantile_of(values_, q);
}

}  // namespace ingot::data
