// SPDX-License-Identifier: Apache-2.0
// Where an axis puts its marks: 1, 2, 2.5 or 5 times a power of ten (after Heckbert, "Nice numbers
// for graph labels", Graphics Gems 1990), or decades on a logarithmic axis. Used by plot.cpp.
#pragma once

#include <string>
#include <vector>

namespace ingot::report {

struct Tick {
  double value = 0;
  std::string label;  ///< empty for a minor tick
};

/// Round values inside [low, high], about `count` of them, labelled with equal precision:
/// 0.0002, 12,000 or 150k. Empty unless low < high and both are finite.
[[nodiscard]] std::vector<Tick> linear_ticks(double low, double high, int count);

/// For 0 < low < high: 1, 2, 3, ... 9 times each decade, of which as many are labelled as fit;
/// linear_ticks when the range is shorter than a factor of two.
[[nodiscard]] std::vector<Tick> log_ticks(double low, double high);

}  // namespace ingot::report
