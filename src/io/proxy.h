// SPDX-License-Identifier: Apache-2.0
// Which proxy the environment names for an address, as curl and its kin read it. Pure: the
// variables are handed in. Called by `ingot data get`.
#pragma once

#include <functional>
#include <string>

namespace ingot::io {

/// A variable's value, or nullptr; std::getenv in the program.
using Environment = std::function<const char*(const char* name)>;

/// https_proxy, HTTPS_PROXY or http_proxy (HTTP_PROXY is not read: a web server sets it from a
/// request). "" when none is named, for this machine itself (localhost, 127.*, ::1), and for hosts
/// in or below an entry of no_proxy or NO_PROXY ("example.org, .lan" or "*"). Throws as parse_url.
[[nodiscard]] std::string proxy_for(const std::string& url, const Environment& get);

}  // namespace ingot::io
