// SPDX-License-Identifier: Apache-2.0
// A fitted feature in words, for reports: what its transform does, and what fitting found.
#pragma once

#include <string>

#include "data/transforms/feature.h"

namespace ingot::data {

struct FeatureText {
  std::string transform;  ///< "missing: median; mean 0, deviation 1"
  std::string fitted;     ///< "median 29, centre 28.64, divisor 12.59"
};

[[nodiscard]] FeatureText describe(const Feature& feature);

}  // namespace ingot::data
