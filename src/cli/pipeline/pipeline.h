// SPDX-License-Identifier: Apache-2.0
// The stages of a run, in the order of the data. A stage that is done for the same settings is not
// run again; what it found is in stages/NAME.json. `ingot run` calls all of them, other verbs the
// ones that they need.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/pipeline/run_folder.h"
#include "cost/planner.h"
#include "data/shard.h"
#include "text/tokenizer.h"

namespace ingot::cli {

class Pipeline : public RunFolder {
 public:
  Pipeline(Invocation& invocation, const Recipe& recipe, FolderUse use)
      : RunFolder(invocation, recipe, use) {}

  /// Throws what the model of the recipe refuses, before any stage.
  void check() const;

  // The stages. Each throws kCancelled when a signal asked for a stop; the next call continues it.
  void inspect();
  void clean();      ///< clean, mask, split
  void tokenizer();  ///< train the tokenizer, make the shards
  void plan();       ///< refuses what does not fit
  void train();
  void evaluate();
  void compress();
  void serve_check();  ///< serves the model and asks it for one completion over HTTP

  [[nodiscard]] train::LrSuggestion find_lr();  ///< after tokenizer(); keeps no weights

 private:
  void require_memory();
  void require_batch() const;
  [[nodiscard]] bool has_test() const { return test_ && test_->tokens() > 0; }
  [[nodiscard]] std::string data_key() const;
  [[nodiscard]] std::string train_key() const;
  [[nodiscard]] models::TransformerConfig model_config() const;
  [[nodiscard]] cost::PlanRequest request()
      const;  ///< for the planner, with the sizes of the splits
  void load_data();
  /// Of a prompt with the token that opens a document, by the run's tokenizer.
  [[nodiscard]] int64_t prompt_tokens(const std::string& prompt) const;
  [[nodiscard]] Json measure_variant(const std::string& folder, const std::string& name,
                                     const Json& quality);

  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::optional<data::ShardReader> train_, validation_, test_;
};

}  // namespace ingot::cli
