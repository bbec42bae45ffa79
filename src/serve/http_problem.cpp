// SPDX-License-Identifier: Apache-2.0
#include "serve/http_problem.h"

#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

namespace ingot::serve {

namespace http = boost::beast::http;

std::optional<ApiError> reading_error(boost::system::error_code problem, bool timed_out,
                                      const ServeConfig& config) {
  if (timed_out) {
    return request_error(408, "The request did not arrive in time.", "request_timeout");
  }
  if (problem == http::error::header_limit || problem == http::error::buffer_overflow) {
    return request_error(431,
                         fmt::format("The request's header is larger than {} bytes, the server's "
                                     "serve.max_header_bytes.",
                                     config.max_header_bytes),
                         "header_too_large");
  }
  if (problem == http::error::body_limit) {
    return request_error(
        413,
        fmt::format("The request's body is larger than {} bytes, the server's "
                    "serve.max_body_bytes. Send less at once, or start the server with more.",
                    config.max_body_bytes),
        "request_too_large");
  }
  const bool malformed = problem.category() == make_error_code(http::error::bad_method).category();
  if (!malformed || problem == http::error::end_of_stream ||
      problem == http::error::partial_message) {
    return std::nullopt;
  }
  return request_error(400, fmt::format("The request is not valid HTTP: {}.", problem.message()),
                       "bad_http");
}

}  // namespace ingot::serve
