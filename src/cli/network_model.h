// SPDX-License-Identifier: Apache-2.0
// A finished model of a table: its features, its network and what its numbers mean, from the model
// folder of a run (network.yaml, model.safetensors, features.json). Used by predict and eval.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/table_examples.h"
#include "models/network/network_file.h"
#include "train/supervised_task.h"

namespace ingot::cli {

/// The network's inputs: the blocks of the features.
[[nodiscard]] std::vector<models::Value> network_inputs(const data::FeatureSet& features);

/// What the target and the last layer make of the network's numbers.
[[nodiscard]] train::Objective objective_of(const train::ObjectiveConfig& config,
                                            const data::FeatureSet& features,
                                            const models::Network& network);

struct NetworkModel {
  data::FeatureSet features;
  models::LoadedNetwork loaded;
  train::Objective objective;

  [[nodiscard]] models::Network& network() { return *loaded.network; }
};

/// `folder` is a model folder or a run directory. Throws kNotFound naming both places.
[[nodiscard]] std::unique_ptr<NetworkModel> open_network(Engine& engine, const std::string& folder);

/// True when the folder, or model/ in it, holds a network.
[[nodiscard]] bool holds_network(const std::string& folder);

}  // namespace ingot::cli
