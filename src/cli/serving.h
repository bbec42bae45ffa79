// SPDX-License-Identifier: Apache-2.0
// A model folder behind the HTTP server: the model, its engine's thread, the routes of its kind,
// the server. Used by the serve verb and by the pipeline's check of the served model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/lm.h"
#include "cli/network_predictor.h"
#include "cli/recipe.h"
#include "serve/batcher.h"
#include "serve/engine.h"
#include "serve/http.h"
#include "serve/metrics.h"

namespace ingot::cli {

/// Bytes that the KV cache may take: kv_mib MiB, and under a memory= of `cap` bytes (0: none is
/// given) at most a quarter of what `taken` leaves of it, for a batch's activations and the program
/// need room too.
[[nodiscard]] int64_t cache_bytes(int64_t kv_mib, int64_t cap, int64_t taken);

/// What serving the language model of a folder takes with the smallest cache, one full context.
[[nodiscard]] int64_t serving_bytes(Team& team, const serve::ServeConfig& config,
                                    const std::string& folder);

/// "KV cache: 7.0 of 64.0 MiB (memory=32MiB)" where a memory= of `cap` bytes has made of the bytes
/// `asked`, which the cache would have without it, those `given`; "" where it has not.
[[nodiscard]] std::string cache_note(int64_t given, int64_t asked, int64_t cap);

class Serving {
 public:
  /// Opens the language model or network of a model folder and binds the port. Throws what
  /// opening, binding and the configuration (recipe.serve, for pictures recipe.predict.tta) throw.
  Serving(Runtime& runtime, const Recipe& recipe, const std::string& folder, const Clock& clock,
          const Logger& logger = {});

  [[nodiscard]] serve::Server& server() { return *server_; }
  /// What to ask first: "v1" or "v1/models/NAME:predict".
  [[nodiscard]] const std::string& entry() const { return entry_; }
  /// Tokens of a language model's context.
  [[nodiscard]] int64_t context() const { return engine_->spec().context; }

 private:
  void open_language_model(Runtime& runtime, const Recipe& recipe, const std::string& folder,
                           const serve::WorkerHooks& hooks);
  void open_network_model(Runtime& runtime, const Recipe& recipe, const std::string& folder,
                          const serve::WorkerHooks& hooks);

  serve::Metrics metrics_;
  serve::ModelInfo info_;
  std::string entry_;
  // A language model:
  OpenModel model_;
  std::unique_ptr<serve::Engine> engine_;
  // or a network:
  std::unique_ptr<NetworkModel> network_;
  std::unique_ptr<NetworkPredictor> predictor_;
  std::unique_ptr<serve::Batcher> batcher_;

  std::unique_ptr<serve::ModelApi> api_;
  std::unique_ptr<serve::Server> server_;
};

}  // namespace ingot::cli
