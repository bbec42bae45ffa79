// SPDX-License-Identifier: Apache-2.0
// A language model folder at work: training hooks, evaluation, generation, decode speed. Shared by
// the pipeline and by the verbs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/console.h"
#include "cli/recipe.h"
#include "cli/runtime.h"
#include "cost/planner.h"
#include "data/shard.h"
#include "models/generate.h"
#include "models/paged_decoder.h"
#include "text/bpe_train.h"
#include "text/tokenizer.h"
#include "train/lm_task.h"

namespace ingot::cli {

/// How the tokenizer of a recipe is learnt. Throws kInvalidArgument naming tokenizer.<key>.
[[nodiscard]] text::BpeTrainConfig tokenizer_config(const Recipe& recipe);

/// What every stage of a language model's recipe needs, the last one too, so that nothing is found
/// only after the training: corpus, tokenizer, model, sample, evaluation, compression, serving.
/// Throws kInvalidArgument naming the key.
void check_recipe(const Recipe& recipe);
/// A model.vocab below the `ids` of a tokenizer is refused; 0 takes them.
void require_vocab(int64_t vocab, int64_t ids);

/// The training hooks of a Transformer: loss and sample text.
[[nodiscard]] train::LanguageModel language_model(Engine& engine, models::Transformer& model,
                                                  const text::Tokenizer& tokenizer,
                                                  const Recipe& recipe);

/// Loss, perplexity and bits per byte of the model in `folder` on a shard, with a progress line.
/// Throws kCancelled.
[[nodiscard]] train::Evaluation evaluate_folder(const Invocation& invocation, Runtime& runtime,
                                                const Recipe& recipe, const std::string& folder,
                                                const data::ShardReader& shard);

/// Throws kCorruptFile, with the cure, where a model folder holds another tokenizer.json than its
/// config.json names (tokenizer_sha256). A folder that names none is not looked at.
void require_own_tokenizer(const std::string& folder);

/// The tokenizer of a model folder. Throws what text::load_tokenizer and require_own_tokenizer
/// throw, and kShapeMismatch naming both files where it has ids that the model does not know. Fewer
/// are fine: vocabularies of models are padded.
[[nodiscard]] std::unique_ptr<text::Tokenizer> load_model_tokenizer(
    const std::string& folder, const models::TransformerConfig& model);

/// Throws kOutOfMemory where the memory= of a recipe is less than generating with the model of
/// `folder` takes, with one that is enough; without one there is no check, and nothing is looked
/// at.
void require_generating_memory(Runtime& runtime, const Recipe& recipe, const std::string& folder);
/// The same of an evaluation of the recipe's batches.
void require_evaluating_memory(Runtime& runtime, const Recipe& recipe, const std::string& folder);

/// A model folder opened for generation: float32 in packed form, or quantised as stored.
struct OpenModel {
  std::unique_ptr<models::Transformer> model;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<models::PagedDecoder> decoder;
};
[[nodiscard]] OpenModel open_model(Runtime& runtime, const std::string& folder,
                                   models::PagedDecoderOptions options);
/// Options for one sequence of the model's full context.
[[nodiscard]] models::PagedDecoderOptions single_sequence(int64_t context);

[[nodiscard]] models::GenerateOptions generate_options(const GenerateConfig& config);
/// Prompt ids; an empty prompt becomes the end-of-text token, which opens a document.
[[nodiscard]] std::vector<int32_t> prompt_ids(const text::Tokenizer& tokenizer,
                                              const std::string& prompt);

/// Throws kInvalidArgument when a prompt of so many tokens leaves the context no room; `key` names
/// it.
void require_prompt_fits(std::string_view key, int64_t prompt_tokens, int64_t context);
/// max_tokens, cut to what the context has behind such a prompt; a note of `who` tells of the cut.
[[nodiscard]] int64_t cut_max_tokens(const Console& console, std::string_view who,
                                     int64_t max_tokens, int64_t prompt_tokens, int64_t context);

struct DecodeSpeed {
  double tokens_per_s = 0.0;
  int64_t tokens = 0;
};
/// Greedy decoding for about a second, less where a model is small.
[[nodiscard]] DecodeSpeed measure_decode(Runtime& runtime, const std::string& folder);

/// Plans of this invocation end with its stop flag and tell its console of a long measurement.
[[nodiscard]] cost::Watch plan_watch(const Invocation& invocation);
/// What a recipe asks the planner; sizes of the splits are not known here.
[[nodiscard]] cost::PlanRequest plan_request(const Recipe& recipe);
[[nodiscard]] std::string plan_text(const cost::TrainPlan& plan, const PriceConfig& price);
[[nodiscard]] Json plan_json(const cost::TrainPlan& plan, const PriceConfig& price);

/// Size of a model as run and compress give it: the bytes of its model.safetensors.
[[nodiscard]] int64_t weight_file_bytes(const std::string& folder);

/// The folder that holds a model: `folder` itself, or its model/ when it is a run directory.
[[nodiscard]] std::string model_folder(const std::string& folder);

}  // namespace ingot::cli
