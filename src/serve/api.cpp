// SPDX-License-Identifier: Apache-2.0
// The route table and the way of a completion from JSON to the engine. See api.h.
#include "serve/api.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace ingot::serve {
namespace {

constexpr int64_t kDefaultMaxTokens = 16;  // the API's documented default

ApiError invalid(int status, std::string message, std::string param = "", std::string code = "") {
  return ApiError{status,           "invalid_request_error", std::move(message),
                  std::move(param), std::move(code),         0};
}

/// Names of fields come from the client: what could end or bend a header line becomes '?'.
std::string header_list(const std::vector<std::string>& names) {
  std::string list = join(names, ",");
  std::replace_if(
      list.begin(), list.end(), [](char c) { return c <= ' ' || c > '~'; }, '?');
  return list;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// "localhost:8080" → "localhost", "[::1]:8080" → "::1".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                       hex_digit(text[i + 2]) >= 0;
    if (!coded) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

int64_t unix_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

models::GenerateOptions options_of(const CompletionRequest& request) {
  models::GenerateOptions options;
  options.sampling.temperature = static_cast<float>(request.temperature);
  options.sampling.top_k = request.top_k;
  // 0 keeps the best token only, which any positive mass does.
  options.sampling.top_p = std::max(static_cast<float>(request.top_p), 1e-30F);
  options.sampling.repetition_penalty = static_cast<float>(request.repetition_penalty);
  options.sampling.presence_penalty = static_cast<float>(request.presence_penalty);
  options.sampling.frequency_penalty = static_cast<float>(request.frequency_penalty);
  options.sampling.logit_bias = request.logit_bias;
  options.sampling.logprobs = static_cast<int32_t>(request.logprobs.value_or(-1));
  options.stop = request.stop;
  options.ignore_eos = request.ignore_eos;
  options.echo = request.echo;
  return options;
}

}  // namespace

Reply error_reply(const ApiError& error) {
  Reply reply;
  reply.status = error.status;
  reply.body = error_json(error);
  reply.retry_after_s = error.retry_after_s;
  return reply;
}

struct Api::Route {
  std::string_view method;
  std::string_view path;                              ///< ends in '/' : a prefix
  bool open;                                          ///< answered without a key
  Reply (Api::*answer)(std::string_view path) const;  ///< null: the completion
};

const std::vector<Api::Route>& Api::routes() {
  static const std::vector<Route> kRoutes = {
      {"GET", "/health", true, &Api::health},
      {"GET", "/ready", true, &Api::ready},
      {"GET", "/metrics", false, &Api::show_metrics},
      {"GET", "/v1/models", false, &Api::list_models},
      {"GET", "/v1/models/", false, &Api::show_model},
      {"POST", "/v1/completions", false, nullptr},
  };
  return kRoutes;
}

/// Null where there is none; `allow` names the method when only that is wrong.
const Api::Route* Api::find_route(const RequestHead& head, std::string& allow) {
  const std::string_view path = path_of(head.target);
  const std::string_view method = head.method == "HEAD" ? "GET" : head.method;
  for (const Route& route : routes()) {
    const bool matches = route.path.ends_with('/')
                             ? path.starts_with(route.path) && path.size() > route.path.size()
                             : path == route.path;
    if (!matches) continue;
    if (route.method == method) return &route;
    allow = route.method;
  }
  return nullptr;
}

Api::Api(const ServeConfig& config, ModelInfo model, Engine& engine, Metrics& metrics)
    : config_(config), model_(std::move(model)), engine_(engine), metrics_(metrics) {
  limits_.max_choices = config.max_choices;
  limits_.strict = config.strict;
  if (!config.api_key.empty()) key_digest_ = sha256_hex(config.api_key);
  config_.api_key.clear();
  for (const std::string_view name : split(config.allowed_hosts, ',')) {
    if (!trim(name).empty()) allowed_hosts_.push_back(lower_ascii(trim(name)));
  }
  const text::Tokenizer& tokenizer = engine.tokenizer();
  for (int64_t id = 0; id < tokenizer.vocab_size(); ++id) {
    const auto size = tokenizer.token_bytes(static_cast<int32_t>(id)).size();
    longest_token_ = std::max(longest_token_, static_cast<int64_t>(size));
  }
  std::random_device random;
  salt_ = mix64((uint64_t{random()} << 32) | random());
}

bool Api::is_local_name(std::string_view host) const {
  const std::string name = lower_ascii(without_port(host));
  return is_loopback_host(name) ||
         std::find(allowed_hosts_.begin(), allowed_hosts_.end(), name) != allowed_hosts_.end();
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

std::optional<Reply> Api::gate(const RequestHead& head) const {
  // A page on the web may point a name of its own at 127.0.0.1; its Host and Origin give it away.
  if (is_loopback_host(config_.host)) {
    const std::string_view origin =
        head.origin.substr(std::min(head.origin.size(), head.origin.find("://") + 3));
    const bool foreign_origin =
        !head.origin.empty() && (!head.origin.starts_with("http") || !is_local_name(origin));
    if ((!head.host.empty() && !is_local_name(head.host)) || foreign_origin) {
      return error_reply(
          invalid(403,
                  "This server answers local names only; set serve.allowed_hosts to accept "
                  "another Host or Origin.",
                  "", "host_not_allowed"));
    }
  }
  std::string allow;
  const Route* route = find_route(head, allow);
  const bool open = route != nullptr && route->open;
  if (!key_digest_.empty() && !open && !has_key(head)) {
    return error_reply(invalid(401,
                               head.authorization.empty() && head.api_key.empty()
                                   ? "You didn't provide an API key. Send it as 'Authorization: "
                                     "Bearer KEY' or 'x-api-key: KEY'."
                                   : "Incorrect API key provided.",
                               "", "invalid_api_key"));
  }
  if (route != nullptr) return std::nullopt;
  const std::string shown = fmt::format("({} {})", excerpt(head.method), excerpt(head.target, 200));
  if (allow.empty()) {
    return error_reply(invalid(404, "Invalid URL " + shown, "", "unknown_url"));
  }
  Reply reply = error_reply(invalid(
      405, fmt::format("Method not allowed {}; use {}.", shown, allow), "", "method_not_allowed"));
  reply.allow = allow;
  return reply;
}

bool Api::is_completion(const RequestHead& head) const {
  std::string allow;
  const Route* route = find_route(head, allow);
  return route != nullptr && route->answer == nullptr;
}

Reply Api::get(const RequestHead& head) const {
  std::string allow;
  const Route* route = find_route(head, allow);
  INGOT_ASSERT(route != nullptr && route->answer != nullptr);
  return (this->*route->answer)(path_of(head.target));
}

Reply Api::health(std::string_view) const {
  Reply reply;
  reply.body = R"({"status":"ok"})";
  return reply;
}

Reply Api::ready(std::string_view) const {
  Reply reply;
  reply.status = draining_ ? 503 : 200;
  reply.body = draining_ ? R"({"status":"draining"})" : R"({"status":"ready"})";
  return reply;
}

Reply Api::show_metrics(std::string_view) const {
  Reply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = metrics_.text(model_.id);
  return reply;
}

std::string Api::model_json() const {
  return fmt::format(R"({{"id":{},"object":"model","created":{},"owned_by":"ingot"}})",
                     quote_json(model_.id), model_.created);
}

Reply Api::list_models(std::string_view) const {
  Reply reply;
  reply.body = fmt::format(R"({{"object":"list","data":[{}]}})", model_json());
  return reply;
}

Reply Api::show_model(std::string_view path) const {
  constexpr std::string_view kPrefix = "/v1/models/";
  const std::string id = percent_decoded(path.substr(kPrefix.size()));
  if (id != model_.id) {
    return error_reply(invalid(404, fmt::format("The model '{}' does not exist.", excerpt(id)),
                               "model", "model_not_found"));
  }
  Reply reply;
  reply.body = model_json();
  return reply;
}

std::string Api::next_id(std::string_view prefix) {
  const uint64_t count = next_++;
  return fmt::format("{}{:016x}{:08x}", prefix, mix64(salt_ + count), count & 0xFFFFFFFFU);
}

std::string Api::next_request_id() { return next_id("req_"); }

int Api::retry_after_s() const {
  constexpr double kLongest = 60.0;
  const Histogram& times = metrics_.end_to_end;
  const double mean = times.count() == 0 ? 1.0 : times.sum() / static_cast<double>(times.count());
  const double rounds = static_cast<double>(metrics_.waiting.load()) /
                        static_cast<double>(engine_.config().max_batch);
  return static_cast<int>(std::ceil(std::clamp(mean * rounds, 1.0, kLongest)));
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

std::variant<Job, Reply> Api::complete(std::string_view body, text::EncodeScratch& scratch,
                                       std::function<void()> notify) {
  if (draining_) {
    return error_reply(ApiError{503, "server_error", "The server is shutting down.", "",
                                "service_unavailable", 5});
  }
  const auto parsed = parse_completion(body, limits_);
  if (const auto* error = std::get_if<ApiError>(&parsed)) return error_reply(*error);
  const auto& request = std::get<CompletionRequest>(parsed);
  if (request.model != model_.id) {
    return error_reply(invalid(404,
                               fmt::format("The model '{}' does not exist; this server has '{}'.",
                                           excerpt(request.model), model_.id),
                               "model", "model_not_found"));
  }
  return submit(request, scratch, std::move(notify));
}

std::optional<ApiError> Api::tokenize(const Prompt& prompt, text::EncodeScratch& scratch,
                                      std::vector<int32_t>& ids) const {
  const int64_t context = engine_.spec().context;
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    // A text that cannot fit however it is cut is refused without cutting it.
    const int64_t at_least = static_cast<int64_t>(text->size()) / longest_token_;
    if (at_least > context) {
      return invalid(400,
                     fmt::format("This model's maximum context length is {} tokens, however your "
                                 "prompt has at least {}. Please reduce your prompt.",
                                 context, at_least),
                     "prompt", "context_length_exceeded");
    }
    engine_.tokenizer().encode(*text, text::Added::kPlain, scratch, ids);
  } else {
    ids = std::get<std::vector<int32_t>>(prompt);
  }
  const int64_t vocab = models::drawable_ids(engine_.spec(), engine_.tokenizer());
  for (const int32_t id : ids) {
    if (id < vocab) continue;
    return invalid(400,
                   fmt::format("'prompt' holds token {} but the vocabulary has {}.", id, vocab),
                   "prompt");
  }
  if (!ids.empty()) return std::nullopt;
  // As in training, where a document follows this token.
  const auto& tokenizer = engine_.tokenizer();
  const auto start = tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
  if (!start) return invalid(400, "'prompt' is empty.", "prompt");
  ids.push_back(*start);
  return std::nullopt;
}

std::optional<ApiError> Api::size_up(const CompletionRequest& request, int64_t prompt,
                                     int64_t& max_tokens) const {
  const int64_t context = engine_.spec().context;
  const int64_t room = context - prompt;
  max_tokens = request.max_tokens.value_or(std::min(kDefaultMaxTokens, room));
  const int64_t wanted = request.max_tokens.value_or(1);
  if (wanted <= room) return std::nullopt;
  return invalid(400,
                 fmt::format("This model's maximum context length is {} tokens, however you "
                             "requested {} tokens ({} in your prompt; {} for the completion). "
                             "Please reduce your prompt; or completion length.",
                             context, prompt + wanted, prompt, wanted),
                 prompt < context ? "max_tokens" : "prompt", "context_length_exceeded");
}

/// A request is one answer: what it may hold is bounded before anything is computed.
std::optional<ApiError> Api::bound_result(const CompletionRequest& request,
                                          const std::vector<Choice>& choices) const {
  const int64_t entries = request.logprobs.value_or(0) + 1;
  int64_t tokens = 0;
  for (const Choice& choice : choices) {
    tokens += choice.options.max_tokens;
    if (request.echo) tokens += static_cast<int64_t>(choice.prompt.size());
  }
  if (tokens * entries <= limits_.max_result) return std::nullopt;
  return invalid(
      400,
      fmt::format(
          "{} prompts times n = {} may give {} tokens with {} entries each (logprobs + 1), {} "
          "in all, but {} are allowed. Please reduce 'max_tokens', 'n' or 'logprobs', or "
          "send several requests.",
          request.prompts.size(), request.n, tokens, entries, tokens * entries, limits_.max_result),
      "max_tokens", "result_too_large");
}

std::variant<Job, Reply> Api::submit(const CompletionRequest& request, text::EncodeScratch& scratch,
                                     std::function<void()> notify) {
  const int64_t vocab = models::drawable_ids(engine_.spec(), engine_.tokenizer());
  if (!request.logit_bias.empty() && request.logit_bias.back().first >= vocab) {
    return error_reply(invalid(400,
                               fmt::format("'logit_bias' names token {} but the vocabulary has {}.",
                                           request.logit_bias.back().first, vocab),
                               "logit_bias"));
  }
  const uint64_t seed = request.seed ? *request.seed : mix64(salt_ ^ mix64(next_++));
  std::vector<Choice> choices;
  for (const Prompt& prompt : request.prompts) {
    Choice choice;
    choice.options = options_of(request);
    choice.options.sampling.seed = seed;
    auto error = tokenize(prompt, scratch, choice.prompt);
    if (!error) {
      error =
          size_up(request, static_cast<int64_t>(choice.prompt.size()), choice.options.max_tokens);
    }
    if (error) return error_reply(*error);
    for (int64_t i = 0; i < request.n; ++i) {
      choice.options.sampling.stream = static_cast<uint32_t>(i);
      choices.push_back(choice);
    }
  }
  if (const auto error = bound_result(request, choices)) return error_reply(*error);
  CompletionForm form;
  form.n = request.n;
  form.choices = static_cast<int64_t>(choices.size());
  form.stream = request.stream;
  form.include_usage = request.include_usage;
  form.logprobs = request.logprobs.value_or(-1);
  Submitted submitted = engine_.submit(std::move(choices), request.stream, std::move(notify));
  if (submitted.error == SubmitError::kStopped) {
    return error_reply(ApiError{503, "server_error", "The server is shutting down.", "",
                                "service_unavailable", 5});
  }
  if (submitted.error == SubmitError::kQueueFull) {
    return error_reply(ApiError{429, "rate_limit_error",
                                "The queue of this server is full. Please retry after a while.", "",
                                "rate_limit_exceeded", retry_after_s()});
  }
  CompletionHead head{next_id("cmpl-"), unix_seconds(), model_.id, model_.fingerprint};
  return Job{std::move(submitted.stream),
             CompletionWriter(std::move(head), form, engine_.tokenizer()), request.stream,
             header_list(request.ignored)};
}

}  // namespace ingot::serve
