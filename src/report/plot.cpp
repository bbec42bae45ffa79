// SPDX-License-Identifier: Apache-2.0
// From data to SVG in three steps: what to draw (downsample, smooth), the frame (ticks, margins,
// scales), the marks. Coordinates are printed with one decimal: a tenth of a pixel.
//
//     legend .......................
//   t |                      o best
//   i | ----------- grid -----------
//   c |
//   k +--|--------|--------|-- x label
#include "report/plot.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "base/display.h"
#include "base/text.h"
#include "report/html.h"
#include "report/ticks.h"

namespace ingot::report {
namespace {

constexpr double kCharacter = 6.3;   // mean width of a character at the 11 px of the tick labels
constexpr int64_t kRawLimit = 2000;  // more raw points than this are thinned out
constexpr double kTop = 10;
constexpr double kLegend = 16;  // added to the top when there is a legend
constexpr double kBottom = 24;
constexpr double kRight = 12;
constexpr int64_t kSmoothing = 60;  // the smoothing window is one 60th of the series on each side

bool finite(const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  [[nodiscard]] bool empty() const { return low > high; }
};

/// From values to pixels, linear or logarithmic.
struct Scale {
  Range values;
  double from = 0;
  double to = 0;
  bool logarithmic = false;
  [[nodiscard]] double operator()(double value) const {
    const auto place = [this](double v) { return logarithmic ? std::log(v) : v; };
    const double span = place(values.high) - place(values.low);
    return from + (to - from) * (span > 0 ? (place(value) - place(values.low)) / span : 0.5);
  }
};

struct Frame {
  Scale x;
  Scale y;
  std::vector<Tick> x_ticks;
  std::vector<Tick> y_ticks;
};

void widen(Range& range, bool logarithmic) {
  if (logarithmic) {
    const double factor = std::max(std::pow(range.high / range.low, 0.04), 1.01);
    range.low /= factor;
    range.high *= factor;
    return;
  }
  double margin = (range.high - range.low) * 0.04;
  if (margin <= 0) margin = range.high == 0 ? 1 : std::abs(range.high) * 0.1;
  range.low -= margin;
  range.high += margin;
}

Range y_range(const LinePlot& plot, bool logarithmic) {
  Range range;
  for (const Series& series : plot.series) {
    for (const Point& point : series.points) {
      if (finite(point)) range.add(point.y);
    }
  }
  const bool keep_zero = plot.from_zero && !logarithmic && range.low >= 0;
  if (keep_zero) range.low = 0;
  widen(range, logarithmic);
  if (keep_zero) range.low = 0;
  return range;
}

Range x_range(const LinePlot& plot) {
  Range range;
  for (const Series& series : plot.series) {
    for (const Point& point : series.points) {
      if (finite(point)) range.add(point.x);
    }
  }
  if (!range.empty() && range.low == range.high) widen(range, false);
  return range;
}

double top_of(const LinePlot& plot) { return plot.series.size() > 1 ? kTop + kLegend : kTop; }

bool all_positive(const LinePlot& plot) {
  for (const Series& series : plot.series) {
    const bool positive = std::all_of(series.points.begin(), series.points.end(),
                                      [](const Point& p) { return !finite(p) || p.y > 0; });
    if (!positive) return false;
  }
  return true;
}

Frame frame_of(const LinePlot& plot) {
  Frame frame;
  const bool logarithmic = plot.log_y && all_positive(plot);
  frame.y = {y_range(plot, logarithmic), plot.height - kBottom, top_of(plot), logarithmic};
  const int y_count = std::max(3, plot.height / 45);
  frame.y_ticks = logarithmic ? log_ticks(frame.y.values.low, frame.y.values.high)
                              : linear_ticks(frame.y.values.low, frame.y.values.high, y_count);
  size_t longest = 1;
  for (const Tick& tick : frame.y_ticks) longest = std::max(longest, tick.label.size());
  const double left = 10 + kCharacter * static_cast<double>(longest);
  frame.x = {x_range(plot), left, plot.width - kRight, false};
  frame.x_ticks =
      linear_ticks(frame.x.values.low, frame.x.values.high, std::max(3, plot.width / 60));
  return frame;
}

std::string grid(const LinePlot& plot, const Frame& frame) {
  std::string out;
  const double bottom = plot.height - kBottom;
  for (const Tick& tick : frame.y_ticks) {
    const double y = frame.y(tick.value);
    out +=
        fmt::format("<line class=\"{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                    tick.label.empty() ? "minor" : "grid", frame.x.from, frame.x.to, y, y);
    if (tick.label.empty()) continue;
    out +=
        fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                    frame.x.from - 7, y + 3.8, tick.label);
  }
  out +=
      fmt::format("<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                  frame.x.from, frame.x.to, bottom, bottom);
  const double label_start =
      frame.x.to - kCharacter * static_cast<double>(display_width(plot.x_label)) - 8;
  for (const Tick& tick : frame.x_ticks) {
    const double x = frame.x(tick.value);
    out += fmt::format(
        "<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", x, x,
        bottom, bottom + 4);
    const double half = kCharacter * static_cast<double>(tick.label.size()) / 2;
    if (x + half > label_start && !plot.x_label.empty()) continue;
    out += fmt::format(
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x,
        bottom + 16, tick.label);
  }
  return out + fmt::format(
                   "<text class=\"tick label\" x=\"{:.1f}\" y=\"{:.1f}\" "
                   "text-anchor=\"end\">{}</text>\n",
                   frame.x.to, bottom + 16, escape(plot.x_label));
}

/// Zero-length strokes with round caps: a dot in ten bytes.
std::string dots(const std::vector<Point>& points, const Frame& frame, std::string_view style) {
  std::string path;
  for (const Point& point : points) {
    if (!finite(point)) continue;
    path += fmt::format("M{:.1f} {:.1f}h0", frame.x(point.x), frame.y(point.y));
  }
  return fmt::format("<path class=\"{}\" d=\"{}\"/>", style, path);
}

std::string polyline(const std::vector<Point>& points, const Frame& frame, int colour) {
  std::string path;
  bool open = false;
  for (const Point& point : points) {
    if (!finite(point)) {
      open = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", open ? 'L' : 'M', frame.x(point.x), frame.y(point.y));
    open = true;
  }
  return fmt::format("<path class=\"line s{}\" d=\"{}\"/>\n", colour, path);
}

std::string draw(const Series& series, const Frame& frame) {
  const auto columns = static_cast<int64_t>(frame.x.to - frame.x.from);
  const auto size = static_cast<int64_t>(series.points.size());
  if (series.scatter) return dots(series.points, frame, fmt::format("raw s{}", series.colour));
  if (!series.raw) {
    const auto thin = size > kRawLimit ? downsample(series.points, columns) : series.points;
    std::string out = polyline(thin, frame, series.colour);
    const bool markers = series.markers && size * 6 < columns;
    if (markers || size == 1) {
      out += dots(thin, frame, fmt::format("mark s{}", series.colour)) + "\n";
    }
    return out;
  }
  const auto thin = size > kRawLimit ? downsample(series.points, columns) : series.points;
  const auto line = downsample(smooth(series.points, size / kSmoothing), columns / 2);
  return dots(thin, frame, fmt::format("raw s{}", series.colour)) +
         polyline(line, frame, series.colour);
}

std::string legend(const LinePlot& plot, const Frame& frame) {
  if (plot.series.size() < 2) return {};
  std::string out;
  double x = frame.x.from;
  for (const Series& series : plot.series) {
    if (series.points.empty()) continue;
    out += fmt::format(
        "<path class=\"line s{}\" d=\"M{:.1f} 9h16\"/>"
        "<text class=\"legend\" x=\"{:.1f}\" y=\"13\">{}</text>",
        series.colour, x, x + 22, escape(series.label));
    x += 42 + kCharacter * static_cast<double>(display_width(series.label));
  }
  return out + "\n";
}

std::string best_point(const LinePlot& plot, const Frame& frame) {
  if (plot.mark == Mark::kNone || plot.marked >= static_cast<int64_t>(plot.series.size()))
    return {};
  const Series& series = plot.series[static_cast<size_t>(plot.marked)];
  const double sign = plot.mark == Mark::kMinimum ? 1 : -1;
  const Point* best = nullptr;
  for (const Point& point : series.points) {
    if (finite(point) && (best == nullptr || sign * point.y < sign * best->y)) best = &point;
  }
  if (best == nullptr) return {};
  const double x = frame.x(best->x);
  const double y = frame.y(best->y);
  const std::string text = fmt::format("{} {} at {}", plot.mark_label, significant(best->y, 4),
                                       with_thousands(static_cast<int64_t>(best->x)));
  const double width = kCharacter * static_cast<double>(display_width(text));
  const bool end = x + width / 2 > frame.x.to;
  const bool start = x - width / 2 < frame.x.from;
  const std::string_view anchor = end ? "end" : start ? "start" : "middle";
  const double text_x = end ? frame.x.to : start ? frame.x.from + 4 : x;
  const double above = y - 12 < top_of(plot) + 8 ? y + 20 : y - 12;
  return fmt::format(
      "<circle class=\"best s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>"
      "<text class=\"best\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
      series.colour, x, y, text_x, above, anchor, escape(text));
}

std::string open_svg(std::string_view title, int width, int height) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width, height,
                     escape(title));
}

}  // namespace

std::vector<Point> downsample(const std::vector<Point>& points, int64_t columns) {
  if (static_cast<int64_t>(points.size()) <= 4 * columns || columns < 1) return points;
  const double first = points.front().x;
  const double width = (points.back().x - first) / static_cast<double>(columns);
  if (!(width > 0)) return points;
  std::vector<Point> thin;
  for (size_t begin = 0; begin < points.size();) {
    const double column = std::floor((points[begin].x - first) / width);
    size_t end = begin;
    std::vector<size_t> keep{begin, begin, begin};
    for (; end < points.size() && std::floor((points[end].x - first) / width) == column; ++end) {
      if (points[end].y < points[keep[0]].y) keep[0] = end;
      if (points[end].y > points[keep[1]].y) keep[1] = end;
    }
    end = std::max(end, begin + 1);  // an x that is not a number makes a column of its own
    keep.push_back(end - 1);
    std::sort(keep.begin(), keep.end());
    keep.erase(std::unique(keep.begin(), keep.end()), keep.end());
    for (const size_t index : keep) thin.push_back(points[index]);
    begin = end;
  }
  return thin;
}

std::vector<Point> smooth(const std::vector<Point>& points, int64_t reach) {
  std::vector<Point> line;
  std::copy_if(points.begin(), points.end(), std::back_inserter(line), finite);
  const auto size = static_cast<int64_t>(line.size());
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<double> sums{0.0};
    for (const Point& point : line) sums.push_back(sums.back() + point.y);
    for (int64_t i = 0; i < size; ++i) {
      const int64_t before = std::min(reach, i / 4);
      const int64_t after = std::min(before, size - 1 - i);
      const double sum =
          sums[static_cast<size_t>(i + after + 1)] - sums[static_cast<size_t>(i - before)];
      line[static_cast<size_t>(i)].y = sum / static_cast<double>(before + after + 1);
    }
  }
  return line;
}

