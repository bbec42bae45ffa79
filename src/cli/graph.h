// SPDX-License-Identifier: Apache-2.0
// `ingot plan --graph`: the layers of a model as a table (shapes, parameters, FLOPs) and, as
// Mermaid, its network and the road of its recipe: data → features → layers → loss → evaluation →
// deployment. Mermaid is what Markdown pages draw.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/network_model.h"
#include "cli/recipe.h"

namespace ingot::cli {

struct Graph {
  std::string table;  ///< the layers; of a network as layer_table prints them
  Json layers;        ///< the same of a language model: {part, copies, parameters, flops_per_token}
  std::string network;   ///< Mermaid
  std::string pipeline;  ///< Mermaid

  [[nodiscard]] std::string text() const;
  [[nodiscard]] Json to_json() const;
};

/// Of a recipe that learns from a table. `table`: the layers as layer_table prints them.
[[nodiscard]] Graph table_graph(const Recipe& recipe, const data::FeatureSet& features,
                                const models::Network& network, const train::Objective& objective,
                                std::string table);

/// Of a language model; the blocks, which are alike, stand for one another.
[[nodiscard]] Graph language_graph(Engine& engine, const Recipe& recipe,
                                   const models::TransformerConfig& model);

}  // namespace ingot::cli
