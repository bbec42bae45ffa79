// SPDX-License-Identifier: Apache-2.0
// Checks of the server's configuration, and the key's file. Messages never quote the key.
#include "serve/config.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot::serve {

bool is_loopback_host(const std::string& host) {
  const bool dotted = std::all_of(host.begin(), host.end(),
                                  [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host == "localhost" || host == "::1" || (dotted && host.starts_with("127."));
}

void load_api_key(ServeConfig& config) {
  if (config.api_key_file.empty()) return;
  constexpr int64_t kMaxFileBytes = 4096;
  const std::string content = read_file(config.api_key_file, kMaxFileBytes);
  const std::string_view key = trim(std::string_view(content).substr(0, content.find('\n')));
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  require(!key.empty() && visible, Code::kInvalidArgument,
          "serve: the first line of api_key_file \"{}\" must be a key of visible ASCII characters, "
          "but it {}",
          config.api_key_file, key.empty() ? "is empty" : "holds others");
  config.api_key = key;
}

void check_config(const ServeConfig& config) {
  require(is_loopback_host(config.host) || !config.api_key.empty(), Code::kInvalidArgument,
          "serve: host {} can be reached by others, so a key is needed: set serve.api_key_file, or "
          "keep "
          "host=127.0.0.1",
          config.host);
  require(config.port >= 0 && config.port <= 65535, Code::kInvalidArgument,
          "serve: port is {} but must be between 0 and 65535", config.port);
  require(!config.model_name.empty(), Code::kInvalidArgument, "serve: model_name is empty");
  const auto at_least = [](const char* key, auto value, auto low) {
    require(value >= low, Code::kInvalidArgument, "serve: {} is {} but must be at least {}", key,
            value, low);
  };
  at_least("max_batch", config.max_batch, 1);
  at_least("queue", config.queue, 1);
  at_least("kv_mib", config.kv_mib, 1);
  at_least("step_rows", config.step_rows, 0);
  at_least("max_choices", config.max_choices, 1);
  at_least("max_body_bytes", config.max_body_bytes, 1);
  at_least("max_header_bytes", config.max_header_bytes, 256);
  at_least("max_connections", config.max_connections, 1);
  at_least("per_ip", config.per_ip, 1);
  at_least("stream_bytes", config.stream_bytes, 1024);
  constexpr double kShortest = 0.001;
  at_least("header_timeout_s", config.header_timeout_s, kShortest);
  at_least("body_timeout_s", config.body_timeout_s, kShortest);
  at_least("idle_timeout_s", config.idle_timeout_s, kShortest);
  at_least("write_stall_s", config.write_stall_s, kShortest);
  at_least("ping_s", config.ping_s, kShortest);
  at_least("max_delay_s", config.max_delay_s, 0.0);
  at_least("drain_delay_s", config.drain_delay_s, 0.0);
  at_least("drain_timeout_s", config.drain_timeout_s, 0.0);
}

}  // namespace ingot::serve
