// SPDX-License-Identifier: Apache-2.0
#include "cli/network_model.h"

namespace ingot::cli {
namespace {

constexpr const char* kNetworkFile = "network.yaml";

std::string inside(const std::string& folder) { return join_path(folder, "model"); }

}  // namespace

NetworkModel::NetworkModel(data::FeatureSet with_features, models::LoadedNetwork with_network)
    : features(std::move(with_features)),
      loaded(std::move(with_network)),
      objective(train::objective_of({}, features, *loaded.network)),
      rows(features, 0) {}  // answers are the same under every seed

std::string network_folder(const std::string& folder) {
  const std::string place = file_exists(join_path(folder, kNetworkFile)) ? folder : inside(folder);
  require(file_exists(join_path(place, kNetworkFile)), Code::kNotFound,
          "model: neither {} nor {} holds a {}. Give the folder of a finished run on a table",
          folder, inside(folder), kNetworkFile);
  return place;
}

std::unique_ptr<NetworkModel> open_network(Engine& engine, const std::string& folder) {
  const std::string place = network_folder(folder);
  return std::make_unique<NetworkModel>(data::FeatureSet::load(join_path(place, "features.json")),
                                        models::load_network(engine, place));
}

bool holds_network(const std::string& folder) {
  return file_exists(join_path(folder, kNetworkFile)) ||
         file_exists(join_path(inside(folder), kNetworkFile));
}

}  // namespace ingot::cli
