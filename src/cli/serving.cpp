// SPDX-License-Identifier: Apache-2.0
#include "cli/serving.h"

#include <algorithm>

#include "base/hash.h"
#include "kernels/attention.h"
#include "kernels/paged_attention.h"
#include "models/hugging_face.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxRows = 256;

/// Pages that fit in the KV budget, at least one full context, at most what max_batch can use.
models::PagedDecoderOptions decoder_options(const serve::ServeConfig& config,
                                            const models::TransformerConfig& model) {
  const int64_t per_sequence =
      (model.context + kernels::kAttentionTile - 1) / kernels::kAttentionTile;
  const int64_t page_bytes = 2 * model.layers *
                             kernels::paged_page_elements(model.kv(), model.head_dim()) *
                             static_cast<int64_t>(sizeof(float));
  const int64_t affordable = (config.kv_mib << 20) / std::max<int64_t>(page_bytes, 1);
  return {std::clamp(affordable, per_sequence, per_sequence * config.max_batch), config.max_batch,
          kMaxRows, /*prefault=*/true};
}

}  // namespace

Serving::Serving(Runtime& runtime, const serve::ServeConfig& config, const std::string& folder,
                 const Clock& clock, const Logger& logger) {
  serve::check_config(config);
  const std::string config_path = join_path(folder, "config.json");
  const models::TransformerConfig shape =
      models::parse_config_json(read_file(config_path, 1 << 24), config_path);
  model_ = open_model(runtime, folder, decoder_options(config, shape));
  metrics_ = std::make_unique<serve::Metrics>();
  serve::EngineConfig engine;
  engine.max_batch = config.max_batch;
  engine.queue = config.queue;
  engine.step_rows = config.step_rows;
  engine.stream_bytes = config.stream_bytes;
  engine.slow_client_s = config.write_stall_s;
  serve::EngineHooks hooks;
  hooks.clock = &clock;
  hooks.logger = logger;
  hooks.thread_start = [] { flush_denormals(); };
  engine_ =
      std::make_unique<serve::Engine>(*model_.decoder, *model_.tokenizer, engine, *metrics_, hooks);
  serve::ModelInfo info;
  info.id = config.model_name;
  info.created = static_cast<int64_t>(clock.wall_s());
  info.fingerprint = "ingot-" + sha256_file(join_path(folder, "model.safetensors")).substr(0, 12);
  server_ = std::make_unique<serve::Server>(config, info, *engine_, *metrics_, logger);
}

}  // namespace ingot::cli
