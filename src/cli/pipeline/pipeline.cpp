// SPDX-License-Identifier: Apache-2.0
// Keys of the stages and what they share. The stages themselves are in the files beside this.
#include "cli/pipeline/pipeline.h"

#include "base/hash.h"
#include "cli/lm.h"
#include "data/loader.h"
#include "models/hugging_face.h"

namespace ingot::cli {

void Pipeline::check() const { check_recipe(recipe_); }

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
  if (train_) require_vocab(config.vocab, train_->info().vocab_size);  // a replayed step does not
  config.check();
  return config;
}

}  // namespace ingot::cli
