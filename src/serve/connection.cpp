// SPDX-License-Identifier: Apache-2.0
// The coroutine of a connection. Two rules keep it simple: one timer holds the deadline of whatever
// is being waited for and cancels the socket when it passes; one bell (news_) is rung by the
// engine, by the watcher that notices a client going away, and by the server. Each co_await stands
// alone in its statement, which GCC 12 needs for correct lifetimes. See connection.h.
#include "serve/connection.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // ThreadSanitizer cannot follow fences; the mutexes
                                         // suffice
#endif
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "serve/http_problem.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;
using Parser = http::request_parser<http::string_body>;

constexpr auto kResult = net::as_tuple(net::use_awaitable);
constexpr int kSendBuffer = 128 << 10;     // bounds what the kernel keeps for a slow reader
constexpr size_t kReadAhead = 64 << 10;    // bytes of further requests kept during an answer
constexpr size_t kInlineBody = 32 << 10;   // larger bodies are read on their own thread
constexpr size_t kLingerBytes = 16 << 20;  // read and dropped after a refusal
constexpr double kLingerSeconds = 2.0;
constexpr double kRefusedSeconds = 2.0;  // a refused client gets little time

std::string framed(std::string_view data, bool chunked) {
  if (!chunked) return std::string(data);
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

/// What is known of the request being answered.
struct Present {
  bool keep_alive = false;  // the connection lives on after the answer
  bool http_1_0 = false;
  bool is_head = false;
  bool is_queued = false;                              // asks the model
  bool head_sent = false;                              // of the answer
  std::chrono::steady_clock::time_point arrived = {};  // its header
};

class Connection final : public Live, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, tcp::socket socket, std::string ip, bool refused)
      : shared_(shared),
        socket_(std::move(socket)),
        deadline_(shared.io),
        news_(shared.io),
        ip_(std::move(ip)),
        refused_(refused) {
    shared_.live.insert(this);
    ++shared_.per_ip[ip_];
    ++shared_.metrics.connections;
  }
  ~Connection() override {
    job_.reset();
    --shared_.metrics.connections;
    if (--shared_.per_ip[ip_] == 0) shared_.per_ip.erase(ip_);
    shared_.live.erase(this);
    if (shared_.on_gone) shared_.on_gone();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static net::awaitable<void> run(std::shared_ptr<Connection> self) {
    bool more = true;
    while (more) {
      std::optional<std::string> failure;  // memory, or a broken invariant: this client only
      try {
        more = co_await self->serve_one();
      } catch (const std::exception& error) {
        failure = error.what();
      }
      if (failure) {
        co_await self->fail(*failure);
        more = false;
      }
      self->job_.reset();
    }
    self->disarm();
    error_code ignored;
    self->socket_.shutdown(tcp::socket::shutdown_both, ignored);
    self->socket_.close(ignored);
  }

  void finish() override {
    closing_ = true;
    if (idle_) cancel_socket();
  }
  bool cut_off() override {
    closing_ = true;
    cut_off_ = true;
    if (!working_) {
      cancel_socket();
      return false;
    }
    abandoned_ = true;
    ring();
    return true;
  }

 private:
  const ServeConfig& config() const { return shared_.config; }

  void cancel_socket() {
    error_code ignored;
    socket_.cancel(ignored);
  }

  /// From now on, socket operations end with an error after so many seconds.
  void arm(double seconds) {
    timed_out_ = false;
    const uint64_t generation = ++generation_;
    deadline_.expires_after(std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)));
    deadline_.async_wait([weak = weak_from_this(), generation](error_code) {
      const auto self = weak.lock();
      if (!self || self->generation_ != generation) return;
      self->timed_out_ = true;
      self->cancel_socket();
    });
  }
  void disarm() {
    ++generation_;
    deadline_.cancel();
  }

  void ring() {
    rung_ = true;
    news_.cancel();
  }
  /// Until rung; false when `seconds` have passed without.
  net::awaitable<bool> wait_news(double seconds) {
    if (!rung_) {
      news_.expires_after(std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)));
      co_await news_.async_wait(kResult);
    }
    co_return std::exchange(rung_, false);
  }

  net::awaitable<bool> serve_one();
  net::awaitable<bool> read_start();
  net::awaitable<bool> answer(Parser& parser);
  net::awaitable<bool> read_body(Parser& parser);
  net::awaitable<Outcome> hand_over(const Admitted& admitted, const RequestHead& head,
                                    std::string_view body);
  net::awaitable<bool> await_job();
  net::awaitable<bool> send_stream();
  net::awaitable<bool> send_whole();
  net::awaitable<bool> refuse(const ApiError& error);
  net::awaitable<void> fail(const std::string& reason);
  net::awaitable<bool> reply(const Reply& reply);
  net::awaitable<bool> write(std::string text);
  net::awaitable<void> linger();
  void start_watching();
  net::awaitable<void> stop_watching();
  static net::awaitable<void> watch(std::shared_ptr<Connection> self);
  std::string head_lines(int status, std::string_view content_type);

  Shared& shared_;
  tcp::socket socket_;
  net::steady_timer deadline_;
  net::steady_timer news_;
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<Job> job_;  // under way
  std::string ip_;
  const bool refused_;
  uint64_t generation_ = 0;  // of the deadline
  bool timed_out_ = false;
  bool rung_ = false;
  bool first_ = true;     // no request served yet
  bool idle_ = false;     // waiting for a request's first byte
  bool closing_ = false;  // the server drains
  bool cut_off_ = false;  // the server's patience has ended
  Present now_;           // the request being answered
  bool working_ = false;  // from a body that is read to its answer
  bool watching_ = false;
  bool gone_ = false;                   // the client has closed
  std::atomic<bool> abandoned_{false};  // for the reading thread: nobody waits for the answer
};

