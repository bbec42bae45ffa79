// SPDX-License-Identifier: Apache-2.0
// A model folder behind the HTTP server: decoder, engine thread, server. Used by the serve verb and
// by the pipeline's check of the served model.
#pragma once

#include <memory>
#include <string>

#include "cli/lm.h"
#include "serve/engine.h"
#include "serve/http.h"
#include "serve/metrics.h"

namespace ingot::cli {

class Serving {
 public:
  /// Opens the model and binds the port. Throws what opening, binding and the configuration throw.
  Serving(Runtime& runtime, const serve::ServeConfig& config, const std::string& folder,
          const Clock& clock, const Logger& logger = {});

  [[nodiscard]] serve::Server& server() { return *server_; }
  [[nodiscard]] const models::DecoderSpec& spec() const { return engine_->spec(); }

 private:
  OpenModel model_;
  std::unique_ptr<serve::Metrics> metrics_;
  std::unique_ptr<serve::Engine> engine_;
  std::unique_ptr<serve::Server> server_;
};

}  // namespace ingot::cli
