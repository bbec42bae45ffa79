// SPDX-License-Identifier: Apache-2.0
#include "train/feature_network.h"

namespace ingot::train {

std::vector<models::Value> network_inputs(const data::FeatureSet& features) {
  std::vector<models::Value> inputs;
  for (const data::Block& block : features.blocks()) {
    models::Value in;
    in.name = block.name;
    in.shape = block.shape;
    in.dtype = block.input_dtype();
    in.vocab = block.id_limit;
    inputs.push_back(std::move(in));
  }
  return inputs;
}

std::vector<InputSlice> feature_slices(const data::FeatureSet& features) {
  std::vector<InputSlice> slices;
  int64_t place = 0;  // in the block of numbers
  for (const auto& feature : features.features()) {
    const data::FeatureLayout layout = feature->layout();
    const auto floats = static_cast<int64_t>(layout.columns.size());
    if (floats > 0) slices.push_back({feature->name(), features.blocks()[0].name, place, floats});
    const bool has_pixels = layout.pixels.rank() > 0;
    if (layout.ids > 0) slices.push_back({feature->name(), feature->name(), 0, layout.ids});
    if (has_pixels) slices.push_back({feature->name(), feature->name(), 0, layout.pixels.size()});
    place += floats;
  }
  return slices;
}

Objective objective_of(const ObjectiveConfig& config, const data::FeatureSet& features,
                       const models::Network& network) {
  const data::Target* target = features.target();
  INGOT_ASSERT(target != nullptr);
  const int64_t classes = target->is_class() ? static_cast<int64_t>(target->classes().size()) : 0;
  Objective objective = make_objective(config, classes, network.output(), target->class_counts());
  if (classes > 0) return objective;
  objective.decode = [target](double y) { return target->decode_number(y); };
  // A Huber loss of differences s times as large, its delta too, is s² times as large.
  const double spread = target->spread().value_or(1.0);
  objective.loss_scale = objective.loss == LossName::kMae ? spread : spread * spread;
  return objective;
}

void require_no_link(const std::vector<models::LayerConfig>& layers,
                     const data::FeatureSet& features) {
  if (layers.empty() || features.target() == nullptr || !features.target()->is_class()) return;
  const models::LayerConfig& last = layers.back();
  const auto end = last.activation.value_or(models::ActivationName::kNone);
  require(end != models::ActivationName::kSigmoid && end != models::ActivationName::kSoftmax,
          Code::kInvalidArgument,
          "layers: the last layer \"{}\" applies a {}, and so does the loss of classes. Leave its "
          "activation out",
          last.name.empty() ? std::string(enum_name(last.type)) : last.name, enum_name(end));
}

}  // namespace ingot::train
