// SPDX-License-Identifier: Apache-2.0
#include "cli/lm.h"

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/network_model.h"
#include "cli/run_tokens.h"
#include "compress/load_quantized.h"
#include "compress/quant_format.h"
#include "cost/inference.h"
#include "data/prepare.h"
#include "models/hugging_face.h"

namespace ingot::cli {
namespace {

constexpr double kDecodeSeconds = 1.0;   // at most,
constexpr int64_t kDecodeTokens = 4096;  // or this many tokens
constexpr int64_t kPageTokens = 64;

/// Of an evaluation with the windows of the training.
void require_eval_context(const Recipe& recipe) {
  require(recipe.eval.context < recipe.train.seq, Code::kInvalidArgument,
          "eval.context: {} is not below train.seq {}; -1 takes half of the window",
          recipe.eval.context, recipe.train.seq);
}

}  // namespace

text::BpeTrainConfig tokenizer_config(const Recipe& recipe) {
  text::BpeTrainConfig config;
  config.vocab_size = recipe.tokenizer.vocab_size;
  config.min_frequency = recipe.tokenizer.min_frequency;
  config.check();
  return config;
}

void require_vocab(int64_t vocab, int64_t ids) {
  require(
      vocab == 0 || vocab >= ids, Code::kInvalidArgument,
      "recipe: model.vocab {} is below the {} tokens of the tokenizer. model.vocab={} would fit, "
      "0 takes the tokenizer's",
      vocab, ids, ids);
}

void check_recipe(const Recipe& recipe) {
  data::check(recipe.data);
  // Before the first stage reads the corpus; once it is read, nothing of it is held any more.
  const bool is_read =
      file_exists(data::corpus_path(join_path(recipe.out, "data"), data::Split::kTrain));
  if (!is_read && directory_exists(recipe.data.path)) data::require_pieces_fit(recipe.data);
  models::TransformerConfig model = recipe.model;
  const int64_t wanted = tokenizer_config(recipe).vocab_size;
  if (model.vocab == 0) model.vocab = wanted;
  model.check();
  // One that is there may have fewer than were wanted: its own number is held against the model.
  if (!directory_exists(join_path(recipe.out, "tokenizer"))) require_vocab(model.vocab, wanted);
  require(model.context >= recipe.train.seq, Code::kInvalidArgument,
          "recipe: train.seq {} is longer than model.context {}. model.context={} would fit",
          recipe.train.seq, model.context, recipe.train.seq);
  require_eval_context(recipe);
  train::require_validation(recipe.train, recipe.data.validation > 0, "Set data.validation=0.1");
  recipe.generate.check();
  for (const std::string& format : recipe.compress.formats) {
    (void)parse_enum<kernels::QuantFormat>(format, "compress.formats");
  }
  serve::check_settings(recipe.serve);
}

train::LanguageModel language_model(Engine& engine, models::Transformer& model,
                                    const text::Tokenizer& tokenizer, const Recipe& recipe) {
  train::LanguageModel lm{model, [&model](const Tensor& ids, const Tensor& targets,
                                          const Tensor& count, const nn::SequenceContext& context) {
                            return model.loss(ids, targets, count, context);
                          }};
  if (recipe.train.sample_every == 0) return lm;
  lm.sample = [&engine, &model, &tokenizer, recipe] {
    models::PagedDecoder decoder(engine, model, single_sequence(model.config().context));
    models::GenerateOptions options = generate_options(recipe.generate);
    const std::string& prompt = recipe.train.sample_prompt;
    std::vector<int32_t> ids = prompt_ids(tokenizer, prompt);
    const int64_t room = model.config().context - static_cast<int64_t>(ids.size());
    options.max_tokens = std::min(options.max_tokens, room);
    return train::Sample{prompt,
                         models::generate(decoder, tokenizer, std::move(ids), options).text};
  };
  return lm;
}

train::Evaluation evaluate_folder(const Invocation& invocation, Runtime& runtime,
                                  const Recipe& recipe, const std::string& folder,
                                  const data::ShardReader& shard) {
  require_eval_context(recipe);
  const std::unique_ptr<models::Transformer> model =
      compress::load_model(runtime.engine, folder, {.prepare = false});
  const models::TransformerConfig& c = model->config();
  require(c.vocab >= shard.info().vocab_size, Code::kShapeMismatch,
          "eval: the model in {} knows {} tokens, {} has ids of a vocabulary of {}. Give a model "
          "that was trained with the tokenizer of this run",
          folder, c.vocab, shard.path(), shard.info().vocab_size);
  require(
      c.context >= recipe.train.seq, Code::kInvalidArgument,
      "eval: train.seq {} is longer than the context {} of the model in {}. train.seq={} would fit",
      recipe.train.seq, c.context, folder, c.context);
  const auto tokenizer = load_model_tokenizer(folder, c);
  const std::string tokenizer_path = join_path(folder, "tokenizer.json");
  require(
      sha256_file(tokenizer_path) == shard.info().tokenizer_sha256, Code::kShapeMismatch,
      "eval: {} is not the tokenizer that made {}, whose ids mean other texts. Give a model that "
      "was trained with the tokenizer of this run",
      tokenizer_path, shard.path());
  train::LmTask task(runtime.engine, recipe.train, recipe.pack,
                     language_model(runtime.engine, *model, *tokenizer, recipe), shard, nullptr);
  const int64_t context = recipe.eval.context < 0 ? recipe.train.seq / 2 : recipe.eval.context;
  const auto progress = invocation.console.progress(*invocation.clock, "eval");
  return task.evaluate_shard(shard, context, 0, invocation.stop, progress.get());
}

void require_own_tokenizer(const std::string& folder) {
  const std::string own = models::tokenizer_digest(folder);
  const std::string path = join_path(folder, "tokenizer.json");
  if (own.empty() || !file_exists(path)) return;
  const std::string digest = sha256_file(path);
  require(digest == own, Code::kCorruptFile,
          "model: {} is damaged or of another model: its SHA-256 is {}, that in {} is {}. Put the "
          "file there that the model was trained with: its run has it in tokenizer/. One whose ids "
          "mean the same is taken once tokenizer_sha256 is out of config.json",
          path, short_digest(digest), join_path(folder, "config.json"), short_digest(own));
}

std::unique_ptr<text::Tokenizer> load_model_tokenizer(const std::string& folder,
                                                      const models::TransformerConfig& model) {
  require_own_tokenizer(folder);
  auto tokenizer = text::load_tokenizer(folder);
  require(tokenizer->vocab_size() <= model.vocab, Code::kShapeMismatch,
          "model: the tokenizer of {} has {} ids, the model of {} knows {}. Put the tokenizer.json "
          "there that the model was trained with",
          join_path(folder, "tokenizer.json"), tokenizer->vocab_size(),
          join_path(folder, "config.json"), model.vocab);
  return tokenizer;
}

void require_generating_memory(Runtime& runtime, const Recipe& recipe, const std::string& folder) {
  if (recipe.memory.bytes == 0) return;
  const cost::StoredModel model = cost::look_at_model(folder);
  const models::PagedDecoderOptions o = single_sequence(model.config.context);
  const int64_t need = cost::decoding_bytes(runtime.team, model, {o.pages, o.max_rows, 1});
  cost::require_cap("generate", need, recipe.memory.bytes);
}

void require_evaluating_memory(Runtime& runtime, const Recipe& recipe, const std::string& folder) {
  if (recipe.memory.bytes == 0) return;
  const int64_t need =
      cost::evaluation_bytes(runtime.team, cost::look_at_model(folder), recipe.train);
  cost::require_cap("eval", need, recipe.memory.bytes);
}

OpenModel open_model(Runtime& runtime, const std::string& folder,
                     models::PagedDecoderOptions options) {
  OpenModel open;
  open.model = compress::load_model(runtime.engine, folder);
  open.tokenizer = load_model_tokenizer(folder, open.model->config());
  runtime.engine.trim();  // the weights as they were before they were packed
  if (options.pages == 0) options = single_sequence(open.model->config().context);
  open.decoder = std::make_unique<models::PagedDecoder>(runtime.engine, *open.model, options);
  return open;
}

models::PagedDecoderOptions single_sequence(int64_t context) {
  return {(context + kPageTokens - 1) / kPageTokens, 1, 256};
}

models::GenerateOptions generate_options(const GenerateConfig& c) {
  models::GenerateOptions o;
  o.max_tokens = c.max_tokens;
  o.stop = c.stop;
  o.sampling.temperature = c.temperature;
  o.sampling.top_k = c.top_k;
  o.sampling.top_p = c.top_p;
  o.sampling.repetition_penalty = c.repetition_penalty;
  o.sampling.seed = static_cast<uint64_t>(c.seed);
  return o;
}

std::vector<int32_t> prompt_ids(const text::Tokenizer& tokenizer, const std::string& prompt) {
  std::vector<int32_t> ids;
  if (tokenizer.eos_id()) ids.push_back(*tokenizer.eos_id());  // opens the document
  const std::vector<int32_t> body = tokenizer.encode(prompt, text::Added::kPlain);
  ids.insert(ids.end(), body.begin(), body.end());
  require(
      !ids.empty(), Code::kInvalidArgument,
      "generate: the prompt is empty and the tokenizer names no end-of-text token to begin with");
  return ids;
}

void require_prompt_fits(std::string_view key, int64_t prompt_tokens, int64_t context) {
  require(prompt_tokens < context, Code::kInvalidArgument,
          "{}: the prompt has {} tokens, the model's context is {}. Shorten the prompt", key,
          prompt_tokens, context);
}

int64_t cut_max_tokens(const Console& console, std::string_view who, int64_t max_tokens,
                       int64_t prompt_tokens, int64_t context) {
  const int64_t room = context - prompt_tokens;
  if (max_tokens <= room) return max_tokens;
  console.note(
      fmt::format("{}: max_tokens={} is cut to {}: the prompt has {} tokens, the model's "
                  "context is {}",
                  who, max_tokens, room, prompt_tokens, context));
  return room;
}

DecodeSpeed measure_decode(Runtime& runtime, const std::string& folder) {
  using Clock = std::chrono::steady_clock;
  const OpenModel open = open_model(runtime, folder, {0, 1, 256});
  models::GenerateOptions options;
  options.ignore_eos = true;
  options.sampling.temperature = 0.0F;
  const std::vector<int32_t> prompt = prompt_ids(*open.tokenizer, "");
  options.max_tokens =
      std::min<int64_t>(open.model->config().context - static_cast<int64_t>(prompt.size()), 128);
  DecodeSpeed speed;
  const auto start = Clock::now();
  std::chrono::duration<double> spent{};
  do {
    const models::Generated g = models::generate(*open.decoder, *open.tokenizer, prompt, options);
    speed.tokens += static_cast<int64_t>(g.completion.size());
    spent = Clock::now() - start;
  } while (spent.count() < kDecodeSeconds && speed.tokens < kDecodeTokens);
  speed.tokens_per_s = static_cast<double>(speed.tokens) / spent.count();
  return speed;
}

cost::Watch plan_watch(const Invocation& invocation) {
  return {invocation.stop,
          [console = invocation.console](std::string_view text) { console.note(text); }};
}

cost::PlanRequest plan_request(const Recipe& recipe) {
  cost::PlanRequest r;
  r.train = recipe.train;
  r.model = recipe.model;
  const int64_t learnt = tokenizer_config(recipe).vocab_size;
  if (r.model.vocab == 0) r.model.vocab = learnt;
  r.seed = static_cast<uint64_t>(recipe.seed);
  r.memory_bytes = memory_cap(recipe);
  r.isolate_documents = recipe.pack.isolate_documents;
  r.restart_positions = recipe.pack.restart_positions;
  r.eval_context = recipe.eval.context;
  return r;
}

std::string plan_text(const cost::TrainPlan& p, const PriceConfig& price) {
  std::string text = fmt::format(
      "plan: {} parameters; {} steps of {} tokens; peak memory {} (weights and optimiser {}, step "
      "{}, "
      "{}program {})",
      with_thousands(p.parameters), with_thousands(p.steps),
      with_thousands(p.steps > 0 ? p.tokens / p.steps : 0), human_bytes(p.peak_bytes),
      human_bytes(p.state_bytes), human_bytes(p.slab_bytes),
      p.sample_bytes > 0 ? fmt::format("samples {}, ", human_bytes(p.sample_bytes)) : "",
      human_bytes(p.program_bytes));
  if (p.seconds_per_step > 0) {
    text += fmt::format("\nplan: {} per step, {:.0f} tokens/s, {:.1f} GFLOP/s; {} for the run",
                        human_duration(p.seconds_per_step), p.tokens_per_second,
                        static_cast<double>(p.model_flops_per_step) / p.seconds_per_step * 1e-9,
                        human_duration(p.seconds));
    if (price.per_hour > 0) {
      text += fmt::format("; {:.2f} {}", p.seconds / 3600.0 * price.per_hour, price.currency);
    }
  }
  return text;
}

Json plan_json(const cost::TrainPlan& p, const PriceConfig& price) {
  Json json = {{"parameters", p.parameters},
               {"steps", p.steps},
               {"tokens", p.tokens},
               {"flops_per_step", p.flops_per_step},
               {"model_flops_per_step", p.model_flops_per_step},
               {"peak_bytes", p.peak_bytes},
               {"state_bytes", p.state_bytes},
               {"slab_bytes", p.slab_bytes},
               {"sample_bytes", p.sample_bytes},
               {"program_bytes", p.program_bytes},
               {"seconds_per_step", p.seconds_per_step},
               {"seconds", p.seconds},
               {"tokens_per_second", p.tokens_per_second}};
  if (price.per_hour > 0) {
    json["cost"] = p.seconds / 3600.0 * price.per_hour;
    json["currency"] = price.currency;
  }
  return json;
}

int64_t weight_file_bytes(const std::string& folder) {
  return file_size(join_path(folder, "model.safetensors"));
}

std::string model_folder(const std::string& folder) {
  if (file_exists(join_path(folder, "config.json"))) return folder;
  require(!holds_network(folder), Code::kInvalidArgument,
          "model: {} holds the network of a table, and a language model is needed here. `ingot "
          "predict {} FILE`, `ingot eval {}` and `ingot serve {}` take it",
          folder, folder, folder, folder);
  const std::string inside = join_path(folder, "model");
  if (file_exists(join_path(inside, "config.json"))) return inside;
  require(
      !is_run_directory(folder), Code::kNotFound,
      "model: the run {0} has no {1}/config.json: it is not finished, or its model was removed. "
      "`ingot run {0}` goes on with it, and makes from its last checkpoint what is gone",
      folder, inside);
  fail(Code::kNotFound,
       "model: neither {} nor {} holds a config.json (or, of a table, a network.yaml). Give a "
       "model folder or the folder of a finished run",
       folder, inside);
}

}  // namespace ingot::cli
