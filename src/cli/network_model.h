// SPDX-License-Identifier: Apache-2.0
// A finished model of a table: its features, its network and what its numbers mean, from the model
// folder of a run (network.yaml, model.safetensors, features.json). Used by predict, serve and
// eval.
#pragma once

#include <memory>
#include <string>

#include "data/table_examples.h"
#include "data/transforms/feature_rows.h"
#include "models/network/network_file.h"
#include "train/feature_network.h"

namespace ingot::cli {

struct NetworkModel {
  NetworkModel(data::FeatureSet features, models::LoadedNetwork loaded);
  NetworkModel(const NetworkModel&) = delete;
  NetworkModel& operator=(const NetworkModel&) = delete;

  data::FeatureSet features;
  models::LoadedNetwork loaded;
  train::Objective objective;
  data::FeatureRows rows;

  [[nodiscard]] models::Network& network() { return *loaded.network; }
};

/// The folder of the network that `folder` is or, as a run directory, has. Throws kNotFound naming
/// both places.
[[nodiscard]] std::string network_folder(const std::string& folder);

/// `folder` as for network_folder.
[[nodiscard]] std::unique_ptr<NetworkModel> open_network(Engine& engine, const std::string& folder);

/// True when the folder, or model/ in it, holds a network.
[[nodiscard]] bool holds_network(const std::string& folder);

}  // namespace ingot::cli
