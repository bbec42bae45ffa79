// SPDX-License-Identifier: Apache-2.0
// Ticks against lists written by hand, and plots by reading the SVG back: a point that lies on a
// tick's value has to be drawn on the tick's line.
#include "report/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "report/ticks.h"

namespace ingot::report::plot_test {
namespace {

constexpr double kPixel = 0.051;  // coordinates are printed with one decimal
constexpr double kRounding = 1e-12;
const double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> all;
  for (const Tick& tick : ticks) {
    if (!tick.label.empty()) all.push_back(tick.label);
  }
  return all;
}

using Labels = std::vector<std::string>;

/// The pixel of the tick with this label, vertical (grid line) or horizontal (text position).
double tick_y(const std::string& svg, const std::string& label) {
  const std::regex pattern(
      "<line class=\"grid\" x1=\"[-0-9.]+\" x2=\"[-0-9.]+\" y1=\"([-0-9.]+)\"[^>]*/>"
      "<text class=\"tick\"[^>]*>" +
      label + "</text>");
  std::smatch match;
  return std::regex_search(svg, match, pattern) ? std::stod(match[1]) : kNan;
}

double tick_x(const std::string& svg, const std::string& label) {
  const std::regex pattern(
      "<text class=\"tick\" x=\"([-0-9.]+)\" y=\"[-0-9.]+\" "
      "text-anchor=\"middle\">" +
      label + "</text>");
  std::smatch match;
  return std::regex_search(svg, match, pattern) ? std::stod(match[1]) : kNan;
}

std::vector<Point> path_points(const std::string& svg, const std::string& style) {
  const std::string start = "<path class=\"" + style + "\" d=\"";
  const size_t begin = svg.find(start);
  if (begin == std::string::npos) return {};
  const size_t end = svg.find('"', begin + start.size());
  const std::string path = svg.substr(begin + start.size(), end - begin - start.size());
  std::vector<Point> points;
  const std::regex pair("[ML]([-0-9.]+) ([-0-9.]+)");
  for (std::sregex_iterator it(path.begin(), path.end(), pair), last; it != last; ++it) {
    points.push_back({std::stod((*it)[1]), std::stod((*it)[2])});
  }
  return points;
}

LinePlot plot_of(std::vector<Point> points) {
  LinePlot plot;
  plot.title = "t";
  plot.series = {{.label = "a", .points = std::move(points)}};
  return plot;
}

TEST(LinearTicks, AreRoundNumbersInsideTheRange) {
  EXPECT_EQ(labels(linear_ticks(0, 10, 5)), (Labels{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(labels(linear_ticks(0.3, 1.1, 4)), (Labels{"0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(linear_ticks(-1, 1, 4)), (Labels{"\xE2\x88\x92"
                                                    "1.0",
                                                    "\xE2\x88\x92"
                                                    "0.5",
                                                    "0", "0.5", "1.0"}));
  EXPECT_EQ(labels(linear_ticks(0, 0.0006, 3)), (Labels{"0", "0.0002", "0.0004", "0.0006"}));
  EXPECT_EQ(labels(linear_ticks(0, 6e-7, 3)), (Labels{"0", "2e-07", "4e-07", "6e-07"}));
  EXPECT_EQ(labels(linear_ticks(0, 12000, 3)), (Labels{"0", "5,000", "10,000"}));
  EXPECT_EQ(labels(linear_ticks(0, 2.5e6, 5)),
            (Labels{"0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"}));
  EXPECT_EQ(labels(linear_ticks(100000, 300000, 4)),
            (Labels{"100k", "150k", "200k", "250k", "300k"}));
}

TEST(LinearTicks, AreEmptyForARangeThatIsNone) {
  EXPECT_TRUE(linear_ticks(1, 1, 5).empty());
  EXPECT_TRUE(linear_ticks(2, 1, 5).empty());
  EXPECT_TRUE(linear_ticks(kNan, 1, 5).empty());
  EXPECT_TRUE(linear_ticks(0, INFINITY, 5).empty());
  EXPECT_TRUE(linear_ticks(-1.7e308, 1.7e308, 5).empty());
  EXPECT_LE(linear_ticks(1e300, std::nextafter(1e300, 2e300), 5).size(), 1000U);
}

TEST(LinearTicks, NeverFallOutsideAndAreFewForManyRanges) {
  for (double low : {-1234.5, -1e-9, 0.0, 1e-7, 3.3, 98765.4}) {
    for (double span : {1e-6, 0.017, 0.9, 5.0, 77.7, 1e5, 3e9}) {
      const auto ticks = linear_ticks(low, low + span, 5);
      EXPECT_GE(ticks.size(), 1U) << low << " " << span;
      EXPECT_LE(ticks.size(), 7U) << low << " " << span;
      for (const Tick& tick : ticks) {
        EXPECT_GE(tick.value, low - span * 1e-6);
        EXPECT_LE(tick.value, low + span * (1 + 1e-6));
      }
    }
  }
}

TEST(LogTicks, LabelDecadesAndAsManyDigitsAsFit) {
  EXPECT_EQ(labels(log_ticks(1, 10)), (Labels{"1", "2", "3", "4", "5", "7", "10"}));
  EXPECT_EQ(labels(log_ticks(0.5, 60)), (Labels{"0.5", "1", "2", "5", "10", "20", "50"}));
  EXPECT_EQ(labels(log_ticks(0.01, 100)), (Labels{"0.01", "0.1", "1", "10", "100"}));
  EXPECT_EQ(log_ticks(1, 10).size(), 10U);  // with 6, 8 and 9 as minor ticks
  EXPECT_EQ(labels(log_ticks(2, 3)), (Labels{"2.0", "2.2", "2.4", "2.6", "2.8", "3.0"}));
  EXPECT_TRUE(log_ticks(0, 10).empty());
}

TEST(LinePlot, DrawsPointsWhereTheirTicksAre) {
  const std::string svg = line_plot(plot_of({{0, 0}, {1000, 1}, {2000, 4}, {3000, 2}}));
  const auto points = path_points(svg, "line s0");
  ASSERT_EQ(points.size(), 4U);
  EXPECT_NEAR(points[0].y, tick_y(svg, "0"), kPixel);
  EXPECT_NEAR(points[1].y, tick_y(svg, "1"), kPixel);
  EXPECT_NEAR(points[2].y, tick_y(svg, "4"), kPixel);
  EXPECT_NEAR(points[1].x, tick_x(svg, "1,000"), kPixel);
  EXPECT_NEAR(points[2].x, tick_x(svg, "2,000"), kPixel);
  EXPECT_GT(points[1].y, points[2].y);  // larger is higher
}

TEST(LinePlot, LogarithmicAxisPutsEqualRatiosAtEqualDistances) {
  LinePlot plot = plot_of({{0, 1}, {1, 10}, {2, 100}});
  plot.log_y = true;
  const std::string svg = line_plot(plot);
  const auto points = path_points(svg, "line s0");
  ASSERT_EQ(points.size(), 3U);
  EXPECT_NEAR(points[0].y - points[1].y, points[1].y - points[2].y, 3 * kPixel);
  EXPECT_NEAR(points[1].y, tick_y(svg, "10"), kPixel);
}

TEST(LinePlot, LogarithmicAxisFallsBackForZeroAndNegativeValues) {
  LinePlot plot = plot_of({{0, 0}, {1, 1}, {2, 2}});
  plot.log_y = true;
  const auto points = path_points(line_plot(plot), "line s0");
  ASSERT_EQ(points.size(), 3U);
  EXPECT_NEAR(points[0].y - points[1].y, points[1].y - points[2].y, 3 * kPixel);
}

TEST(LinePlot, BreaksTheLineAtValuesThatAreNotFinite) {
  const std::string svg = line_plot(plot_of({{0, 1}, {1, 2}, {2, kNan}, {3, 2}, {4, 1}}));
  EXPECT_EQ(path_points(svg, "line s0").size(), 4U);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  const size_t begin = svg.find("<path class=\"line s0\"");
  const std::string path = svg.substr(begin, svg.find("/>", begin) - begin);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 2);
}

TEST(LinePlot, MarksTheBestPoint) {
  LinePlot plot = plot_of({{0, 3}, {1000, 1.25}, {2000, 2}});
  plot.mark = Mark::kMinimum;
  plot.mark_label = "best";
  EXPECT_NE(line_plot(plot).find(">best 1.25 at 1,000</text>"), std::string::npos);
  plot.mark = Mark::kMaximum;
  EXPECT_NE(line_plot(plot).find(">best 3 at 0</text>"), std::string::npos);
}

TEST(LinePlot, DrawsRawDotsUnderASmoothedLineAndALegendForTwoSeries) {
  LinePlot plot = plot_of({{0, 1}, {1, 2}, {2, 1}});
  plot.series[0].raw = true;
  plot.series.push_back({.label = "b<", .points = {{0, 2}}, .colour = 1});
  const std::string svg = line_plot(plot);
  EXPECT_EQ(path_points(svg, "raw s0").size(), 3U);
  EXPECT_FALSE(path_points(svg, "line s0").empty());
  EXPECT_NE(svg.find(">b&lt;</text>"), std::string::npos);
}

TEST(LinePlot, ThinsALongSeriesAndKeepsItsExtremes) {
  std::vector<Point> points;
  for (int i = 0; i < 100000; ++i) points.push_back({static_cast<double>(i), 1.0});
  points[51234].y = 5;
  points[77777].y = -5;
  LinePlot plot = plot_of(points);
  plot.series[0].raw = true;
  const auto dots = path_points(line_plot(plot), "raw s0");
  EXPECT_LT(dots.size(), 2000U);
  double lowest = 0;
  double highest = 1e9;
  for (const Point& dot : dots) {
    lowest = std::max(lowest, dot.y);
    highest = std::min(highest, dot.y);
  }
  EXPECT_GT(lowest - highest, 150);  // pixels: both spikes are there
}

TEST(LinePlot, SurvivesOnePointEqualValuesAndNothing) {
  EXPECT_EQ(line_plot(plot_of({})), "");
  EXPECT_EQ(line_plot(plot_of({{1, kNan}})), "");
  for (const auto& points : {std::vector<Point>{{5, 2}}, {{0, 0}, {1, 0}}, {{0, 7}, {0, 7}}}) {
    const std::string svg = line_plot(plot_of(points));
    EXPECT_NE(svg.find("<svg"), std::string::npos);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(Downsample, KeepsFirstLowestHighestAndLastOfEachColumn) {
  std::vector<Point> points;
  for (int i = 0; i < 100; ++i) points.push_back({static_cast<double>(i), (i * 37) % 101 + 0.0});
  const auto thin = downsample(points, 2);
  // two columns of x in [0, 49.5) and [49.5, 99), and the last point on the border of a third
  std::vector<double> expected;
  for (const auto& [begin, end] : {std::pair{0, 50}, std::pair{50, 99}, std::pair{99, 100}}) {
    std::vector<int> keep{begin, begin, begin, end - 1};
    for (int i = begin; i < end; ++i) {
      if ((i * 37) % 101 < (keep[1] * 37) % 101) keep[1] = i;
      if ((i * 37) % 101 > (keep[2] * 37) % 101) keep[2] = i;
    }
    std::sort(keep.begin(), keep.end());
    keep.erase(std::unique(keep.begin(), keep.end()), keep.end());
    expected.insert(expected.end(), keep.begin(), keep.end());
  }
  std::vector<double> found;
  for (const Point& point : thin) found.push_back(point.x);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(downsample(points, 25).size(), 100U);  // nothing to gain
}

TEST(Smooth, KeepsAConstantAndAveragesNoise) {
  std::vector<Point> points;
  for (int i = 0; i < 400; ++i) points.push_back({static_cast<double>(i), 3.0});
  for (const Point& point : smooth(points, 10)) EXPECT_NEAR(point.y, 3, kRounding);
  for (int i = 0; i < 400; ++i) points[static_cast<size_t>(i)].y = i % 2;
  const auto line = smooth(points, 10);
  for (size_t i = 100; i < 400; ++i) EXPECT_NEAR(line[i].y, 0.5, 0.06);
  EXPECT_EQ(line[0].y, 0);
  EXPECT_EQ(line[123].x, 123);
}

TEST(BarChart, LengthsAreProportionalFromZero) {
  const std::string svg = bar_chart(
      {.title = "t", .bars = {{"a", 2, "2.0", 0, true}, {"b & c", 1, "1.0"}, {"d", kNan, "?"}}});
  const std::regex width("<rect class=\"f[0-9]\" [^>]* width=\"([0-9.]+)\"");
  std::vector<double> widths;
  for (std::sregex_iterator it(svg.begin(), svg.end(), width), last; it != last; ++it) {
    widths.push_back(std::stod((*it)[1]));
  }
  ASSERT_EQ(widths.size(), 3U);
  EXPECT_NEAR(widths[0], 2 * widths[1], 2 * kPixel);
  EXPECT_EQ(widths[2], 0);
  EXPECT_NE(svg.find(">b &amp; c</text>"), std::string::npos);
  EXPECT_EQ(bar_chart({}), "");
}

}  // namespace
}  // namespace ingot::report::plot_test
