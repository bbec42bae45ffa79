// SPDX-License-Identifier: Apache-2.0
// What each request means, without sockets: who may ask (Host, Origin, key), which route it is, and
// how a completion request becomes choices of the engine. Everything but /health and /ready needs
// the key where one is set; what is not in the route table does not exist.
// Called by connection on the I/O thread; complete() also on the tokenizing thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serve/config.h"
#include "serve/engine.h"
#include "serve/http.h"
#include "serve/metrics.h"
#include "serve/request.h"
#include "serve/response.h"

namespace ingot::serve {

/// The parts of a request's header that decide; views into the parser.
struct RequestHead {
  std::string_view method, target, host, origin, authorization, api_key;
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  int retry_after_s = 0;  ///< > 0: a Retry-After header
  std::string allow;      ///< for status 405
};

[[nodiscard]] Reply error_reply(const ApiError& error);

/// A completion under way.
struct Job {
  std::shared_ptr<Stream> stream;
  CompletionWriter writer;
  bool streaming = false;
  std::string ignored;  ///< names of fields that were not understood, separated by commas
};

class Api {
 public:
  Api(const ServeConfig& config, ModelInfo model, Engine& engine, Metrics& metrics);

  /// Decides on the header alone, before a body is read: the refusal, or nothing.
  [[nodiscard]] std::optional<Reply> gate(const RequestHead& head) const;
  /// After gate() passed: true for POST /v1/completions, everything else is answered by get().
  [[nodiscard]] bool is_completion(const RequestHead& head) const;
  [[nodiscard]] Reply get(const RequestHead& head) const;
  /// Parses, tokenizes, submits. `notify` as for Engine::submit.
  [[nodiscard]] std::variant<Job, Reply> complete(std::string_view body,
                                                  text::EncodeScratch& scratch,
                                                  std::function<void()> notify);

  /// New completions get 503 from here on, /ready too.
  void start_draining() { draining_ = true; }
  [[nodiscard]] bool draining() const { return draining_; }
  /// A new "req_…" for the x-request-id header.
  [[nodiscard]] std::string next_request_id();
  /// For 429: about how long until a seat in the queue is free.
  [[nodiscard]] int retry_after_s() const;
  /// The x-ratelimit-* lines of a response, in requests: the seats of the queue; for a client with
  /// too many connections those instead.
  [[nodiscard]] std::string limit_lines(bool is_surplus) const;

 private:
  struct Route;
  static const std::vector<Route>& routes();
  [[nodiscard]] static const Route* find_route(const RequestHead& head, std::string& allow);
  [[nodiscard]] bool is_local_name(std::string_view host) const;
  [[nodiscard]] bool has_key(const RequestHead& head) const;
  [[nodiscard]] std::string next_id(std::string_view prefix);
  [[nodiscard]] Reply health(std::string_view path) const;
  [[nodiscard]] Reply ready(std::string_view path) const;
  [[nodiscard]] Reply list_models(std::string_view path) const;
  [[nodiscard]] Reply show_model(std::string_view path) const;
  [[nodiscard]] Reply show_metrics(std::string_view path) const;
  [[nodiscard]] std::string model_json() const;
  [[nodiscard]] std::variant<Job, Reply> submit(const CompletionRequest& request,
                                                text::EncodeScratch& scratch,
                                                std::function<void()> notify);
  [[nodiscard]] std::optional<ApiError> tokenize(const Prompt& prompt, text::EncodeScratch& scratch,
                                                 std::vector<int32_t>& ids) const;
  [[nodiscard]] std::optional<ApiError> size_up(const CompletionRequest& request, int64_t prompt,
                                                int64_t& max_tokens) const;
  [[nodiscard]] std::optional<ApiError> bound_result(const CompletionRequest& request,
                                                     const std::vector<Choice>& choices) const;

  ServeConfig config_;
  ModelInfo model_;
  Engine& engine_;
  Metrics& metrics_;
  RequestLimits limits_;
  std::string key_digest_;  // empty: no key wanted
  std::vector<std::string> allowed_hosts_;
  int64_t longest_token_ = 1;  // bytes
  uint64_t salt_;              // of identifiers and of seeds nobody chose
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> draining_{false};
};

}  // namespace ingot::serve
