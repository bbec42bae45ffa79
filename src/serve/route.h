// SPDX-License-Identifier: Apache-2.0
// The parts that the families of requests share: a row of the route table, what a request has
// brought, and the answer, at once (Reply) or under way (Job). A family is a ModelApi: completions
// of a language model (completion_api.h), predictions of a network (predict_api.h). Api joins its
// rows with those that every server has; connection.cpp knows nothing but what is here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "serve/api_error.h"

namespace ingot::serve {

/// The parts of a request's header that decide; views into the parser.
struct RequestHead {
  std::string_view method, target, host, origin, authorization, api_key;
  std::string_view inference_header_length;  ///< set by clients that send binary tensors
  std::string_view content_encoding{};       ///< of the body; only as it is can be read
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  int retry_after_s = 0;   ///< > 0: a Retry-After header
  std::string allow;       ///< for status 405
  std::string more_lines;  ///< further lines of the header, each with its end
};

/// An answer that an engine works on. Used by one connection; its end cancels what still runs.
class Job {
 public:
  Job(bool streams, std::string ignored_fields)
      : is_stream(streams), ignored(std::move(ignored_fields)) {}
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Takes in what is new since the last call; of a stream: its bytes for the client.
  [[nodiscard]] virtual std::string take() = 0;
  /// Nothing new will come.
  [[nodiscard]] virtual bool done() const = 0;
  /// Not a stream, when done(): the whole answer, or the error in its place.
  [[nodiscard]] virtual Reply reply() const = 0;
  /// Of a stream that is cut off: what the client gets as its end.
  [[nodiscard]] virtual std::string last_words(const ApiError&) const { return {}; }
  /// The client has gone.
  virtual void cancel() = 0;

  const bool is_stream;
  const std::string ignored;  ///< names of fields that were not understood, separated by commas
};

using Outcome = std::variant<Reply, std::unique_ptr<Job>>;

/// One request on its way to its route.
struct Call {
  const RequestHead& head;
  std::vector<std::string> names;  ///< what stands for the {…} of the route's path, in order
  std::string_view body;
  size_t lane = 0;               ///< of the calling thread, < kLanes
  std::function<void()> notify;  ///< called on the engine's thread when a Job has news
  const std::atomic<bool>* abandoned = nullptr;  ///< see is_abandoned()

  /// Nobody waits for the answer any more: worth a look between two pieces of long work.
  [[nodiscard]] bool is_abandoned() const { return abandoned != nullptr && *abandoned; }
};

/// Threads that may call a route at the same time: the I/O thread, and one for long bodies and slow
/// routes.
inline constexpr size_t kLanes = 2;

struct Route {
  std::string_view method;  ///< GET answers HEAD too
  std::string_view path;    ///< {…} stands for any text that is not empty
  bool is_open = false;     ///< answered without a key
  bool is_queued = false;   ///< asks the model: refused while draining, limits and time are told
  std::function<Outcome(Call&)> answer;
  bool is_slow = false;  ///< short bodies too are read on the thread for long ones
};

/// What the API says about the served model.
struct ModelInfo {
  std::string id;
  int64_t created = 0;      ///< seconds since 1970
  std::string fingerprint;  ///< identifies weights and build; goes into system_fingerprint
  std::string entry{};      ///< "POST /v1/completions": what asks it, set by its ModelApi
};

/// The requests that a kind of model answers.
class ModelApi {
 public:
  virtual ~ModelApi() = default;
  /// The first row whose path matches decides, so special paths stand before general ones.
  /// `draining` is the server's and outlives the rows.
  [[nodiscard]] virtual std::vector<Route> routes(const std::atomic<bool>& draining) = 0;
  [[nodiscard]] virtual const ModelInfo& model() const = 0;
  [[nodiscard]] virtual std::string error_body(const ApiError& error) const = 0;

  [[nodiscard]] Reply error_reply(const ApiError& error) const;
};

/// What stands in `path` for each {…} of `pattern`, percent-decoded; nothing when they differ.
/// Literals between two {…} are looked for from the end: the first {…} may hold any text.
[[nodiscard]] std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                                 std::string_view path);

/// A target as servers know it, "/path?query", and the authority that stands before it in the form
/// that proxies are sent, "http://host/path" (RFC 9112 3.2.2).
struct Target {
  std::string_view authority;  ///< empty where the target has none: the Host header tells
  std::string_view path;       ///< with the query; "/" where there is only an authority
};
[[nodiscard]] Target split_target(std::string_view target);

/// The path of a request's target: without its query.
[[nodiscard]] std::string_view path_of(std::string_view target);

/// Names of ignored fields for a header line. They come from the client: what could end or bend the
/// line becomes '?'.
[[nodiscard]] std::string header_list(const std::vector<std::string>& names);
/// The line of the header that names such fields; empty when there are none.
[[nodiscard]] std::string ignored_line(const std::string& list);

[[nodiscard]] Reply json_reply(std::string body, int status = 200);

/// {"id":…,"object":"model",…}: a row of GET /v1/models.
[[nodiscard]] std::string model_json(const ModelInfo& model);

}  // namespace ingot::serve
