// SPDX-License-Identifier: Apache-2.0
// The stages of a run, in the order of the data. A stage that is done for the same settings is not
// run again; what it found is in stages/NAME.json. `ingot run` calls all of them, other verbs the
// ones that they need.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/recipe.h"
#include "cli/runtime.h"
#include "cost/planner.h"
#include "data/shard.h"
#include "text/tokenizer.h"
#include "train/loop.h"

namespace ingot::cli {

class Pipeline {
 public:
  /// Creates the run directory and writes recipe.yaml and run.json. With --fresh what was there goes.
  Pipeline(Invocation& invocation, const Recipe& recipe);

  // The stages.
  void inspect();
  void clean();      ///< clean, mask, split
  void tokenizer();  ///< train the tokenizer, make the shards
  void plan();       ///< refuses what does not fit
  bool train();      ///< false when it was stopped by a signal
  void evaluate();
  void compress();
  void serve_check();  ///< serves the model and asks it for one completion over HTTP
  void report();

  [[nodiscard]] const std::string& out() const { return recipe_.out; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return join_path(recipe_.out, name);
  }
  /// {stage: numbers} of what is done, for --json.
  [[nodiscard]] const Json& results() const { return *results_; }
  [[nodiscard]] Runtime& runtime() { return *runtime_; }

 private:
  /// Runs `work` unless stages/NAME.json says "done" for this key; keeps its numbers.
  const Json& stage(const std::string& name, const std::string& key,
                    const std::function<Json()>& work);
  void write_stage(const std::string& name, const std::string& key, const char* state,
                   double seconds, const Json& numbers);
  /// Throws before anything is written when the directory holds a run of another recipe.
  void require_same_run() const;
  void require_memory();
  [[nodiscard]] bool has_test() const { return test_ && test_->tokens() > 0; }
  [[nodiscard]] Json read_stage(const std::string& name) const;
  [[nodiscard]] std::string data_key() const;
  [[nodiscard]] std::string train_key() const;
  [[nodiscard]] models::TransformerConfig model_config() const;
  [[nodiscard]] cost::PlanRequest plan_request() const;
  void load_data();
  [[nodiscard]] Json train_numbers(const train::TrainSummary& summary) const;
  [[nodiscard]] Json measure_variant(const std::string& folder, const std::string& name,
                                     const Json& quality);

  Invocation& invocation_;
  Recipe recipe_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Json> results_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::optional<data::ShardReader> train_, validation_, test_;
};

}  // namespace ingot::cli
