// SPDX-License-Identifier: Apache-2.0
// GET over HTTP and HTTPS (Boost.Beast and OpenSSL; docs/decisions): redirects, byte ranges, a
// proxy, certificates checked against the system's. Nothing is sent but the request itself: no
// cookies, no credentials. The only place of the program that goes out to the network; called by
// io/download.cpp, which the command line calls for `ingot data get` alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/signals.h"

namespace ingot::io {

struct HttpOptions {
  std::string proxy;      ///< "http://host:port"; empty: none
  double timeout_s = 60;  ///< without a byte
  const StopFlag* stop = nullptr;
};

/// What the server said before the bytes.
struct HttpHead {
  int64_t first = 0;   ///< the bytes begin here: `from`, or 0 when the server knows no ranges
  int64_t total = -1;  ///< of the whole file; -1: not said
};

/// Asks for the bytes of `url` from `from` on. `head` is called once, then `bytes` with one piece
/// after the other. Follows five redirects, never from https to http. Throws kNotFound for 404 and
/// 410, kInvalidArgument for an address that is none, kIo `get: "<url>": …` for all else that goes
/// wrong on the way (what came before the cut was handed to `bytes`), kCancelled.
void http_get(const std::string& url, int64_t from, const HttpOptions& options,
              const std::function<void(const HttpHead&)>& head,
              const std::function<void(std::span<const std::byte>)>& bytes);

/// Parts of an address, checked: http or https, no user name, no fragment.
struct Url {
  bool is_secure = false;
  std::string host;  ///< without brackets
  std::string port;
  std::string target;  ///< path and query, "/" at least

  /// host, and the port where it is not the usual one.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] Url parse_url(const std::string& text);

}  // namespace ingot::io
