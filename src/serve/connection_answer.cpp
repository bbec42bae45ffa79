// SPDX-License-Identifier: Apache-2.0
// What becomes of a request that was read: the API answers at once, or with a job whose text is
// streamed or sent whole. Long bodies are read on a thread of their own.
#include <chrono>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "serve/client_connection.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;

constexpr size_t kInlineBody = 32 << 10;  // larger bodies are read on their own thread

std::string framed(std::string_view data, bool chunked) {
  if (!chunked) return std::string(data);
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

}  // namespace

net::awaitable<bool> Connection::answer(Parser& parser) {
  const auto& request = parser.get();
  now_.arrived = std::chrono::steady_clock::now();
  now_.http_1_0 = request.version() < 11;
  now_.is_head = request.method() == http::verb::head;
  const bool wants_close = !request.keep_alive();
  const auto field = [&](auto name) { return std::string_view(request[name]); };
  const Target target = split_target(request.target());
  const RequestHead head{request.method_string(),
                         target.path,
                         target.authority.empty() ? field(http::field::host) : target.authority,
                         field(http::field::origin),
                         field(http::field::authorization),
                         field("x-api-key"),
                         field("inference-header-content-length"),
                         field(http::field::content_encoding)};
  std::variant<Admitted, Reply> entry;
  if (refused_) {
    entry = shared_.api.error_reply(ApiError{429, "rate_limit_error",
                                             "Too many connections from your address.", "",
                                             "rate_limit_exceeded", shared_.api.retry_after_s()});
  } else if (field(http::field::host).empty() && !now_.http_1_0) {
    entry =
        shared_.api.error_reply(request_error(400, "The request has no Host header.", "bad_http"));
  } else if (request.count(http::field::host) > 1) {
    entry = shared_.api.error_reply(
        request_error(400, "The request has more than one Host header.", "bad_http"));
  } else {
    entry = shared_.api.admit(head);
  }
  if (const auto* refusal = std::get_if<Reply>(&entry)) {
    now_.keep_alive = parser.is_done() && !refused_ && !wants_close;
    const bool sent = co_await reply(*refusal);
    if (sent && !now_.keep_alive) co_await linger();
    co_return sent&& now_.keep_alive;
  }
  const bool has_body = co_await read_body(parser);
  if (!has_body) co_return false;
  now_.keep_alive = !wants_close && !closing_;
  const auto& admitted = std::get<Admitted>(entry);
  now_.is_queued = admitted.route->is_queued;
  Outcome outcome = co_await hand_over(admitted, head, request.body());
  bool sent = false;
  if (const auto* result = std::get_if<Reply>(&outcome)) {
    co_await stop_watching();
    if (!gone_) sent = co_await reply(*result);
  } else {
    job_ = std::move(std::get<std::unique_ptr<Job>>(outcome));
    sent = co_await await_job();
  }
  co_return sent&& now_.keep_alive && !closing_;
}

net::awaitable<Outcome> Connection::hand_over(const Admitted& admitted, const RequestHead& head,
                                              std::string_view body) {
  disarm();
  working_ = true;
  gone_ = false;
  abandoned_ = false;
  const auto notify = [&io = shared_.io, weak = weak_from_this()] {
    net::post(io, [weak] {
      if (const auto self = weak.lock()) self->ring();
    });
  };
  Call call{head, admitted.names, body, 0, notify, &abandoned_};
  const Route& route = *admitted.route;
  if (body.size() <= kInlineBody && !route.is_slow) {
    co_return shared_.api.answer(route, std::move(call));
  }
  start_watching();
  Outcome outcome = shared_.api.error_reply(stopping_error());
  const auto work = [&]() -> net::awaitable<void> {
    call.lane = 1;
    if (!abandoned_) outcome = shared_.api.answer(route, std::move(call));
    co_return;
  };
  co_await net::co_spawn(shared_.reading, work(), net::use_awaitable);
  co_return std::move(outcome);
}

net::awaitable<bool> Connection::await_job() {
  start_watching();
  bool sent = false;
  if (job_->is_stream) {
    sent = co_await send_stream();
  } else {
    sent = co_await send_whole();
  }
  job_.reset();
  co_await stop_watching();
  co_return sent && !gone_;
}

net::awaitable<bool> Connection::send_stream() {
  const bool chunked = !now_.http_1_0;
  if (!chunked) now_.keep_alive = false;
  std::string out = head_lines(200, "text/event-stream; charset=utf-8");
  out += "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
  out += chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
  ++shared_.metrics.responses[200];
  while (true) {
    std::string data = job_->take();
    const bool cut = cut_off_ && !job_->done();
    if (cut) data += job_->last_words(stopping_error());
    const bool over = cut || job_->done();
    if (!data.empty()) out += framed(data, chunked);
    if (over && chunked) out += "0\r\n\r\n";
    if (!out.empty()) {
      const bool sent = co_await write(std::exchange(out, {}));
      if (!sent) co_return false;
    }
    if (over) co_return true;
    if (gone_) co_return false;
    const bool rung = co_await wait_news(config().ping_s);
    if (!rung) out = framed(": ping\n\n", chunked);
  }
}

net::awaitable<bool> Connection::send_whole() {
  while (!job_->done() && !gone_ && !cut_off_) {
    static_cast<void>(job_->take());
    if (!job_->done()) co_await wait_news(config().ping_s);
  }
  if (gone_) co_return false;
  const Reply result = job_->done() ? job_->reply() : shared_.api.error_reply(stopping_error());
  const bool sent = co_await reply(result);
  co_return sent;
}

}  // namespace ingot::serve
