// SPDX-License-Identifier: Apache-2.0
// Requests as they come in, within limits of size and time: the first byte, the header, the body.
#include <string_view>

#include "serve/client_connection.h"
#include "serve/http_problem.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;

constexpr double kRefusedSeconds = 2.0;  // a refused client gets little time

}  // namespace

net::awaitable<bool> Connection::read_start() {
  if (buffer_.size() > 0) co_return !closing_;
  arm(first_ ? config().header_timeout_s : config().idle_timeout_s);
  first_ = false;
  if (closing_) co_return false;
  idle_ = true;
  const auto [problem, size] = co_await socket_.async_read_some(buffer_.prepare(4096), kResult);
  idle_ = false;
  if (problem) co_return false;
  buffer_.commit(size);
  co_return true;
}

net::awaitable<bool> Connection::read_head(Parser& parser) {
  arm(refused_ ? kRefusedSeconds : config().header_timeout_s);
  parser.header_limit(static_cast<uint32_t>(config().max_header_bytes));
  parser.body_limit(static_cast<uint64_t>(config().max_body_bytes));
  const auto [problem, size] = co_await http::async_read_header(socket_, buffer_, parser, kResult);
  if (!problem) co_return true;
  co_await tell_problem(problem);
  co_return false;
}

net::awaitable<bool> Connection::read_body(Parser& parser) {
  arm(config().body_timeout_s);
  if (parser.is_done()) co_return true;
  if (std::string_view(parser.get()[http::field::expect]) == "100-continue") {
    const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) co_return false;
    arm(config().body_timeout_s);
  }
  const auto [problem, size] = co_await http::async_read(socket_, buffer_, parser, kResult);
  if (!problem) co_return true;
  co_await tell_problem(problem);
  co_return false;
}

net::awaitable<void> Connection::tell_problem(boost::system::error_code problem) {
  const auto error = reading_error(problem, timed_out_, config());
  if (error) co_await refuse(*error);
}

}  // namespace ingot::serve
