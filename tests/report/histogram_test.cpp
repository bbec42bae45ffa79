// SPDX-License-Identifier: Apache-2.0
// Histograms: every finite value in a bin, round edges, and no drawing from nothing.
#include "report/histogram.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace ingot::report::histogram_test {
namespace {

size_t bars(const std::string& svg) {
  size_t n = 0;
  for (size_t at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) ++n;
  return n;
}

TEST(Histogram, HasRoundBins) {
  Histogram plot;
  plot.bins = 10;
  for (int i = 0; i <= 100; ++i) plot.values.push_back(i / 100.0);
  EXPECT_EQ(bars(histogram(plot)), 11U);  // [0, 0.1), …, [1, 1.1)
  plot.bins = 8;
  EXPECT_EQ(bars(histogram(plot)), 6U);  // steps of 0.2
}

TEST(Histogram, OfOneValueOrNoneOrStrangeOnes) {
  Histogram plot;
  EXPECT_EQ(histogram(plot), "");
  plot.values = {std::nan(""), std::numeric_limits<double>::infinity()};
  EXPECT_EQ(histogram(plot), "");
  plot.values = {0.0, 0.0};
  EXPECT_NE(histogram(plot), "");
  plot.values = {-1e308, 1e308};
  EXPECT_EQ(histogram(plot), "");  // the span is no number
  plot.values = {5e-324, 0.0};
  EXPECT_EQ(histogram(plot), "");
}

TEST(Histogram, OfNumbersWhoseDigitsEndAboveTheWidthOfABin) {
  Histogram plot;
  for (int i = 0; i < 40; ++i) plot.values.push_back(-9.007e15 - 2.0 * i);
  EXPECT_NE(histogram(plot), "");
  plot.values = {1e17, std::nextafter(1e17, 2e17), std::nextafter(1e17, 0)};
  EXPECT_NE(histogram(plot), "");
}

}  // namespace
}  // namespace ingot::report::histogram_test
