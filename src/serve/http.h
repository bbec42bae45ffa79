// SPDX-License-Identifier: Apache-2.0
// The HTTP face of an Engine: one I/O thread, a coroutine per connection (Boost.Asio, Beast's
// parser), limits before buffers, drain on stop. The headers of Boost stay in http.cpp and
// connection.cpp. What a request means is in request.h and api.h. Called by cli/verbs/serve.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "serve/config.h"
#include "serve/engine.h"
#include "serve/metrics.h"

namespace ingot::serve {

/// What /v1/models says about the served model.
struct ModelInfo {
  std::string id;
  int64_t created = 0;      ///< seconds since 1970
  std::string fingerprint;  ///< identifies weights and build; goes into system_fingerprint
};

class Server {
 public:
  /// Binds at once, so that port() is known. The engine and the metrics must outlive the server and
  /// be each other's. The logger is told of the drain and of every failure with its reason, never
  /// of keys, prompts or texts. Throws kInvalidArgument (check_config), kIo (address in use: names
  /// it).
  Server(const ServeConfig& config, ModelInfo model, Engine& engine, Metrics& metrics,
         Logger logger = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port in use, also where the configuration says 0.
  [[nodiscard]] int port() const;
  /// Serves until a requested stop has drained. `on_ready(port)` is called once before the first
  /// accept. Returns the number of completions that were cut off by drain_timeout_s.
  int64_t run(const std::function<void(int)>& on_ready = {});
  /// First call: drain. Second call: stop at once. Safe from any thread and from a signal handler.
  void request_stop() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ingot::serve
