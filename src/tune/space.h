// SPDX-License-Identifier: Apache-2.0
// What a search tries: some keys with the values that each may take, every combination of them
// (grid search), or so many drawn at random (Bergstra and Bengio 2012), no combination twice.
// Called by the command line.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tune {

struct SearchConfig {
  int64_t trials = 0;
  std::string by;
  void visit(auto& field) {
    field("trials", trials,
          "combinations to try, drawn by seed; 0: every one. Several seeds count as one");
    field("by", by,
          "metric of the validation split that decides, such as accuracy; empty: log_loss of "
          "classes, mse of numbers, the loss of a language model");
  }
  /// Throws kInvalidArgument naming the key and a value that works.
  void check() const;
};

/// A key and its candidates, as an override writes them.
struct Axis {
  std::string key;
  std::vector<std::string> values;
};

/// A value of each axis, in the order of the axes.
using Point = std::vector<std::string>;

/// "train.lr=0.01 layers.0.units=32": as the command line takes it.
[[nodiscard]] std::string point_text(std::span<const Axis> axes, const Point& point);

/// The key whose values are not combinations of their own: each is tried with all of them.
inline constexpr std::string_view kSeedKey = "seed";

/// The combinations to try, the last axis the fastest: all of them, or `trials` drawn by `seed`
/// without replacement where there are more, in the same order; each with every value of the axis
/// kSeedKey, one behind the other, where there is one. Throws kInvalidArgument for an axis
/// without values or with one twice, and for more than 10,000 combinations to try.
[[nodiscard]] std::vector<Point> draw_points(std::span<const Axis> axes, int64_t trials,
                                             uint64_t seed);

}  // namespace ingot::tune
