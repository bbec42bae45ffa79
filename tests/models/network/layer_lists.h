// SPDX-License-Identifier: Apache-2.0
// Layer lists as a recipe writes them, and messages about lists that do not fit.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "base/message_of.h"
#include "models/network/network.h"

namespace ingot::testing {

struct LayerList {
  std::vector<models::LayerConfig> layers;
  void visit(auto& field) { field("layers", layers, "of a network"); }
};

/// `yaml` is the list behind "layers:".
inline std::vector<models::LayerConfig> layers_of(const std::string& yaml) {
  LayerList list;
  bind_text("layers:\n" + yaml, "layers.yaml", list);
  return list.layers;
}

inline models::Value picture(int64_t height, int64_t width, int64_t channels) {
  return {"image", {height, width, channels}, DType::kF32, 0, -1};
}

/// What is wrong with the list, for an input of the given shape.
inline std::string refusal(const std::string& yaml, const models::Value& input) {
  return message_of([&] { const models::Network network(layers_of(yaml), {input}); });
}

}  // namespace ingot::testing
