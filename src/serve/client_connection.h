// SPDX-License-Identifier: Apache-2.0
// The coroutine of a connection as a class. Two rules keep it simple: one timer holds the deadline
// of whatever is being waited for and cancels the socket when it passes; one bell (news_) is rung
// by the engine, by the watcher that notices a client going away, and by the server. Each co_await
// stands alone in its statement, which GCC 12 needs for correct lifetimes. Its life is in
// connection.cpp; reading, answering, writing and watching the client are in connection_*.cpp.
// Internal to them: others know connection.h.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
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

#include "serve/connection.h"

namespace ingot::serve {

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
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  /// Enters and leaves the server's books.
  Connection(Shared& shared, boost::asio::ip::tcp::socket socket, std::string ip, bool refused);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// All requests of the client, until either side closes.
  static awaitable<void> run(std::shared_ptr<Connection> self);

  void finish() override;
  bool cut_off() override;

 private:
  /// What every operation is awaited with: it gives its error, it does not throw.
  static constexpr auto kResult = boost::asio::as_tuple(boost::asio::use_awaitable);
  static constexpr size_t kReadAhead = 64 << 10;  // bytes of further requests kept meanwhile

  const ServeConfig& config() const { return shared_.config; }

  // connection.cpp: the timer, the bell, one request after the other.
  void cancel_socket();
  /// From now on, socket operations end with an error after so many seconds.
  void arm(double seconds);
  void disarm();
  void ring();
  /// Until rung; false when `seconds` have passed without.
  awaitable<bool> wait_news(double seconds);
  /// One request and its answer; false: close.
  awaitable<bool> serve_one();
  /// The reason is for the log; the client learns that it was not its fault.
  awaitable<void> fail(const std::string& reason);

  // connection_read.cpp. False: the connection ends, with what went wrong told where it can be.
  /// Waits for the first byte of a request.
  awaitable<bool> read_start();
  awaitable<bool> read_head(Parser& parser);
  awaitable<bool> read_body(Parser& parser);
  awaitable<void> tell_problem(boost::system::error_code problem);

  // connection_answer.cpp: what the API makes of a request, at once or as a job.
  awaitable<bool> answer(Parser& parser);
  awaitable<Outcome> hand_over(const Admitted& admitted, const RequestHead& head,
                               std::string_view body);
  awaitable<bool> await_job();
  /// Server-sent events, one write per batch of news.
  awaitable<bool> send_stream();
  awaitable<bool> send_whole();

  // connection_write.cpp: bytes on their way to the client.
  std::string head_lines(int status, std::string_view content_type);
  awaitable<bool> reply(const Reply& reply);
  /// Answers what could not be read and closes.
  awaitable<bool> refuse(const ApiError& error);
  /// Every piece that the client takes renews its time.
  awaitable<bool> write(std::string text);
  /// Closing over unread bytes would reset the connection and may destroy the answer on its way.
  awaitable<void> linger();

  // connection_watch.cpp: is the client still there?
  void start_watching();
  awaitable<void> stop_watching();
  /// Reads on while an answer is made, so that a closing client is noticed at once.
  static awaitable<void> watch(std::shared_ptr<Connection> self);

  Shared& shared_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer news_;
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

}  // namespace ingot::serve
