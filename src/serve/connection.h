// SPDX-License-Identifier: Apache-2.0
// One client's connection: reads requests within limits of size and time, answers or streams, and
// cancels the work when the client goes away or stops reading. A coroutine on the server's
// one I/O thread. Internal to serve: http.cpp accepts and hands over the socket.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/log.h"
#include "serve/api.h"
#include "serve/config.h"
#include "serve/metrics.h"

namespace boost::asio {
class io_context;
class thread_pool;
}  // namespace boost::asio

namespace ingot::serve {

/// What the server can do to a connection; only on the I/O thread.
class Live {
 public:
  virtual ~Live() = default;
  /// No further request: closes now if idle, else after the present answer.
  virtual void finish() = 0;
  /// Ends the present answer with an error; true when there was one to cut off.
  virtual bool cut_off() = 0;
};

/// Shared by all connections of a server; used on the I/O thread only.
struct Shared {
  const ServeConfig& config;
  Api& api;
  Metrics& metrics;
  boost::asio::io_context& io;
  boost::asio::thread_pool& reading;  ///< one thread: long bodies are read here, not on I/O's
  std::set<Live*> live;
  std::map<std::string, int64_t> per_ip;
  std::function<void()> on_gone;  ///< a connection has left `live`
  const Logger& logger;
};

/// Takes over an accepted socket, also when it throws (kIo, memory). A refused connection gets
/// status 429 for its first request.
void start_connection(Shared& shared, int socket, bool is_v6, const std::string& ip, bool refused);

}  // namespace ingot::serve
