// SPDX-License-Identifier: Apache-2.0
// From token shards to a tested model: plan, train, evaluate, compress.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "cli/lm.h"
#include "cli/pipeline/pipeline.h"
#include "compress/load_quantized.h"
#include "compress/quantize.h"
#include "data/compressors.h"
#include "data/corpus_file.h"
#include "data/prepare.h"
#include "models/hugging_face.h"
#include "train/lm_task.h"

namespace ingot::cli {

cost::PlanRequest Pipeline::request() const {
  cost::PlanRequest r = plan_request(recipe_);
  r.model = model_config();
  r.watch = plan_watch(invocation_);
  if (train_) r.tokens_per_epoch = train_->tokens();
  if (validation_) r.validation_tokens = validation_->tokens();
  return r;
}

void Pipeline::plan() {
  require_batch();
  require_prompt_fits("generate.prompt", prompt_tokens(recipe_.generate.prompt),
                      recipe_.model.context);
  const std::string key = train_key() + std::to_string(memory_cap(recipe_)) + "/" +
                          std::to_string(runtime_->team.size());
  const Json& numbers = stage("plan", key, [&] {
    const cost::PlanRequest r = request();
    const cost::TrainPlan plan = cost::plan_training(runtime_->team, r);
    cost::require_fits(runtime_->team, r, plan.peak_bytes);
    invocation_.console.note(plan_text(plan, recipe_.price));
    return plan_json(plan, recipe_.price);
  });
  write_atomically(*invocation_.files, path("plan.json"), dump_json(numbers, 1) + "\n");
}

/// The check of the plan stage without its measurement, for `ingot train` alone.
void Pipeline::require_memory() {
  cost::PlanRequest r = request();
  r.measure_s = 0.0;
  cost::require_fits(runtime_->team, r, cost::peak_memory(runtime_->team, r));
}

void Pipeline::train() {
  require_batch();
  if (recipe_.train.sample_every > 0) {
    const int64_t tokens = prompt_tokens(recipe_.train.sample_prompt);
    require_prompt_fits("train.sample_prompt", tokens, recipe_.model.context);
    (void)cut_max_tokens(invocation_.console, "train: samples", recipe_.generate.max_tokens, tokens,
                         recipe_.model.context);
  }
  const auto work = [&] {
    if (!results_->contains("plan")) require_memory();
    models::Transformer model(runtime_->engine, model_config());
    train::LanguageModel lm = language_model(runtime_->engine, model, *tokenizer_, recipe_);
    train::LmTask task(runtime_->engine, recipe_.train, recipe_.pack, lm, *train_, &*validation_);
    return run_training(task, [&] {
      make_directories(*invocation_.files, path("model"));
      tokenizer_->save(*invocation_.files, path("model"));
      models::save_model(*invocation_.files, model, path("model"),
                         tokenizer_->eos_id().value_or(-1),
                         sha256_file(path("model/tokenizer.json")));
    });
  };
  stage("train", train_key(), work, {"model"});
}

train::LrSuggestion Pipeline::find_lr() {
  require_batch();
  models::Transformer model(runtime_->engine, model_config());
  train::LanguageModel lm = language_model(runtime_->engine, model, *tokenizer_, recipe_);
  train::LmTask task(runtime_->engine, recipe_.train, recipe_.pack, lm, *train_, &*validation_);
  train::Step step(runtime_->engine, recipe_.train, task);
  return train::find_lr(step, recipe_.tune.lr);
}

void Pipeline::evaluate() {
  if (!has_test()) {
    invocation_.console.note("evaluate   skipped: the test split is empty (data.test)");
    return;
  }
  stage("evaluate", train_key() + to_json(recipe_.eval), [&] {
    const train::Evaluation e =
        evaluate_folder(invocation_, *runtime_, recipe_, path("model"), *test_);
    Json numbers = {{"loss", e.loss}, {"bytes", test_->info().text_bytes}};
    for (const auto& [name, value] : e.metrics) numbers[name] = value;
    if (recipe_.eval.baselines) {
      const auto documents = data::read_corpus(data::corpus_path(path("data"), data::Split::kTest));
      const data::CompressorBaselines b = data::compressor_baselines(documents, invocation_.stop);
      numbers["baselines"] = {
          {"gzip_files", b.gzip_per_file}, {"gzip_all", b.gzip_joined}, {"xz_all", b.xz_joined}};
      invocation_.console.note(fmt::format(
          "test: {:.4f} bits per byte (perplexity {:.2f}); gzip -9 per file {:.4f}, joined {:.4f}, "
          "xz -9 joined {:.4f}",
          numbers.value("bits_per_byte", 0.0), numbers.value("perplexity", 0.0), b.gzip_per_file,
          b.gzip_joined, b.xz_joined));
    }
    return numbers;
  });
}

Json Pipeline::measure_variant(const std::string& folder, const std::string& name,
                               const Json& quality) {
  const DecodeSpeed speed = measure_decode(*runtime_, folder);
  return {{"name", name},
          {"bytes", weight_file_bytes(folder)},
          {"perplexity", quality.at("perplexity")},
          {"bits_per_byte", quality.at("bits_per_byte")},
          {"tokens_per_second", speed.tokens_per_s}};
}

void Pipeline::compress() {
  if (!has_test()) {
    invocation_.console.note(
        "compress   skipped: no test split to judge it by; `ingot compress` writes the files");
    return;
  }
  std::vector<std::string> folders;
  for (const std::string& format : recipe_.compress.formats) folders.push_back("model-" + format);
  const auto work = [&] {
    const auto quality = [&](const std::string& folder) {
      return Json(evaluate_folder(invocation_, *runtime_, recipe_, folder, *test_).metrics);
    };
    const Json tested = results_->value("evaluate", Json::object());  // of the float model
    const bool is_known = tested.contains("perplexity") && tested["perplexity"].is_number() &&
                          tested.contains("bits_per_byte") && tested["bits_per_byte"].is_number();
    Json variants = Json::array(
        {measure_variant(path("model"), "float32", is_known ? tested : quality(path("model")))});
    for (const std::string& format : recipe_.compress.formats) {
      compress::QuantizeConfig config;
      config.format = parse_enum<kernels::QuantFormat>(format, "compress.formats");
      (void)compress::quantize_model(runtime_->engine, path("model"), path("model-" + format),
                                     config, *invocation_.files, invocation_.stop);
      const std::string folder = path("model-" + format);
      variants.push_back(measure_variant(folder, format, quality(folder)));
    }
    const auto whole = variants[0]["bytes"].get<double>();
    const auto reference = variants[0]["perplexity"].get<double>();
    for (Json& v : variants) {
      v["ratio"] = v["bytes"].get<double>() / whole;
      v["perplexity_change"] = v["perplexity"].get<double>() / reference - 1.0;
      invocation_.console.note(fmt::format(
          "compress: {:<8} {:>10}  {:.3f} of float32, perplexity {:.4f} ({:+.2f} %), {:.0f} "
          "tokens/s",
          v["name"].get<std::string>(), human_bytes(v["bytes"].get<int64_t>()),
          v["ratio"].get<double>(), v["perplexity"].get<double>(),
          100.0 * v["perplexity_change"].get<double>(), v["tokens_per_second"].get<double>()));
    }
    return Json{{"variants", variants}};
  };
  stage("compress", train_key() + to_json(recipe_.compress), work, folders);
}

}  // namespace ingot::cli
