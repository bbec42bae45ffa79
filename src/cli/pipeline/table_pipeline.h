// SPDX-License-Identifier: Apache-2.0
// The stages of a run that learns from a table: examples → plan → train → evaluate → report. Stages
// are kept as RunFolder says.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/graph.h"
#include "cli/network_model.h"
#include "cli/pipeline/run_folder.h"
#include "cli/pipeline/table_data.h"

namespace ingot::cli {

class TablePipeline : public RunFolder {
 public:
  /// Throws kInvalidArgument when the recipe lists no layers.
  TablePipeline(Invocation& invocation, const Recipe& recipe, FolderUse use);

  void examples();  ///< schema, splits, features; data/*.examples
  /// The network's layers, and what training takes; refuses what does not fit. Not timed, a plan
  /// that was is as good.
  void plan(bool is_timed);
  [[nodiscard]] std::string plan_text() const;  ///< after plan()
  void train();
  /// In place of train: the weights of a checkpoint of PyTorch.
  void import_weights(const std::string& file);
  /// On the split that the recipe names, or another one.
  void evaluate(std::optional<data::Split> split = std::nullopt);
  [[nodiscard]] Graph graph() const;            ///< after examples()
  [[nodiscard]] train::LrSuggestion find_lr();  ///< after examples(); keeps no weights
  /// What training sees of some pictures, as a PNG (data/preview.h).
  void preview(const std::string& file);

 private:
  void with_task(const std::function<void(train::SupervisedTask&, models::Network&)>& use) const;
  void require_same_table() const;
  [[nodiscard]] std::string train_key() const;
  [[nodiscard]] std::string plan_key(bool is_timed) const;
  [[nodiscard]] bool keeps_plan() const;
  [[nodiscard]] Json planned(models::Network& network, const train::Objective& objective,
                             bool is_timed) const;
  [[nodiscard]] data::FeatureSet features() const;
  [[nodiscard]] data::ExampleReader split(data::Split split) const;
  void save_model(models::Network& network);

  TableState table_;  // as it was when the run began
  std::optional<data::FeatureSet> features_;
};

/// Every stage that a verb needs, in order: up to training, or with the test and the report.
void train_table(Invocation& invocation, const Recipe& recipe, bool is_whole_run);

/// The data stage and a picture of what training will see, written to `file`.
void preview_table(Invocation& invocation, const Recipe& recipe, const std::string& file);

/// The data stages, the network's table of layers and what training takes, without training.
void plan_table(Invocation& invocation, const Recipe& recipe);

/// The layers of a network as a text table, with totals.
[[nodiscard]] std::string layer_table(models::Network& network);

}  // namespace ingot::cli
