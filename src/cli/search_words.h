// SPDX-License-Identifier: Apache-2.0
// The words of `ingot tune search`: a key that is given a list where it takes one value is
// searched, every other key=value is for all trials.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tune/space.h"

namespace ingot::cli {

struct SearchWords {
  std::vector<tune::Axis> axes;
  std::vector<std::string> fixed;
};

/// train.lr=[0.01, 0.1] is an axis; of a key that takes a list, such as layers.0.kernel, a list of
/// lists is. Throws kInvalidArgument for YAML that cannot be read, and where a key is searched
/// twice, or set and searched.
[[nodiscard]] SearchWords search_words(std::span<const std::string> overrides);

}  // namespace ingot::cli
