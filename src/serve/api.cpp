// SPDX-License-Identifier: Apache-2.0
// The gate and the routes that every server has. See api.h.
#include "serve/api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/hash.h"
#include "base/text.h"

namespace ingot::serve {
namespace {

/// "localhost:8080" → "localhost", "[::1]:8080" → "::1".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool is_plain(std::string_view content_encoding) {
  return content_encoding.empty() || lower_ascii(trim(content_encoding)) == "identity";
}

}  // namespace

Api::Api(const ServeConfig& config, ModelApi& model, Metrics& metrics)
    : config_(config), model_(model), metrics_(metrics) {
  if (!config.api_key.empty()) key_digest_ = sha256_hex(config.api_key);
  config_.api_key.clear();
  for (const std::string_view name : split(config.allowed_hosts, ',')) {
    if (!trim(name).empty()) allowed_hosts_.push_back(lower_ascii(trim(name)));
  }
  add_common_routes();
  for (Route& route : model.routes(draining_)) routes_.push_back(std::move(route));
}

void Api::add_common_routes() {
  const auto alive = [](Call&) { return json_reply(R"({"status":"ok"})"); };
  const auto ready = [this](Call&) {
    return draining_ ? json_reply(R"({"status":"draining"})", 503)
                     : json_reply(R"({"status":"ready"})");
  };
  const auto metrics = [this](Call&) {
    Reply reply = json_reply(metrics_.text(model_.model().id));
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply;
  };
  const auto models = [this](Call&) {
    return json_reply(
        fmt::format(R"({{"object":"list","data":[{}]}})", model_json(model_.model())));
  };
  routes_ = {{"GET", "/health", true, false, alive},
             {"GET", "/ready", true, false, ready},
             {"GET", "/metrics", false, false, metrics},
             {"GET", "/v1/models", false, false, models}};
}

/// Null where there is none; `allow` names the method when only that is wrong.
const Route* Api::find_route(const RequestHead& head, std::vector<std::string>& names,
                             std::string& allow) const {
  const std::string_view path = path_of(head.target);
  const std::string_view method = head.method == "HEAD" ? "GET" : head.method;
  for (const Route& route : routes_) {
    auto values = match_path(route.path, path);
    if (!values) continue;
    if (route.method != method) {
      allow = route.method;
      return nullptr;
    }
    names = std::move(*values);
    return &route;
  }
  return nullptr;
}

bool Api::is_local_name(std::string_view host) const {
  const std::string name = lower_ascii(without_port(host));
  return is_loopback_host(name) ||
         std::find(allowed_hosts_.begin(), allowed_hosts_.end(), name) != allowed_hosts_.end();
}

/// A page on the web may point a name of its own at 127.0.0.1; its Host and Origin give it away.
bool Api::is_foreign(const RequestHead& head) const {
  if (!is_loopback_host(config_.host)) return false;
  const std::string_view origin =
      head.origin.substr(std::min(head.origin.size(), head.origin.find("://") + 3));
  const bool foreign_origin =
      !head.origin.empty() && (!head.origin.starts_with("http") || !is_local_name(origin));
  return (!head.host.empty() && !is_local_name(head.host)) || foreign_origin;
}

/// Digests are compared, in constant time, so neither length nor content of the key shows.
bool Api::has_key(const RequestHead& head) const {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view key = head.api_key;
  if (lower_ascii(head.authorization.substr(0, kScheme.size())) == kScheme) {
    key = trim(head.authorization.substr(kScheme.size()));
  }
  const std::string digest = sha256_hex(key);
  return CRYPTO_memcmp(digest.data(), key_digest_.data(), key_digest_.size()) == 0;
}

std::variant<Admitted, Reply> Api::admit(const RequestHead& head) const {
  if (is_foreign(head)) {
    return error_reply(
        request_error(403,
                      "This server answers local names only; set serve.allowed_hosts to accept "
                      "another Host or Origin.",
                      "host_not_allowed"));
  }
  std::string allow;
  Admitted admitted;
  admitted.route = find_route(head, admitted.names, allow);
  const bool open = admitted.route != nullptr && admitted.route->is_open;
  if (!key_digest_.empty() && !open && !has_key(head)) {
    return error_reply(
        request_error(401,
                      head.authorization.empty() && head.api_key.empty()
                          ? "You didn't provide an API key. Send it as 'Authorization: "
                            "Bearer KEY' or 'x-api-key: KEY'."
                          : "Incorrect API key provided.",
                      "invalid_api_key"));
  }
  if (admitted.route != nullptr && is_plain(head.content_encoding)) return admitted;
  if (admitted.route != nullptr) return encoding_refusal(head);
  const std::string shown = fmt::format("({} {})", excerpt(head.method), excerpt(head.target, 200));
  if (allow.empty()) {
    return error_reply(request_error(404,
                                     fmt::format("Invalid URL {}. The model '{}' answers {}.",
                                                 shown, model_.model().id, model_.model().entry),
                                     "unknown_url"));
  }
  Reply reply = error_reply(request_error(
      405, fmt::format("Method not allowed {}; use {}.", shown, allow), "method_not_allowed"));
  reply.allow = allow;
  return reply;
}

/// Unpacked it could be a thousand times as long as max_body_bytes allows.
Reply Api::encoding_refusal(const RequestHead& head) const {
  Reply reply = error_reply(request_error(
      415,
      fmt::format(
          "The body has the Content-Encoding '{}', but bodies are read as they are. Send it "
          "without one.",
          excerpt(head.content_encoding)),
      "unsupported_encoding"));
  reply.more_lines = "Accept-Encoding: identity\r\n";
  return reply;
}

Outcome Api::answer(const Route& route, Call call) const {
  if (route.is_queued && draining_) return error_reply(stopping_error());
  return route.answer(call);
}

std::string Api::limit_lines(bool is_surplus) const {
  const int64_t waiting = metrics_.waiting.load();
  const int64_t limit = is_surplus ? config_.per_ip : config_.queue;
  const int64_t remaining = is_surplus ? 0 : std::max<int64_t>(0, limit - waiting);
  const int reset = remaining == limit ? 0 : retry_after_s();
  return fmt::format(
      "x-ratelimit-limit-requests: {}\r\nx-ratelimit-remaining-requests: {}\r\n"
      "x-ratelimit-reset-requests: {}s\r\n",
      limit, remaining, reset);
}

}  // namespace ingot::serve
