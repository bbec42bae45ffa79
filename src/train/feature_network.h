// SPDX-License-Identifier: Apache-2.0
// Where the features of a table meet a network: what flows in, and what its numbers mean.
#pragma once

#include <vector>

#include "data/transforms/feature_set.h"
#include "train/importance.h"
#include "train/supervised_task.h"

namespace ingot::train {

/// The network's inputs: the blocks of the features.
[[nodiscard]] std::vector<models::Value> network_inputs(const data::FeatureSet& features);

/// Where each feature lies in the examples, in the order of the columns.
[[nodiscard]] std::vector<InputSlice> feature_slices(const data::FeatureSet& features);

/// What the target and the last layer make of the network's numbers. `features`, which have a
/// target, must outlive the result.
[[nodiscard]] Objective objective_of(const ObjectiveConfig& config,
                                     const data::FeatureSet& features,
                                     const models::Network& network);

/// Throws kInvalidArgument when the last layer applies a sigmoid or softmax to classes: the loss
/// applies it as well, and what is learned would pass through it twice.
void require_no_link(const std::vector<models::LayerConfig>& layers,
                     const data::FeatureSet& features);

}  // namespace ingot::train
