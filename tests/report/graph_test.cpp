// SPDX-License-Identifier: Apache-2.0
// The picture of a network: a box per layer, a line per input, and nothing for edges that are none.
#include "report/graph.h"

#include <gtest/gtest.h>

namespace ingot::report::graph_test {
namespace {

size_t count_of(const std::string& text, std::string_view part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(GraphPicture, HasABoxPerLayerAndALinePerInput) {
  const std::vector<GraphNode> nodes = {{"table", "[8]", {}, true},
                                        {"words", "[500]", {}, true},
                                        {"mean", "pool [16]", {1}},
                                        {"both", "concatenate [24]", {0, 2}}};
  const std::string svg = graph_picture(nodes, "network <one>");
  EXPECT_EQ(count_of(svg, "<rect"), 4U);
  EXPECT_EQ(count_of(svg, "class=\"edge\""), 3U);
  EXPECT_EQ(count_of(svg, "box input"), 2U);
  EXPECT_NE(svg.find("network &lt;one&gt;"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(GraphPicture, BoxesAreAsWideAsTheirCharacters) {
  const auto head = [](const std::string& name) {
    const std::string svg = graph_picture({{name, "", {}, false}}, "g");
    return svg.substr(0, svg.find('>'));
  };
  EXPECT_EQ(head("\xE6\x88\xBF\xE4\xBB\xB7"), head("four"));  // two wide characters of three bytes
}

TEST(GraphPicture, DrawsNoEdgeBackwards) {
  const std::string svg = graph_picture({{"a", "", {0, 1, -1, 7}}, {"b", "", {0}}}, "g");
  EXPECT_EQ(count_of(svg, "class=\"edge\""), 1U);
  EXPECT_EQ(graph_picture({}, "g"), "");
}

}  // namespace
}  // namespace ingot::report::graph_test
