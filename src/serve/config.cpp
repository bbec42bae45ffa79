// SPDX-License-Identifier: Apache-2.0
// Checks of the server's configuration, and the key's file. Messages never quote the key.
#include "serve/config.h"

#include <algorithm>
#include <string_view>

#include <arpa/inet.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot::serve {
namespace {

/// NaN is in no range.
template <class Number>
void check_range(const char* key, Number value, Number low, Number high) {
  require(value >= low && value <= high, Code::kInvalidArgument,
          "serve.{} is {} but must be between {} and {}", key, value, low, high);
}

/// The upper bounds are far beyond use, and keep sums and products of sizes in range.
void check_sizes(const ServeConfig& config) {
  constexpr int64_t kMany = 1'000'000;
  constexpr int64_t kHuge = int64_t{1} << 40;
  check_range<int64_t>("max_batch", config.max_batch, 1, kMany);
  check_range<int64_t>("queue", config.queue, 1, kMany);
  check_range<int64_t>("kv_mib", config.kv_mib, 1, kHuge >> 20);
  check_range<int64_t>("step_rows", config.step_rows, 0, kMany);
  check_range<int64_t>("max_choices", config.max_choices, 1, kMany);
  check_range<int64_t>("max_body_bytes", config.max_body_bytes, 1, kHuge);
  check_range<int64_t>("max_pixels", config.max_pixels, 1, kHuge);
  check_range<int64_t>("max_header_bytes", config.max_header_bytes, 256, kMany);
  check_range<int64_t>("max_connections", config.max_connections, 1, kMany);
  check_range<int64_t>("per_ip", config.per_ip, 1, kMany);
  check_range<int64_t>("stream_bytes", config.stream_bytes, 1024, kHuge);
}

/// An infinite or huge time overflows a timer, which then fires at once.
void check_seconds(const ServeConfig& config) {
  constexpr double kShortest = 0.001;
  constexpr double kLongest = 1e6;  // eleven days
  check_range("header_timeout_s", config.header_timeout_s, kShortest, kLongest);
  check_range("body_timeout_s", config.body_timeout_s, kShortest, kLongest);
  check_range("idle_timeout_s", config.idle_timeout_s, kShortest, kLongest);
  check_range("write_stall_s", config.write_stall_s, kShortest, kLongest);
  check_range("ping_s", config.ping_s, kShortest, kLongest);
  check_range("max_delay_s", config.max_delay_s, 0.0, kLongest);
  check_range("drain_delay_s", config.drain_delay_s, 0.0, kLongest);
  check_range("drain_timeout_s", config.drain_timeout_s, 0.0, kLongest);
}

/// An address, or the form of a name: whether it is known shows when the server starts.
void check_host(const std::string& host) {
  const auto has_only = [&](std::string_view marks) {
    return std::all_of(host.begin(), host.end(), [&](char c) {
      return marks.find(c) != std::string_view::npos || (c >= '0' && c <= '9');
    });
  };
  unsigned char bytes[sizeof(in6_addr)];
  bool is_host = !host.empty();
  if (host.find(':') != std::string::npos) {
    is_host = inet_pton(AF_INET6, host.c_str(), bytes) == 1;
  } else if (has_only(".")) {
    is_host = inet_pton(AF_INET, host.c_str(), bytes) == 1;
  } else {
    is_host = has_only(".-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  }
  require(is_host, Code::kInvalidArgument,
          "serve.host: \"{}\" is neither an address nor a name of a machine; 127.0.0.1 is usual",
          excerpt(host));
}

void require_key(const ServeConfig& config, bool has_key) {
  require(is_loopback_host(config.host) || has_key, Code::kInvalidArgument,
          "serve.host: {} can be reached by others, so a key is needed: set "
          "serve.api_key_file=FILE, or keep serve.host=127.0.0.1",
          config.host);
}

}  // namespace

bool is_loopback_host(const std::string& host) {
  const bool dotted = std::all_of(host.begin(), host.end(),
                                  [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host == "localhost" || host == "::1" || (dotted && host.starts_with("127."));
}

void load_api_key(ServeConfig& config) {
  if (config.api_key_file.empty()) return;
  constexpr int64_t kMaxFileBytes = 4096;
  std::string content;
  try {
    content = read_file(config.api_key_file, kMaxFileBytes);
  } catch (const Error& error) {
    fail(error.code(), "serve.api_key_file: {}", error.what());
  }
  const std::string_view key = trim(std::string_view(content).substr(0, content.find('\n')));
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  require(
      !key.empty() && visible, Code::kInvalidArgument,
      "serve.api_key_file: the first line of \"{}\" must be a key of visible ASCII characters, but "
      "it {}",
      config.api_key_file, key.empty() ? "is empty" : "holds others");
  config.api_key = key;
}

void check_settings(const ServeConfig& config) {
  check_host(config.host);
  require_key(config, !config.api_key.empty() || !config.api_key_file.empty());
  check_range<int64_t>("port", config.port, 0, 65535);
  require(!config.model_name.empty(), Code::kInvalidArgument,
          "serve.model_name: empty; \"ingot\" is usual");
  check_sizes(config);
  check_seconds(config);
}

void check_config(const ServeConfig& config) {
  check_settings(config);
  require_key(config, !config.api_key.empty());
}

}  // namespace ingot::serve
