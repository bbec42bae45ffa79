// SPDX-License-Identifier: Apache-2.0
// Sorting waits for the first question. A value that comes after a question enters a sorted
// sample at a random place all the same, since the replaced one is chosen at random.
#include "data/transforms/quantiles.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ingot::data {

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
  const double position = q * static_cast<double>(values_.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values_.size() - 1);
  const double part = position - std::floor(position);
  return values_[below] + (values_[above] - values_[below]) * part;
}

}  // namespace ingot::data
