// SPDX-License-Identifier: Apache-2.0
// Everything a user can set about the server, with safe defaults (docs/serving.md lists them).
// Read by cli/verbs/serve, by Server and Engine. The key is a secret: nothing prints it.
#pragma once

#include <cstdint>
#include <string>

namespace ingot::serve {

struct ServeConfig {
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  std::string api_key;  ///< not visited on purpose: recipes, help and run directories never hold it
  std::string api_key_file;
  std::string model_name = "ingot";
  std::string allowed_hosts;
  int64_t max_batch = 32;
  int64_t queue = 256;
  double max_delay_s = 0.0;
  int64_t kv_mib = 512;
  int64_t step_rows = 0;
  int64_t max_choices = 128;
  int64_t max_body_bytes = 2 << 20;
  int64_t max_pixels = 16 << 20;
  int64_t max_header_bytes = 16 << 10;
  int64_t max_connections = 1024;
  int64_t per_ip = 64;
  int64_t stream_bytes = 64 << 10;
  double header_timeout_s = 10.0;
  double body_timeout_s = 30.0;
  double idle_timeout_s = 75.0;
  double write_stall_s = 20.0;
  double ping_s = 15.0;
  double drain_delay_s = 0.0;
  double drain_timeout_s = 30.0;
  bool strict = false;

  void visit(auto& field) {
    field("host", host, "address to listen on; others than loopback need a key");
    field("port", port, "TCP port, 0 takes a free one");
    field("api_key_file", api_key_file,
          "its first line is the key that clients must send; empty: open (loopback only)");
    field("model_name", model_name, "the model's id in the API");
    field("allowed_hosts", allowed_hosts,
          "further Host and Origin names accepted on loopback, separated by commas");
    field("max_batch", max_batch, "completions, or examples of a network, running at once");
    field("queue", queue, "completions or examples waiting; more get status 429");
    field("max_delay_s", max_delay_s,
          "networks: seconds that a batch which is not full waits for more examples");
    field("kv_mib", kv_mib,
          "memory for the KV cache, MiB; at most what max_batch texts need is taken, all of it at "
          "start; under memory= at most a quarter of what the weights leave, or one full text");
    field("step_rows", step_rows, "tokens per engine step, 0 takes the model's largest");
    field("max_choices", max_choices, "prompts times n in one request");
    field("max_body_bytes", max_body_bytes, "larger bodies get status 413");
    field("max_pixels", max_pixels,
          "networks: pixels of all pictures in one request; more get status 400, none is decoded");
    field("max_header_bytes", max_header_bytes, "larger headers get status 431");
    field("max_connections", max_connections, "connections held at once");
    field("per_ip", per_ip,
          "connections served at once per client address (a proxy is one); more get status 429");
    field("stream_bytes", stream_bytes,
          "bytes a client may leave unread per request before its completions pause");
    field("header_timeout_s", header_timeout_s, "seconds for a request's header");
    field("body_timeout_s", body_timeout_s, "seconds for a request's body");
    field("idle_timeout_s", idle_timeout_s, "seconds a connection may wait for its next request");
    field("write_stall_s", write_stall_s, "seconds without progress of a write");
    field("ping_s", ping_s, "a silent stream gets a comment line after so many seconds");
    field("drain_delay_s", drain_delay_s,
          "seconds that a stopping server still accepts connections and answers /ready with 503");
    field("drain_timeout_s", drain_timeout_s, "seconds that running completions get to finish");
    field("strict", strict, "refuse unknown request fields instead of ignoring them");
  }
};

/// What a recipe can have wrong, before any of its work. Throws kInvalidArgument naming the key: a
/// value out of range, a host that is none, or one beyond loopback without a key or a file of it.
/// The file is not read: it may come later than the model.
void check_settings(const ServeConfig& config);

/// The same for a server that starts now: beyond loopback the key itself is there.
void check_config(const ServeConfig& config);

/// Fills api_key from api_key_file; leaves it as it is when no file is named. Throws kNotFound,
/// kIo, kInvalidArgument (empty, or with spaces or control characters); messages never quote the
/// key.
void load_api_key(ServeConfig& config);

/// True for 127.0.0.0/8, ::1 and localhost.
[[nodiscard]] bool is_loopback_host(const std::string& host);

}  // namespace ingot::serve
