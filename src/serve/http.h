// SPDX-License-Identifier: Apache-2.0
// The HTTP face of a model: one I/O thread, a coroutine per connection (Boost.Asio, Beast's
// parser), limits before buffers, drain on stop. The headers of Boost stay in http.cpp,
// client_connection.h and http_problem.h. What a request means is in api.h and the ModelApi. Called
// by cli/verbs/serve and the last stage of a run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/log.h"
#include "serve/config.h"
#include "serve/metrics.h"
#include "serve/route.h"

namespace ingot::serve {

class Server {
 public:
  /// Binds at once, so that port() is known. The model and the metrics must outlive the server;
  /// the model's engine writes the same metrics. The logger is told of the drain and of every
  /// failure with its reason, never of keys, prompts or texts. Throws kInvalidArgument
  /// (check_config), kIo (address in use: names it; no descriptors left), kOutOfMemory (no thread).
  Server(const ServeConfig& config, ModelApi& model, Metrics& metrics, Logger logger = {});
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

/// Runs a server on a thread of its own until the end of a scope: however that is left, by an
/// exception too, the server is then drained and waited for.
class ServerThread {
 public:
  /// `server` must outlive it.
  explicit ServerThread(Server& server);

 private:
  std::jthread thread_;
};

}  // namespace ingot::serve
