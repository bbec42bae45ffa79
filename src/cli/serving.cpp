// SPDX-License-Identifier: Apache-2.0
#include "cli/serving.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "cost/inference.h"
#include "kernels/attention.h"
#include "kernels/paged_attention.h"
#include "models/hugging_face.h"
#include "serve/completion_api.h"
#include "serve/predict_api.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxRows = 256;

int64_t page_bytes(const models::TransformerConfig& model) {
  return 2 * model.layers * kernels::paged_page_elements(model.kv(), model.head_dim()) *
         static_cast<int64_t>(sizeof(float));
}

int64_t context_pages(const models::TransformerConfig& model) {
  return (model.context + kernels::kAttentionTile - 1) / kernels::kAttentionTile;
}

/// Pages that fit in the KV budget, at least one full context, at most what max_batch can use.
models::PagedDecoderOptions decoder_options(const serve::ServeConfig& config,
                                            const models::TransformerConfig& model,
                                            int64_t budget) {
  const int64_t per_sequence = context_pages(model);
  const int64_t affordable = budget / std::max<int64_t>(page_bytes(model), 1);
  return {std::clamp(affordable, per_sequence, per_sequence * config.max_batch), config.max_batch,
          kMaxRows, /*prefault=*/true};
}

}  // namespace

int64_t cache_bytes(int64_t kv_mib, int64_t cap, int64_t taken) {
  const int64_t asked = kv_mib << 20;
  return cap == 0 ? asked : std::min(asked, std::max<int64_t>(cap - taken, 0) / 4);
}

int64_t serving_bytes(Team& team, const serve::ServeConfig& config, const std::string& folder) {
  const cost::StoredModel model = cost::look_at_model(folder);
  return cost::decoding_bytes(team, model,
                              {context_pages(model.config), kMaxRows, config.max_batch});
}

std::string cache_note(int64_t given, int64_t asked, int64_t cap) {
  if (given >= asked) return "";
  const auto mib = [](int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  return fmt::format("KV cache: {:.1f} of {:.1f} MiB (memory={:g}MiB)", mib(given), mib(asked),
                     mib(cap));
}

Serving::Serving(Runtime& runtime, const Recipe& recipe, const std::string& folder,
                 const Clock& clock, const Logger& logger) {
  const serve::ServeConfig& config = recipe.serve;
  serve::check_config(config);
  serve::WorkerHooks hooks;
  hooks.clock = &clock;
  hooks.logger = logger;
  hooks.thread_start = [] { flush_denormals(); };
  info_.id = config.model_name;
  info_.created = static_cast<int64_t>(clock.wall_s());
  info_.fingerprint = "ingot-" + sha256_file(join_path(folder, "model.safetensors")).substr(0, 12);
  if (holds_network(folder)) {
    open_network_model(runtime, recipe, folder, hooks);
  } else {
    open_language_model(runtime, recipe, folder, hooks);
  }
  server_ = std::make_unique<serve::Server>(config, *api_, metrics_, logger);
}

void Serving::open_language_model(Runtime& runtime, const Recipe& recipe, const std::string& folder,
                                  const serve::WorkerHooks& hooks) {
  const serve::ServeConfig& config = recipe.serve;
  const std::string config_path = join_path(folder, "config.json");
  const models::TransformerConfig shape =
      models::parse_config_json(read_file(config_path, 1 << 24), config_path);
  const int64_t weights = file_size(join_path(folder, "model.safetensors"));
  const int64_t cap = recipe.memory.bytes;
  int64_t budget =
      cache_bytes(config.kv_mib, cap, runtime.engine.allocator().held_bytes() + weights);
  if (cap > 0) {  // what is not the cache's is not all weights
    const int64_t room = std::max<int64_t>(cap - serving_bytes(runtime.team, config, folder), 0);
    budget = std::min(budget, room + context_pages(shape) * page_bytes(shape));
  }
  const models::PagedDecoderOptions decoder = decoder_options(config, shape, budget);
  const auto bytes = [&](int64_t pages) { return pages * page_bytes(shape); };
  const std::string note = cache_note(
      bytes(decoder.pages), bytes(decoder_options(config, shape, config.kv_mib << 20).pages),
      recipe.memory.bytes);
  if (!note.empty()) hooks.logger.info("serve: {}", note);
  model_ = open_model(runtime, folder, decoder);
  serve::EngineConfig engine;
  engine.max_batch = config.max_batch;
  engine.queue = config.queue;
  engine.step_rows = config.step_rows;
  engine.stream_bytes = config.stream_bytes;
  engine.slow_client_s = config.write_stall_s;
  engine_ =
      std::make_unique<serve::Engine>(*model_.decoder, *model_.tokenizer, engine, metrics_, hooks);
  api_ = std::make_unique<serve::CompletionApi>(config, info_, *engine_, metrics_);
  entry_ = "v1";
}

void Serving::open_network_model(Runtime& runtime, const Recipe& recipe, const std::string& folder,
                                 const serve::WorkerHooks& hooks) {
  const serve::ServeConfig& config = recipe.serve;
  network_ = open_network(runtime.engine, folder);
  predictor_ = std::make_unique<NetworkPredictor>(runtime.engine, *network_, config.max_batch,
                                                  recipe.predict.tta, decimal_of(recipe));
  const serve::BatcherConfig batcher{config.max_batch, config.queue, config.max_delay_s};
  batcher_ = std::make_unique<serve::Batcher>(*predictor_, batcher, metrics_, hooks);
  api_ = std::make_unique<serve::PredictApi>(config, info_, *predictor_, *batcher_, metrics_);
  entry_ = "v1/models/" + config.model_name + ":predict";
}

}  // namespace ingot::cli
