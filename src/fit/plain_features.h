// SPDX-License-Identifier: Apache-2.0
// Features of a model that was trained on arrays: columns x1, x2, … of numbers taken as they are,
// and a target y. They let `ingot predict` feed such a model from a table. Used by fit/model.
#pragma once

#include "data/transforms/feature_set.h"

namespace ingot {

/// classes 0: y is a number, else a class called 0, 1, ….
[[nodiscard]] data::FeatureSet plain_features(int64_t columns, int64_t classes);

}  // namespace ingot
