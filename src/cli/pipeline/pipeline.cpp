// SPDX-License-Identifier: Apache-2.0
// Keys of the stages and what they share. The stages themselves are in the files beside this.
#include "cli/pipeline/pipeline.h"

#include "base/hash.h"
#include "cli/lm.h"
#include "data/loader.h"
#include "models/hugging_face.h"
#include "train/config.h"

namespace ingot::cli {

void Pipeline::check() const {
  (void)tokenizer_config(recipe_);
  (void)model_config();
  recipe_.generate.check();
  require(recipe_.eval.context < recipe_.train.seq, Code::kInvalidArgument,
          "eval.context: {} is not below train.seq {}; -1 takes half of the window",
          recipe_.eval.context, recipe_.train.seq);
  train::require_validation(recipe_.train, recipe_.data.validation > 0, "Set data.validation=0.1");
}

/// Of the training split alone: an evaluation fills the rest of a batch up.
void Pipeline::require_batch() const {
  data::require_batch(*train_, {recipe_.train.micro_batch, recipe_.train.seq},
                      recipe_.eval.context);
}

int64_t Pipeline::prompt_tokens(const std::string& prompt) const {
  return static_cast<int64_t>(prompt_ids(*tokenizer_, prompt).size());
}

std::string Pipeline::data_key() const {
  return sha256_hex(to_yaml(recipe_.data) + to_yaml(recipe_.tokenizer)).substr(0, 16);
}

std::string Pipeline::train_key() const {
  return sha256_hex(data_key() + recipe_hash(recipe_)).substr(0, 16);
}

models::TransformerConfig Pipeline::model_config() const {
  models::TransformerConfig config = recipe_.model;
  if (config.vocab == 0) {
    config.vocab = tokenizer_ != nullptr ? tokenizer_->vocab_size() : recipe_.tokenizer.vocab_size;
  }
  const int64_t ids = train_ ? train_->info().vocab_size : 0;  // a replayed step no longer checks
  require(
      config.vocab >= ids, Code::kInvalidArgument,
      "recipe: model.vocab {} is below the {} tokens of the tokenizer. model.vocab={} would fit, "
      "0 takes the tokenizer's",
      config.vocab, ids, ids);
  require(config.context >= recipe_.train.seq, Code::kInvalidArgument,
          "recipe: train.seq {} is longer than model.context {}. model.context={} would fit",
          recipe_.train.seq, config.context, recipe_.train.seq);
  config.check();
  return config;
}

}  // namespace ingot::cli
