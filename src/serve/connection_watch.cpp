// SPDX-License-Identifier: Apache-2.0
// Notices a client that goes away while its answer is made, and stops the work.
#include "serve/client_connection.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;

}  // namespace

void Connection::start_watching() {
  if (watching_ || gone_) return;
  watching_ = true;
  net::co_spawn(shared_.io, watch(shared_from_this()), net::detached);
}

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

}  // namespace ingot::serve
