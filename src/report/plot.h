// SPDX-License-Identifier: Apache-2.0
// Line plots and bar charts as SVG strings. Long series are thinned to the first, lowest, highest
// and last point of each pixel column; colours are CSS classes (s0 .. s5 for strokes, f0 .. f5 for
// fills), so that one drawing serves light and dark.
// Knows nothing of runs. Used by report.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::report {

struct Point {
  double x = 0;
  double y = 0;
};

struct Series {
  std::string label;
  std::vector<Point> points;  ///< rising x; points that are not finite break the line
  int colour = 0;             ///< 0..5
  bool raw = false;           ///< drawn as dots under a smoothed line, else as a line
  bool markers = false;       ///< a dot at each point of the line
  bool scatter = false;       ///< dots alone
};

enum class Mark { kNone, kMinimum, kMaximum };

struct LinePlot {
  std::string title;    ///< read aloud by screen readers
  std::string x_label;  ///< "step"; printed at the right end of the axis
  std::vector<Series> series;
  bool log_y = false;  ///< ignored unless every finite y is positive
  bool from_zero = false;
  int width = 460;
  int height = 230;
  Mark mark = Mark::kNone;  ///< labels the lowest or highest point of series `marked`
  std::string mark_label;   ///< printed before its value
  int64_t marked = 0;
};

/// Empty when no series has a finite point.
[[nodiscard]] std::string line_plot(const LinePlot& plot);

struct Bar {
  std::string label;
  double value = 0;
  std::string text;  ///< printed at the bar's end
  int colour = 0;
  bool strong = false;  ///< our own number among baselines
};

struct BarChart {
  std::string title;
  std::vector<Bar> bars;
  int width = 720;
};

/// Horizontal bars from zero; empty without bars.
[[nodiscard]] std::string bar_chart(const BarChart& chart);

/// First, lowest, highest and last point of each of `columns` equal intervals of x, in order.
[[nodiscard]] std::vector<Point> downsample(const std::vector<Point>& points, int64_t columns);

/// Two passes of a centred moving average over `reach` points on each side. At the start the window
/// is a quarter of the distance to the first point, so that a steep first descent is followed; at
/// the end only the side that lacks points is cut, so that one noisy last point does not bend the
/// line.
[[nodiscard]] std::vector<Point> smooth(const std::vector<Point>& points, int64_t reach);

}  // namespace ingot::report
