// SPDX-License-Identifier: Apache-2.0
#include "io/proxy.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/text.h"
#include "io/http_get.h"

namespace ingot::io {
namespace {

/// The first of the variables that is not empty.
std::string value_of(const Environment& get, std::initializer_list<const char*> names) {
  for (const char* const name : names) {
    const char* const value = get(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

bool is_this_machine(std::string_view host) {
  const bool is_v4 =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host.ends_with(".localhost") || is_v4 || host == "::1";
}

/// Whether `host` is the entry, or a name below it.
bool is_covered(std::string_view host, std::string_view entry) {
  if (entry == "*") return true;
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || !host.ends_with(entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

}  // namespace

std::string proxy_for(const std::string& url, const Environment& get) {
  const Url to = parse_url(url);
  const std::string host = lower_ascii(to.host);
  if (is_this_machine(host)) return "";
  std::string none = lower_ascii(value_of(get, {"no_proxy", "NO_PROXY"}));
  std::replace(none.begin(), none.end(), ' ', ',');
  for (const std::string_view entry : split(none, ',')) {
    if (is_covered(host, entry)) return "";
  }
  const std::string proxy =
      to.is_secure ? value_of(get, {"https_proxy", "HTTPS_PROXY"}) : value_of(get, {"http_proxy"});
  return proxy.empty() || proxy.find("://") != std::string::npos ? proxy : "http://" + proxy;
}

}  // namespace ingot::io
