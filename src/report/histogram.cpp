// SPDX-License-Identifier: Apache-2.0
#include "report/histogram.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/html.h"
#include "report/ticks.h"

namespace ingot::report {
namespace {

constexpr double kBarLeft = 44;
constexpr double kBarRight = 12;
constexpr double kBarTop = 10;
constexpr double kBarBottom = 24;

/// 1, 2 or 5 times a power of ten, at least `width`.
double round_width(double width) {
  const double power = std::pow(10.0, std::floor(std::log10(width)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= width) return factor * power;
  }
  return 10.0 * power;
}

struct Bins {
  double low = 0;
  double width = 1;
  std::vector<int64_t> counts;
};

Bins count(const Histogram& plot) {
  std::vector<double> values = plot.values;
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double span = *high > *low ? *high - *low : std::max(std::abs(*low), 1.0);
  Bins bins;
  bins.width = round_width(span / std::max(plot.bins, 1));
  if (!(bins.width > 0) || !std::isfinite(bins.width)) return {};
  bins.low = std::floor(*low / bins.width) * bins.width;
  bins.counts.resize(static_cast<size_t>(std::max(0.0, (*high - bins.low) / bins.width)) + 1);
  for (const double v : values) {
    // Of numbers whose digits end above the width of a bin, low may lie a little above them.
    const auto bin = static_cast<size_t>(std::max(0.0, (v - bins.low) / bins.width));
    ++bins.counts[std::min(bin, bins.counts.size() - 1)];
  }
  return bins;
}

}  // namespace

std::string histogram(const Histogram& plot) {
  const Bins bins = count(plot);
  if (bins.counts.empty()) return {};
  const auto most = static_cast<double>(*std::max_element(bins.counts.begin(), bins.counts.end()));
  const double high = bins.low + bins.width * static_cast<double>(bins.counts.size());
  const double bottom = plot.height - kBarBottom, right = plot.width - kBarRight;
  const auto x_of = [&](double v) {
    return kBarLeft + (right - kBarLeft) * (v - bins.low) / (high - bins.low);
  };
  const auto y_of = [&](double n) { return bottom - (bottom - kBarTop) * n / most; };
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                                plot.width, plot.height, escape(plot.title));
  for (const Tick& tick : linear_ticks(0, most, 4)) {
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        kBarLeft, right, y_of(tick.value), kBarLeft - 7, y_of(tick.value) + 3.8, tick.label);
  }
  for (size_t i = 0; i < bins.counts.size(); ++i) {
    const double from = x_of(bins.low + bins.width * static_cast<double>(i));
    const double to = x_of(bins.low + bins.width * static_cast<double>(i + 1));
    const double y = y_of(static_cast<double>(bins.counts[i]));
    out += fmt::format(
        "<rect class=\"f0\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
        from + 0.5, y, std::max(to - from - 1, 0.5), bottom - y);
  }
  out += fmt::format(
      "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>",
      kBarLeft, right, bottom);
  const double label = right - 6.3 * static_cast<double>(plot.x_label.size()) - 8;
  for (const Tick& tick : linear_ticks(bins.low, high, std::max(3, plot.width / 80))) {
    const double x = x_of(tick.value);
    out += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>", x,
        bottom, bottom + 4);
    if (x + 3.2 * static_cast<double>(tick.label.size()) > label) continue;
    out += fmt::format(
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x,
        bottom + 16, tick.label);
  }
  return out + fmt::format(
                   "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" "
                   "text-anchor=\"end\">{}</text>\n</svg>\n",
                   right, bottom + 16, escape(plot.x_label));
}

}  // namespace ingot::report