/// One request and its answer; false: close.
net::awaitable<bool> Connection::serve_one() {
  now_ = {};
  const bool started = co_await read_start();
  if (!started) co_return false;
  arm(refused_ ? kRefusedSeconds : config().header_timeout_s);
  Parser parser;
  parser.header_limit(static_cast<uint32_t>(config().max_header_bytes));
  parser.body_limit(static_cast<uint64_t>(config().max_body_bytes));
  const auto [problem, size] = co_await http::async_read_header(socket_, buffer_, parser, kResult);
  if (problem) {
    const auto error = reading_error(problem, timed_out_, config());
    if (!error) co_return false;
    const bool refused = co_await refuse(*error);
    co_return refused;
  }
  const bool more = co_await answer(parser);
  co_return more;
}

/// Waits for the first byte of a request.
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

net::awaitable<bool> Connection::answer(Parser& parser) {
  const auto& request = parser.get();
  now_.arrived = std::chrono::steady_clock::now();
  now_.http_1_0 = request.version() < 11;
  now_.is_head = request.method() == http::verb::head;
  const bool wants_close = !request.keep_alive();
  const auto field = [&](auto name) { return std::string_view(request[name]); };
  const RequestHead head{request.method_string(),
                         request.target(),
                         field(http::field::host),
                         field(http::field::origin),
                         field(http::field::authorization),
                         field("x-api-key"),
                         field("inference-header-content-length")};
  std::variant<Admitted, Reply> entry;
  if (refused_) {
    entry = shared_.api.error_reply(ApiError{429, "rate_limit_error",
                                             "Too many connections from your address.", "",
                                             "rate_limit_exceeded", shared_.api.retry_after_s()});
  } else if (head.host.empty() && !now_.http_1_0) {
    entry =
        shared_.api.error_reply(request_error(400, "The request has no Host header.", "bad_http"));
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

/// False: the connection ends, with what went wrong told where it can be.
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
  const auto error = reading_error(problem, timed_out_, config());
  if (error) co_await refuse(*error);
  co_return false;
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

/// Server-sent events, one write per batch of news.
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

void Connection::start_watching() {
  if (watching_ || gone_) return;
  watching_ = true;
  net::co_spawn(shared_.io, watch(shared_from_this()), net::detached);
}

/// Reads on while an answer is made, so that a closing client is noticed at once.
net::awaitable<void> Connection::watch(std::shared_ptr<Connection> self) {
  while (self->working_ && self->buffer_.size() < kReadAhead) {
    const auto [problem, size] =
        co_await self->socket_.async_read_some(self->buffer_.prepare(4096), kResult);
    if (!problem) {
      self->buffer_.commit(size);
      continue;
    }
    if (!self->working_) break;
    self->gone_ = true;
    self->abandoned_ = true;
    if (!self->job_ || !self->job_->done()) ++self->shared_.metrics.disconnects;
    if (self->job_) self->job_->cancel();
    break;
  }
  self->watching_ = false;
  self->ring();
}

net::awaitable<void> Connection::stop_watching() {
  constexpr double kLong = 3600.0;
  working_ = false;
  if (watching_) cancel_socket();
  while (watching_) co_await wait_news(kLong);
  rung_ = false;
}

/// Answers what could not be read and closes.
net::awaitable<bool> Connection::refuse(const ApiError& error) {
  now_.keep_alive = false;
  const Reply refusal = shared_.api.error_reply(error);
  const bool sent = co_await reply(refusal);
  if (sent) co_await linger();
  co_return false;
}

/// The reason is for the log; the client learns that it was not its fault.
net::awaitable<void> Connection::fail(const std::string& reason) {
  shared_.logger.error("serve: a request failed: {}", reason);
  job_.reset();
  try {
    co_await stop_watching();
    if (now_.head_sent) co_return;
    co_await refuse(own_fault_error());
  } catch (const std::exception& again) {
    shared_.logger.error("serve: the failure could not be answered: {}", again.what());
  }
}

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
  if (job_ && !job_->ignored.empty()) {
    out += "x-ingot-ignored-fields: " + job_->ignored + "\r\n";
  }
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

/// Every piece that the client takes renews its time.
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

/// Closing over unread bytes would reset the connection and may destroy the answer on its way.
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

}  // namespace

void start_connection(Shared& shared, int socket, bool is_v6, const std::string& ip, bool refused) {
  tcp::socket adopted(shared.io);
  error_code problem, ignored;
  adopted.assign(is_v6 ? tcp::v6() : tcp::v4(), socket, problem);
  if (problem) ::close(socket);
  require(!problem, Code::kIo, "serve: cannot take a connection: {}", problem.message());
  adopted.set_option(tcp::no_delay(true), ignored);
  adopted.set_option(net::socket_base::send_buffer_size(kSendBuffer), ignored);
  auto connection = std::make_shared<Connection>(shared, std::move(adopted), ip, refused);
  net::co_spawn(shared.io, Connection::run(std::move(connection)), net::detached);
}

}  // namespace ingot::serve
