// SPDX-License-Identifier: Apache-2.0
// A vector behind a mutex, swapped out whole by the consumer. The byte count is an estimate of what
// the events hold: text, log probabilities and the event itself. See stream.h.
#include "serve/stream.h"

#include <utility>

namespace ingot::serve {
namespace {

int64_t event_bytes(const Event& event) {
  int64_t bytes = static_cast<int64_t>(sizeof(Event) + event.piece.text.size());
  for (const models::TokenPiece& token : event.piece.tokens) {
    bytes += static_cast<int64_t>(sizeof(token) + token.top.size() * sizeof(token.top[0]));
  }
  return bytes;
}

}  // namespace

Stream::Stream(int64_t choices, int64_t max_bytes, std::shared_ptr<Doorbell> engine,
               std::function<void()> notify)
    : choices_(choices),
      max_bytes_(max_bytes),
      engine_(std::move(engine)),
      notify_(std::move(notify)) {}

void Stream::push(Event event) {
  const int64_t bytes = event_bytes(event);
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  if (events_.size() == 1 && notify_) notify_();
}

std::vector<Event> Stream::drain() {
  std::vector<Event> events;
  bool was_full = false;
  {
    const std::lock_guard lock(mutex_);
    events.swap(events_);
    was_full = full();
    bytes_.store(0, std::memory_order_relaxed);
  }
  if (was_full) engine_->ring();
  return events;
}

void Stream::cancel() {
  cancelled_.store(true, std::memory_order_relaxed);
  engine_->ring();
}

void Stream::detach() {
  const std::lock_guard lock(mutex_);
  notify_ = nullptr;
}

}  // namespace ingot::serve
