// SPDX-License-Identifier: Apache-2.0
// Counts of values in equally wide bins as an SVG, with round bin edges. Knows nothing of runs.
// Used by the sections.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingot::report {

struct Histogram {
  std::string title;    ///< read aloud by screen readers
  std::string x_label;  ///< printed at the right end of the axis
  std::vector<double> values;
  int width = 460;
  int height = 230;
  int bins = 30;  ///< about so many
};

/// Empty without a finite value.
[[nodiscard]] std::string histogram(const Histogram& plot);

}  // namespace ingot::report
