// SPDX-License-Identifier: Apache-2.0
// A network as an SVG picture: a box per layer, rows by the longest way from an input, lines from
// what a layer reads. Knows nothing of runs. Used by the sections.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ingot::report {

struct GraphNode {
  std::string name;
  std::string detail;     ///< second line of the box
  std::vector<int> from;  ///< earlier nodes
  bool is_input = false;
};

/// Empty without nodes. A node that names itself or a later one in `from` is drawn without it.
[[nodiscard]] std::string graph_picture(const std::vector<GraphNode>& nodes,
                                        std::string_view title);

}  // namespace ingot::report