std::string line_plot(const LinePlot& plot) {
  if (x_range(plot).empty()) return {};
  const Frame frame = frame_of(plot);
  std::string out = open_svg(plot.title, plot.width, plot.height) + grid(plot, frame);
  for (const Series& series : plot.series) {
    if (!series.points.empty()) out += draw(series, frame);
  }
  return out + best_point(plot, frame) + legend(plot, frame) + "</svg>\n";
}

std::string bar_chart(const BarChart& chart) {
  constexpr double kRow = 26;
  double longest = 0;
  double text = 0;
  double highest = 0;
  for (const Bar& bar : chart.bars) {
    longest = std::max(longest, static_cast<double>(display_width(bar.label)));
    text = std::max(text, static_cast<double>(display_width(bar.text)));
    if (std::isfinite(bar.value)) highest = std::max(highest, bar.value);
  }
  if (chart.bars.empty() || highest <= 0) return {};
  const double left = longest * (kCharacter + 0.5) + 12;
  const double full = chart.width - left - text * (kCharacter + 0.5) - 14;
  const auto rows = static_cast<double>(chart.bars.size());
  std::string out = open_svg(chart.title, chart.width, static_cast<int>(rows * kRow) + 6);
  double y = 3;
  for (const Bar& bar : chart.bars) {
    const double value = std::isfinite(bar.value) ? std::max(bar.value, 0.0) : 0;
    const double length = full * value / highest;
    out += fmt::format(
        "<text class=\"bar-label{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>"
        "<rect class=\"f{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "rx=\"1.5\"/>"
        "<text class=\"bar-value{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        bar.strong ? " strong" : "", left - 10, y + 16.5, escape(bar.label), bar.colour, left,
        y + 4, length, kRow - 9, bar.strong ? " strong" : "", left + length + 8, y + 16.5,
        escape(bar.text));
    y += kRow;
  }
  return out + fmt::format(
                   "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" "
                   "y2=\"{1:.1f}\"/></svg>\n",
                   left, rows * kRow + 6);
}

}  // namespace ingot::report
