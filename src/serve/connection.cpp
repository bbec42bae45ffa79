// SPDX-License-Identifier: Apache-2.0
// The coroutine of a connection. Two rules keep it simple: one timer holds the deadline of whatever
// is being waited for and cancels the socket when it passes; one bell (news_) is rung by the
// engine, by the watcher that notices a client going away, and by the server. Each co_await stands
// alone in its statement, which GCC 12 needs for correct lifetimes. See connection.h.
#include "serve/connection.h"

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
constexpr size_t kInlineBody = 32 << 10;   // larger bodies are tokenized on their own thread
constexpr size_t kLingerBytes = 16 << 20;  // read and dropped after a refusal
constexpr double kLingerSeconds = 2.0;
constexpr double kRefusedSeconds = 2.0;  // a refused client gets little time

ApiError request_error(int status, std::string message, std::string code = "") {
  return ApiError{status, "invalid_request_error", std::move(message), "", std::move(code), 0};
}

ApiError stopping_error() {
  return ApiError{503, "server_error",        "The server is shutting down.",
                  "",  "service_unavailable", 5};
}

std::string framed(std::string_view data, bool chunked) {
  if (!chunked) return std::string(data);
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

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
    leave_stream();
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
      self->leave_stream();
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
    if (!stream_) {
      cancel_socket();
      return false;
    }
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

  void leave_stream() {
    if (!stream_) return;
    stream_->detach();
    stream_->cancel();
    stream_ = nullptr;
  }

  net::awaitable<bool> serve_one();
  net::awaitable<bool> read_start();
  net::awaitable<bool> answer(Parser& parser);
  net::awaitable<bool> complete(const Parser& parser);
  net::awaitable<std::variant<Job, Reply>> submit(const std::string& body);
  net::awaitable<bool> send_stream(CompletionWriter& writer);
  net::awaitable<bool> send_whole(CompletionWriter& writer);
  net::awaitable<bool> refuse(const ApiError& error);
  net::awaitable<void> fail(const std::string& reason);
  net::awaitable<bool> reply(const Reply& reply);
  net::awaitable<bool> write(std::string text);
  net::awaitable<void> linger();
  net::awaitable<void> stop_watching();
  static net::awaitable<void> watch(std::shared_ptr<Connection> self);
  std::optional<ApiError> header_problem(error_code problem) const;
  std::string head_lines(int status, std::string_view content_type);

  Shared& shared_;
  tcp::socket socket_;
  net::steady_timer deadline_;
  net::steady_timer news_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<Stream> stream_;  // of the completion under way
  std::string ip_;
  const bool refused_;
  uint64_t generation_ = 0;  // of the deadline
  bool timed_out_ = false;
  bool rung_ = false;
  bool first_ = true;       // no request served yet
  bool idle_ = false;       // waiting for a request's first byte
  bool closing_ = false;    // the server drains
  bool cut_off_ = false;    // the server's patience has ended
  bool keep_alive_ = true;  // of the present request
  bool http_1_0_ = false;
  bool is_head_ = false;
  bool is_completion_ = false;
  bool head_sent_ = false;                         // of the answer to the present request
  std::string ignored_;                            // fields of the present request
  std::chrono::steady_clock::time_point arrived_;  // of the present request's header
  bool watching_ = false;
  bool gone_ = false;  // the client has closed
};

