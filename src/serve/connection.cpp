// SPDX-License-Identifier: Apache-2.0
// The life of a connection: its place in the server's books, one request after the other, and what
// wakes it (client_connection.h).
#include "serve/connection.h"

#include <optional>

#include <unistd.h>

#include "base/error.h"
#include "serve/client_connection.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

constexpr int kSendBuffer = 128 << 10;  // bounds what the kernel keeps for a slow reader

}  // namespace

Connection::Connection(Shared& shared, tcp::socket socket, std::string ip, bool refused)
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

Connection::~Connection() {
  job_.reset();
  --shared_.metrics.connections;
  if (--shared_.per_ip[ip_] == 0) shared_.per_ip.erase(ip_);
  shared_.live.erase(this);
  if (shared_.on_gone) shared_.on_gone();
}

net::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
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

void Connection::finish() {
  closing_ = true;
  if (idle_) cancel_socket();
}

bool Connection::cut_off() {
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

void Connection::cancel_socket() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::arm(double seconds) {
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

void Connection::disarm() {
  ++generation_;
  deadline_.cancel();
}

void Connection::ring() {
  rung_ = true;
  news_.cancel();
}

net::awaitable<bool> Connection::wait_news(double seconds) {
  if (!rung_) {
    news_.expires_after(std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)));
    co_await news_.async_wait(kResult);
  }
  co_return std::exchange(rung_, false);
}

net::awaitable<bool> Connection::serve_one() {
  now_ = {};
  const bool started = co_await read_start();
  if (!started) co_return false;
  Parser parser;
  const bool has_head = co_await read_head(parser);
  if (!has_head) co_return false;
  const bool more = co_await answer(parser);
  co_return more;
}

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
