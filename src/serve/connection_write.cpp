// SPDX-License-Identifier: Apache-2.0
// Answers on their way to the client: the lines of a header, whole replies, refusals, and pieces
// that it takes in its own time.
#include <chrono>
#include <iterator>

#include <fmt/format.h>

#include "serve/client_connection.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;

constexpr size_t kLingerBytes = 16 << 20;  // read and dropped after a refusal
constexpr double kLingerSeconds = 2.0;

}  // namespace

std::string Connection::head_lines(int status, std::string_view content_type) {
  now_.head_sent = true;
  const std::string_view reason = http::obsolete_reason(static_cast<http::status>(status));
  std::string out = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: ingot\r\nContent-Type: {}\r\nx-request-id: {}\r\n"
      "Connection: {}\r\n",
      status, reason, content_type, shared_.api.next_request_id(),
      now_.keep_alive && !closing_ ? "keep-alive" : "close");
  if (now_.is_queued || refused_) out += shared_.api.limit_lines(refused_);
  if (now_.is_queued) {
    const auto spent = std::chrono::steady_clock::now() - now_.arrived;
    fmt::format_to(std::back_inserter(out), "openai-processing-ms: {}\r\n",
                   std::chrono::duration_cast<std::chrono::milliseconds>(spent).count());
  }
  if (job_) out += ignored_line(job_->ignored);
  return out;
}

net::awaitable<bool> Connection::reply(const Reply& reply) {
  ++shared_.metrics.responses[static_cast<size_t>(reply.status)];
  std::string out = head_lines(reply.status, reply.content_type);
  fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", reply.body.size());
  if (reply.retry_after_s > 0) {
    fmt::format_to(std::back_inserter(out), "Retry-After: {}\r\n", reply.retry_after_s);
  }
  if (!reply.allow.empty()) out += "Allow: " + reply.allow + "\r\n";
  out += reply.more_lines;
  out += "\r\n";
  if (!now_.is_head) out += reply.body;
  const bool sent = co_await write(std::move(out));
  co_return sent;
}

net::awaitable<bool> Connection::refuse(const ApiError& error) {
  now_.keep_alive = false;
  const Reply refusal = shared_.api.error_reply(error);
  const bool sent = co_await reply(refusal);
  if (sent) co_await linger();
  co_return false;
}

net::awaitable<bool> Connection::write(std::string text) {
  size_t at = 0;
  while (at < text.size()) {
    arm(config().write_stall_s);
    const auto [problem, size] =
        co_await socket_.async_write_some(net::buffer(text.data() + at, text.size() - at), kResult);
    if (problem) {
      if (timed_out_ && job_) ++shared_.metrics.slow_clients;
      co_return false;
    }
    at += size;
  }
  disarm();
  co_return true;
}

net::awaitable<void> Connection::linger() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  arm(kLingerSeconds);
  size_t dropped = 0;
  while (dropped < kLingerBytes) {
    buffer_.clear();
    const auto [problem, size] =
        co_await socket_.async_read_some(buffer_.prepare(kReadAhead), kResult);
    if (problem) break;
    dropped += size;
  }
}

}  // namespace ingot::serve
