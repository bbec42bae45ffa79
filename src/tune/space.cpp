// SPDX-License-Identifier: Apache-2.0
#include "tune/space.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/permutation.h"

namespace ingot::tune {
namespace {

constexpr int64_t kMaxTrials = 10'000;
constexpr int64_t kMaxGrid = int64_t{1} << 40;

/// Every axis has values, none of them twice.
void check(std::span<const Axis> axes) {
  for (const Axis& axis : axes) {
    require(!axis.values.empty(), Code::kInvalidArgument,
            "tune search: {} has no values. Give some, such as {}=[VALUE, VALUE]", axis.key,
            axis.key);
    for (size_t i = 0; i < axis.values.size(); ++i) {
      const auto end = axis.values.begin() + static_cast<int64_t>(i);
      require(std::find(axis.values.begin(), end, axis.values[i]) == end, Code::kInvalidArgument,
              "tune search: {} has the value {} twice. A combination is tried once", axis.key,
              excerpt(axis.values[i]));
    }
  }
}

/// How many combinations there are, seeds apart.
int64_t grid_size(std::span<const Axis> axes) {
  int64_t size = 1;
  for (const Axis& axis : axes) {
    if (axis.key == kSeedKey) continue;
    size *= static_cast<int64_t>(axis.values.size());
    require(size <= kMaxGrid, Code::kInvalidArgument,
            "tune search: the values make more than {} combinations. Give fewer",
            with_thousands(kMaxGrid));
  }
  return size;
}

bool is_seed(const Axis& axis) { return axis.key == kSeedKey; }

Point point_at(std::span<const Axis> axes, int64_t index) {
  Point point(axes.size());
  for (size_t i = axes.size(); i-- > 0;) {
    if (is_seed(axes[i])) continue;
    const auto count = static_cast<int64_t>(axes[i].values.size());
    point[i] = axes[i].values[static_cast<size_t>(index % count)];
    index /= count;
  }
  return point;
}

}  // namespace

void SearchConfig::check() const {
  require(trials >= 0 && trials <= kMaxTrials, Code::kInvalidArgument,
          "tune.search.trials is {}, it must be 0 (every combination) to {}; 20 is usual", trials,
          with_thousands(kMaxTrials));
}

std::string point_text(std::span<const Axis> axes, const Point& point) {
  std::string text;
  for (size_t i = 0; i < axes.size(); ++i) {
    text += fmt::format("{}{}={}", i > 0 ? " " : "", axes[i].key, point[i]);
  }
  return text;
}

std::vector<Point> draw_points(std::span<const Axis> axes, int64_t trials, uint64_t seed) {
  check(axes);
  const auto seeds = std::find_if(axes.begin(), axes.end(), is_seed);
  const int64_t repeats = seeds == axes.end() ? 1 : std::ssize(seeds->values);
  const int64_t size = grid_size(axes);
  const int64_t count = trials > 0 ? std::min(trials, size) : size;
  require(count <= kMaxTrials / repeats, Code::kInvalidArgument,
          "tune search: {} combinations{} are more than {} trials. tune.search.trials=20 draws so "
          "many at random",
          with_thousands(count), repeats > 1 ? fmt::format(" of {} seeds", repeats) : "",
          with_thousands(kMaxTrials));
  std::vector<int64_t> drawn(static_cast<size_t>(count));
  const data::Permutation order(size, seed);
  for (int64_t i = 0; i < count; ++i) {
    drawn[static_cast<size_t>(i)] = count < size ? order(i) : i;
  }
  std::sort(drawn.begin(), drawn.end());
  std::vector<Point> points;
  points.reserve(drawn.size() * static_cast<size_t>(repeats));
  for (const int64_t index : drawn) {
    points.push_back(point_at(axes, index));
    if (seeds == axes.end()) continue;
    const Point combination = points.back();
    points.pop_back();
    for (const std::string& value : seeds->values) {
      points.push_back(combination);
      points.back()[static_cast<size_t>(seeds - axes.begin())] = value;
    }
  }
  return points;
}

}  // namespace ingot::tune
