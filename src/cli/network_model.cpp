// SPDX-License-Identifier: Apache-2.0
#include "cli/network_model.h"

namespace ingot::cli {
namespace {

constexpr const char* kNetworkFile = "network.yaml";

std::string inside(const std::string& folder) { return join_path(folder, "model"); }

}  // namespace

std::vector<models::Value> network_inputs(const data::FeatureSet& features) {
  std::vector<models::Value> inputs;
  for (const data::Block& block : features.blocks()) {
    models::Value in;
    in.name = block.name;
    in.shape = {block.width};
    in.dtype = block.is_float ? DType::kF32 : DType::kI32;
    in.vocab = block.id_limit;
    inputs.push_back(std::move(in));
  }
  return inputs;
}

train::Objective objective_of(const train::ObjectiveConfig& config,
                              const data::FeatureSet& features, const models::Network& network) {
  const data::Target* target = features.target();
  INGOT_ASSERT(target != nullptr);
  const int64_t classes = target->is_class() ? static_cast<int64_t>(target->classes().size()) : 0;
  train::Objective objective = train::make_objective(config, classes, network.output());
  if (classes == 0) objective.decode = [target](double y) { return target->decode_number(y); };
  return objective;
}

std::unique_ptr<NetworkModel> open_network(Engine& engine, const std::string& folder) {
  const std::string place = file_exists(join_path(folder, kNetworkFile)) ? folder : inside(folder);
  require(file_exists(join_path(place, kNetworkFile)), Code::kNotFound,
          "model: neither {} nor {} holds a {}. Give the folder of a finished run on a table",
          folder, inside(folder), kNetworkFile);
  auto model = std::make_unique<NetworkModel>(
      NetworkModel{data::FeatureSet::load(join_path(place, "features.json")),
                   models::load_network(engine, place),
                   {}});
  model->objective = objective_of({}, model->features, model->network());
  return model;
}

bool holds_network(const std::string& folder) {
  return file_exists(join_path(folder, kNetworkFile)) ||
         file_exists(join_path(inside(folder), kNetworkFile));
}

}  // namespace ingot::cli