/// One request and its answer; false: close.
net::awaitable<bool> Connection::serve_one() {
  keep_alive_ = false;
  http_1_0_ = false;
  is_head_ = false;
  is_completion_ = false;
  head_sent_ = false;
  ignored_.clear();
  const bool started = co_await read_start();
  if (!started) co_return false;
  arm(refused_ ? kRefusedSeconds : config().header_timeout_s);
  Parser parser;
  parser.header_limit(static_cast<uint32_t>(config().max_header_bytes));
  parser.body_limit(static_cast<uint64_t>(config().max_body_bytes));
  const auto [problem, size] = co_await http::async_read_header(socket_, buffer_, parser, kResult);
  if (problem) {
    const auto error = header_problem(problem);
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

std::optional<ApiError> Connection::header_problem(error_code problem) const {
  if (timed_out_) {
    return request_error(408, "The request did not arrive in time.", "request_timeout");
  }
  if (problem == http::error::header_limit || problem == http::error::buffer_overflow) {
    return request_error(
        431,
        fmt::format("The request's header is larger than {} bytes.", config().max_header_bytes),
        "header_too_large");
  }
  if (problem == http::error::body_limit) {
    return request_error(
        413, fmt::format("The request's body is larger than {} bytes.", config().max_body_bytes),
        "request_too_large");
  }
  const bool malformed = problem.category() == make_error_code(http::error::bad_method).category();
  if (!malformed || problem == http::error::end_of_stream ||
      problem == http::error::partial_message) {
    return std::nullopt;  // the client has gone
  }
  return request_error(400, fmt::format("The request is not valid HTTP: {}.", problem.message()),
                       "bad_http");
}

net::awaitable<bool> Connection::answer(Parser& parser) {
  const auto& request = parser.get();
  arrived_ = std::chrono::steady_clock::now();
  http_1_0_ = request.version() < 11;
  is_head_ = request.method() == http::verb::head;
  const bool wants_close = !request.keep_alive();
  const auto field = [&](auto name) { return std::string_view(request[name]); };
  const RequestHead head{request.method_string(),           request.target(),
                         field(http::field::host),          field(http::field::origin),
                         field(http::field::authorization), field("x-api-key")};
  std::optional<Reply> refusal;
  if (refused_) {
    refusal =
        error_reply(ApiError{429, "rate_limit_error", "Too many connections from your address.", "",
                             "rate_limit_exceeded", shared_.api.retry_after_s()});
  } else if (head.host.empty() && !http_1_0_) {
    refusal = error_reply(request_error(400, "The request has no Host header.", "bad_http"));
  } else {
    refusal = shared_.api.gate(head);
  }
  if (refusal) {
    keep_alive_ = parser.is_done() && !refused_ && !wants_close;
    const bool sent = co_await reply(*refusal);
    if (sent && !keep_alive_) co_await linger();
    co_return sent&& keep_alive_;
  }
  arm(config().body_timeout_s);
  if (!parser.is_done()) {
    if (field(http::field::expect) == "100-continue") {
      const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent) co_return false;
      arm(config().body_timeout_s);
    }
    const auto [problem, size] = co_await http::async_read(socket_, buffer_, parser, kResult);
    if (problem) {
      const auto error = header_problem(problem);
      if (!error) co_return false;
      const bool refused = co_await refuse(*error);
      co_return refused;
    }
  }
  keep_alive_ = !wants_close && !closing_;
  bool sent = false;
  is_completion_ = shared_.api.is_completion(head);
  if (is_completion_) {
    sent = co_await complete(parser);
  } else {
    const Reply result = shared_.api.get(head);
    sent = co_await reply(result);
  }
  co_return sent&& keep_alive_ && !closing_;
}

net::awaitable<bool> Connection::complete(const Parser& parser) {
  disarm();
  std::variant<Job, Reply> result = co_await submit(parser.get().body());
  if (const auto* refusal = std::get_if<Reply>(&result)) {
    const bool sent = co_await reply(*refusal);
    co_return sent;
  }
  Job& job = std::get<Job>(result);
  stream_ = job.stream;
  ignored_ = std::move(job.ignored);
  gone_ = false;
  watching_ = true;
  net::co_spawn(shared_.io, watch(shared_from_this()), net::detached);
  bool sent = false;
  if (job.streaming) {
    sent = co_await send_stream(job.writer);
  } else {
    sent = co_await send_whole(job.writer);
  }
  if (gone_ && !job.writer.done()) ++shared_.metrics.disconnects;
  leave_stream();
  co_await stop_watching();
  co_return sent && !gone_;
}

net::awaitable<std::variant<Job, Reply>> Connection::submit(const std::string& body) {
  auto notify = [&io = shared_.io, weak = weak_from_this()] {
    net::post(io, [weak] {
      if (const auto self = weak.lock()) self->ring();
    });
  };
  if (body.size() <= kInlineBody) co_return shared_.api.complete(body, shared_.scratch, notify);
  std::optional<std::variant<Job, Reply>> result;
  const auto work = [&]() -> net::awaitable<void> {
    result = shared_.api.complete(body, shared_.pool_scratch, notify);
    co_return;
  };
  co_await net::co_spawn(shared_.tokenizing, work(), net::use_awaitable);
  co_return std::move(*result);
}

/// Server-sent events, one write per batch of news.
net::awaitable<bool> Connection::send_stream(CompletionWriter& writer) {
  const bool chunked = !http_1_0_;
  if (!chunked) keep_alive_ = false;
  std::string out = head_lines(200, "text/event-stream; charset=utf-8");
  out += "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
  out += chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
  ++shared_.metrics.responses[200];
  while (true) {
    std::string data;
    const std::vector<Event> events = stream_->drain();
    for (const Event& event : events) data += writer.chunks(event);
    const bool cut = cut_off_ && !writer.done();
    if (cut) data += "data: " + error_json(stopping_error()) + "\n\n";
    const bool over = cut || writer.done();
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

net::awaitable<bool> Connection::send_whole(CompletionWriter& writer) {
  while (!writer.done() && !gone_ && !cut_off_) {
    for (Event& event : stream_->drain()) writer.collect(std::move(event));
    if (!writer.done()) co_await wait_news(config().ping_s);
  }
  if (gone_) co_return false;
  Reply result;
  if (!writer.done()) {
    result = error_reply(stopping_error());
  } else if (writer.failed()) {
    result = error_reply(writer.error());
  } else {
    result.body = writer.body();
  }
  const bool sent = co_await reply(result);
  co_return sent;
}

/// Reads on while an answer is made, so that a closing client is noticed at once.
net::awaitable<void> Connection::watch(std::shared_ptr<Connection> self) {
  while (self->stream_ && self->buffer_.size() < kReadAhead) {
    const auto [problem, size] =
        co_await self->socket_.async_read_some(self->buffer_.prepare(4096), kResult);
    if (!problem) {
      self->buffer_.commit(size);
      continue;
    }
    self->gone_ = self->stream_ != nullptr;
    if (self->stream_) self->stream_->cancel();
    break;
  }
  self->watching_ = false;
  self->ring();
}

net::awaitable<void> Connection::stop_watching() {
  constexpr double kLong = 3600.0;
  cancel_socket();
  while (watching_) co_await wait_news(kLong);
  rung_ = false;
}

/// Answers what could not be read and closes.
net::awaitable<bool> Connection::refuse(const ApiError& error) {
  keep_alive_ = false;
  const Reply refusal = error_reply(error);
  const bool sent = co_await reply(refusal);
  if (sent) co_await linger();
  co_return false;
}

/// The reason is for the log; the client learns that it was not its fault.
net::awaitable<void> Connection::fail(const std::string& reason) {
  shared_.logger.error("serve: a request failed: {}", reason);
  leave_stream();
  try {
    co_await stop_watching();
    if (head_sent_) co_return;
    const ApiError error{
        500, "server_error", "The server had an error while processing your request.", "", "", 0};
    co_await refuse(error);
  } catch (const std::exception& again) {
    shared_.logger.error("serve: the failure could not be answered: {}", again.what());
  }
}

std::string Connection::head_lines(int status, std::string_view content_type) {
  head_sent_ = true;
  const std::string_view reason = http::obsolete_reason(static_cast<http::status>(status));
  std::string out = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: ingot\r\nContent-Type: {}\r\nx-request-id: {}\r\n"
      "Connection: {}\r\n",
      status, reason, content_type, shared_.api.next_request_id(),
      keep_alive_ && !closing_ ? "keep-alive" : "close");
  if (is_completion_ || refused_) out += shared_.api.limit_lines(refused_);
  if (is_completion_) {
    const auto spent = std::chrono::steady_clock::now() - arrived_;
    fmt::format_to(std::back_inserter(out), "openai-processing-ms: {}\r\n",
                   std::chrono::duration_cast<std::chrono::milliseconds>(spent).count());
  }
  if (!ignored_.empty()) out += "x-ingot-ignored-fields: " + ignored_ + "\r\n";
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
  out += "\r\n";
  if (!is_head_) out += reply.body;
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
      if (timed_out_ && stream_) ++shared_.metrics.slow_clients;
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
