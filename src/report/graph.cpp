// SPDX-License-Identifier: Apache-2.0
#include "report/graph.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/display.h"
#include "report/html.h"

namespace ingot::report {
namespace {

constexpr double kNodeCharacter = 6.9;  // mean width of a character at 12 px
constexpr double kBoxHeight = 40;
constexpr double kRowHeight = 62;
constexpr double kGap = 18;  // between the boxes of a row
constexpr double kMargin = 2;

struct Place {
  size_t row = 0;
  double x = 0;  // left edge
  double width = 0;
};

double width_of(const GraphNode& node) {
  const size_t longest = std::max(display_width(node.name), display_width(node.detail));
  return 24 + kNodeCharacter * static_cast<double>(longest);
}

/// Mean of the middles of what a node reads; its own place in the list for one that reads nothing.
double pull(const GraphNode& node, size_t index, const std::vector<Place>& places) {
  double sum = 0, count = 0;
  for (const int from : node.from) {
    if (from < 0 || static_cast<size_t>(from) >= index) continue;
    const Place& place = places[static_cast<size_t>(from)];
    sum += place.x + place.width / 2;
    count += 1;
  }
  return count > 0 ? sum / count : static_cast<double>(index);
}

/// Rows by the longest way from an input; boxes of a row side by side, near what they read, rows
/// centred.
std::vector<Place> lay_out(const std::vector<GraphNode>& nodes, double& width, size_t& rows) {
  std::vector<Place> places(nodes.size());
  std::vector<std::vector<size_t>> members;  // of each row
  for (size_t i = 0; i < nodes.size(); ++i) {
    Place& place = places[i];
    for (const int from : nodes[i].from) {
      if (from < 0 || static_cast<size_t>(from) >= i) continue;
      place.row = std::max(place.row, places[static_cast<size_t>(from)].row + 1);
    }
    place.width = width_of(nodes[i]);
    if (members.size() <= place.row) members.resize(place.row + 1);
    members[place.row].push_back(i);
  }
  rows = members.size();
  std::vector<double> row_widths;
  for (const std::vector<size_t>& row : members) {
    double sum = -kGap;
    for (const size_t i : row) sum += places[i].width + kGap;
    row_widths.push_back(sum);
  }
  width = *std::max_element(row_widths.begin(), row_widths.end());
  for (size_t r = 0; r < rows; ++r) {
    std::stable_sort(members[r].begin(), members[r].end(), [&](size_t a, size_t b) {
      return pull(nodes[a], a, places) < pull(nodes[b], b, places);
    });
    double x = (width - row_widths[r]) / 2 + kMargin;
    for (const size_t i : members[r]) {
      places[i].x = x;
      x += places[i].width + kGap;
    }
  }
  return places;
}

std::string edge(const Place& from, const Place& to) {
  const double x0 = from.x + from.width / 2, x1 = to.x + to.width / 2;
  const double y0 = static_cast<double>(from.row) * kRowHeight + kBoxHeight + kMargin;
  const double y1 = static_cast<double>(to.row) * kRowHeight + kMargin;
  const double middle = (y1 - y0) / 2;
  return fmt::format(
      "<path class=\"edge\" d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\"/>\n", x0,
      y0, x0, y0 + middle, x1, y1 - middle, x1, y1);
}

std::string box(const GraphNode& node, const Place& place) {
  const double y = static_cast<double>(place.row) * kRowHeight + kMargin;
  const double middle = place.x + place.width / 2;
  return fmt::format(
      "<rect class=\"box{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "rx=\"{}\"/><text class=\"box-name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>"
      "<text class=\"box-detail\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
      node.is_input ? " input" : "", place.x, y, place.width, kBoxHeight, node.is_input ? 20 : 4,
      middle, y + 17, escape(node.name), middle, y + 32, escape(node.detail));
}

}  // namespace

std::string graph_picture(const std::vector<GraphNode>& nodes, std::string_view title) {
  if (nodes.empty()) return {};
  double width = 0;
  size_t rows = 0;
  const std::vector<Place> places = lay_out(nodes, width, rows);
  const double full = width + 2 * kMargin;
  const double height = static_cast<double>(rows - 1) * kRowHeight + kBoxHeight + 2 * kMargin;
  std::string out = fmt::format(
      "<svg class=\"graph\" viewBox=\"0 0 {:.0f} {:.0f}\" style=\"max-width:{:.0f}px\" "
      "role=\"img\" aria-label=\"{}\">\n",
      full, height, full, escape(title));
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const int from : nodes[i].from) {
      if (from < 0 || static_cast<size_t>(from) >= i) continue;
      out += edge(places[static_cast<size_t>(from)], places[i]);
    }
  }
  for (size_t i = 0; i < nodes.size(); ++i) out += box(nodes[i], places[i]);
  return out + "</svg>\n";
}

}  // namespace ingot::report
