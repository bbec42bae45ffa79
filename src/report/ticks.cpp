// SPDX-License-Identifier: Apache-2.0
// Ticks and their labels. Values are computed as integer multiples of the step, so that 0 is 0 and
// not 1e-17.
#include "report/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "report/html.h"

namespace ingot::report {
namespace {

constexpr double kThousandsLimit = 1e5;  // from here on labels carry k, M, G, T
constexpr int kMostDecimals = 5;         // from here on labels are scientific
constexpr double kExactIndex = 1e15;     // above, neighbouring multiples of a step are not distinct
constexpr double kSlack = 1e-9;          // of a step: rounding of the range's ends

/// Smallest of 1, 2, 2.5, 5, 10 times a power of ten that is >= rough.
double nice_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= rough * (1 - kSlack)) return factor * power;
  }
  return 10 * power;
}

/// Decimals that show a multiple of `step` exactly.
int decimals_of(double step) {
  for (int decimals = 0; decimals <= kMostDecimals; ++decimals) {
    const double scaled = step * std::pow(10.0, decimals);
    if (std::abs(scaled - std::round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return kMostDecimals + 1;
}

std::string plain_label(double value, double step) {
  const int decimals = decimals_of(step);
  if (decimals == 0 && std::abs(value) >= 1000) {
    return with_thousands(static_cast<int64_t>(std::llround(value)));
  }
  return fixed(value, decimals);
}

std::string tick_label(double value, double step, double largest) {
  constexpr std::array<std::string_view, 5> kUnits{"", "k", "M", "G", "T"};
  if (value == 0) return "0";
  if (largest < kThousandsLimit) {
    if (decimals_of(step) <= kMostDecimals) return plain_label(value, step);
    return significant(value, 3);
  }
  const auto unit = std::min<size_t>(static_cast<size_t>(std::log10(largest) / 3), 4);
  const double scale = std::pow(1000.0, static_cast<double>(unit));
  return plain_label(value / scale, step / scale) + std::string(kUnits[unit]);
}

}  // namespace

std::vector<Tick> linear_ticks(double low, double high, int count) {
  std::vector<Tick> ticks;
  const double span = high - low;
  if (!std::isfinite(low) || !std::isfinite(high) || !std::isfinite(span) || span <= 0)
    return ticks;
  const double step = nice_step(span / std::max(count, 1));
  const double first = std::ceil(low / step - kSlack);
  const double last = std::floor(high / step + kSlack);
  const double largest = std::max(std::abs(low), std::abs(high));
  // A range far narrower than its distance from zero has no representable steps.
  if (!(largest / step < kExactIndex)) return ticks;
  for (auto i = static_cast<int64_t>(first); i <= static_cast<int64_t>(last); ++i) {
    const double value = static_cast<double>(i) * step;
    ticks.push_back({value, tick_label(value, step, largest)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(double low, double high) {
  if (!(low > 0) || !std::isfinite(high) || high <= low) return {};
  if (high / low < 2) return linear_ticks(low, high, 5);
  const double decades = std::log10(high / low);
  std::vector<Tick> ticks;
  for (double power = std::floor(std::log10(low)); power <= std::ceil(std::log10(high)); ++power) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * std::pow(10.0, power);
      if (value < low * (1 - kSlack) || value > high * (1 + kSlack)) continue;
      const bool labelled = digit == 1 || (decades < 2.5 && (digit == 2 || digit == 5)) ||
                            (decades < 1.2 && (digit == 3 || digit == 4 || digit == 7));
      const bool few = digit == 1 || decades < 4;  // many decades: no minor ticks
      if (!few) continue;
      ticks.push_back({value, labelled ? tick_label(value, std::pow(10.0, power), value) : ""});
    }
  }
  return ticks;
}

}  // namespace ingot::report
