// SPDX-License-Identifier: Apache-2.0
// Which proxy the environment names for an address, by the variables that curl and its kin read;
// not all_proxy. Pure: the variables are handed in. Called by `ingot data get`.
#pragma once

#include <functional>
#include <string>

namespace ingot::io {

/// A variable's value, or nullptr; std::getenv in the program.
using Environment = std::function<const char*(const char* name)>;

/// https_proxy, HTTPS_PROXY or http_proxy (HTTP_PROXY is not read: a web server sets it from a
/// request); a value without a scheme, "proxy:3128", begins with http://. "" when none is named,
/// for this machine itself (localhost, 127.*, ::1), and for hosts in or below an entry of no_proxy
/// or NO_PROXY ("example.org, .lan" or "*"; an entry with a port covers nothing). A proxy that asks
/// for a user name is not supported: parse_url refuses it. Throws as parse_url, of `url`.
[[nodiscard]] std::string proxy_for(const std::string& url, const Environment& get);

}  // namespace ingot::io
