// SPDX-License-Identifier: Apache-2.0
// What each request means, without sockets: who may ask (Host, Origin, key) and which row of the
// route table it is. The table joins what every server answers with the rows of the served model.
// Everything but the open rows needs the key where one is set; what is not in the table does not
// exist. Called by connection on the I/O thread; answer() also on the thread for long bodies.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serve/config.h"
#include "serve/identifiers.h"
#include "serve/metrics.h"
#include "serve/route.h"

namespace ingot::serve {

/// A request that may be answered.
struct Admitted {
  const Route* route = nullptr;
  std::vector<std::string> names;  ///< see Call
};

class Api {
 public:
  /// Model and metrics must outlive it.
  Api(const ServeConfig& config, ModelApi& model, Metrics& metrics);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Decides on the header alone, before a body is read: the route, or the refusal.
  [[nodiscard]] std::variant<Admitted, Reply> admit(const RequestHead& head) const;
  [[nodiscard]] Outcome answer(const Route& route, Call call) const;
  [[nodiscard]] Reply error_reply(const ApiError& error) const { return model_.error_reply(error); }
  [[nodiscard]] std::string error_body(const ApiError& error) const {
    return model_.error_body(error);
  }

  /// Requests for the model get 503 from here on, the routes of readiness too.
  void start_draining() { draining_ = true; }
  /// A new "req_…" for the x-request-id header.
  [[nodiscard]] std::string next_request_id() { return identifiers_.next("req_"); }
  [[nodiscard]] int retry_after_s() const { return metrics_.retry_after_s(config_.max_batch); }
  /// The x-ratelimit-* lines of a response, in requests: the seats of the queue; for a client with
  /// too many connections those instead.
  [[nodiscard]] std::string limit_lines(bool is_surplus) const;

 private:
  void add_common_routes();
  [[nodiscard]] const Route* find_route(const RequestHead& head, std::vector<std::string>& names,
                                        std::string& allow) const;
  [[nodiscard]] bool is_local_name(std::string_view host) const;
  [[nodiscard]] bool is_foreign(const RequestHead& head) const;
  [[nodiscard]] bool has_key(const RequestHead& head) const;
  [[nodiscard]] Reply encoding_refusal(const RequestHead& head) const;

  ServeConfig config_;
  ModelApi& model_;
  Metrics& metrics_;
  std::vector<Route> routes_;
  std::string key_digest_;  // empty: no key wanted
  std::vector<std::string> allowed_hosts_;
  Identifiers identifiers_;
  std::atomic<bool> draining_{false};
};

}  // namespace ingot::serve
