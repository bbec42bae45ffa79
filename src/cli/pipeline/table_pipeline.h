// SPDX-License-Identifier: Apache-2.0
// The stages of a run that learns from a table: examples → plan → train → evaluate → report. Stages
// are kept as RunFolder says.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/network_model.h"
#include "cli/pipeline/run_folder.h"

namespace ingot::cli {

class TablePipeline : public RunFolder {
 public:
  /// Throws kInvalidArgument when the recipe lists no layers.
  TablePipeline(Invocation& invocation, const Recipe& recipe);

  void examples();  ///< schema, splits, features; data/*.examples
  void plan();      ///< the network's table of layers, its parameters and FLOPs
  void train();
  void evaluate();

 private:
  [[nodiscard]] std::string data_key() const;
  [[nodiscard]] std::string train_key() const;
  [[nodiscard]] data::FeatureSet features() const;
  [[nodiscard]] data::ExampleReader split(data::Split split) const;

  std::optional<data::FeatureSet> features_;
};

/// Every stage that a verb needs, in order: up to training, or with the test and the report.
void train_table(Invocation& invocation, const Recipe& recipe, bool is_whole_run);

/// The data stages and the network's table of layers, without training.
void plan_table(Invocation& invocation, const Recipe& recipe);

/// Metrics, with intervals, of the model in `folder` on the split that recipe.eval names; also as
/// text for people.
[[nodiscard]] Json eval_table(const Invocation& invocation, Runtime& runtime, const Recipe& recipe,
                              const std::string& folder);

/// The layers of a network as a text table, with totals.
[[nodiscard]] std::string layer_table(models::Network& network);

}  // namespace ingot::cli
