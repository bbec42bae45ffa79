// SPDX-License-Identifier: Apache-2.0
// A network in a folder: network.yaml (inputs and layers, as in a recipe) and model.safetensors
// (weights, named LAYER.weight). docs/formats/network.md. What turns rows into inputs lies beside
// them (features.json) and is the data room's business.
#pragma once

#include <memory>
#include <string>

#include "base/files.h"
#include "models/network/network.h"
#include "nn/parameter_store.h"

namespace ingot::models {

/// What a network.yaml says: a network whose weights have no memory yet.
struct ListedNetwork {
  std::unique_ptr<Network> network;
  std::vector<LayerConfig> layers;
};

/// Reads the text of a network.yaml that is called `path` in messages. Throws kCorruptFile naming
/// it, also for layers that cannot be; kUnsupported for another format.
[[nodiscard]] ListedNetwork parse_network(const std::string& text, const std::string& path);

/// The text that parse_network reads.
[[nodiscard]] std::string network_text(const Network& network,
                                       const std::vector<LayerConfig>& layers);

/// Writes both files, each atomically.
void save_network(FileSystem& files, Network& network, const std::vector<LayerConfig>& layers,
                  const std::string& folder);

struct LoadedNetwork {
  std::unique_ptr<Network> network;
  std::unique_ptr<nn::ParameterStore> store;
  std::vector<LayerConfig> layers;
};

/// Throws kNotFound; kCorruptFile naming the file, also for layers that cannot be and for weights
/// that no layer takes; kShapeMismatch when the weights do not fit the layers.
[[nodiscard]] LoadedNetwork load_network(Engine& engine, const std::string& folder);

}  // namespace ingot::models
