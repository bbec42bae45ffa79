// SPDX-License-Identifier: Apache-2.0
// The bounded way from the engine's thread to one client: events go in without ever blocking. When
// a client leaves more than a bound unread, its completions pause, the others go on, and it is
// cancelled if that lasts.
// One producer (Engine), one consumer (a connection); both sides may cancel.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "models/generate.h"
#include "serve/worker.h"

namespace ingot::serve {

/// News about one completion of a request.
struct Event {
  int64_t choice = 0;
  models::Piece piece;
  models::FinishReason finish = models::FinishReason::kNone;
  std::string error;              ///< for kError: what the client may know
  int64_t prompt_tokens = 0;      ///< when finished
  int64_t completion_tokens = 0;  ///< when finished
};

class Stream {
 public:
  Stream(int64_t choices, int64_t max_bytes, std::shared_ptr<Doorbell> engine,
         std::function<void()> notify);

  /// Producer. Calls notify when the stream was empty. The producer asks full() before it makes
  /// more.
  void push(Event event);
  /// The unread bytes reach the bound.
  [[nodiscard]] bool full() const { return bytes_.load(std::memory_order_relaxed) >= max_bytes_; }
  /// Consumer: everything unread, in order.
  [[nodiscard]] std::vector<Event> drain();
  /// Either side: the completions still running end with kCancelled in the engine's next step.
  void cancel();
  [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Consumer: notify is not called any more once this returns.
  void detach();
  [[nodiscard]] int64_t choices() const { return choices_; }

 private:
  const int64_t choices_;
  const int64_t max_bytes_;
  const std::shared_ptr<Doorbell> engine_;
  std::mutex mutex_;
  std::function<void()> notify_;
  std::vector<Event> events_;
  std::atomic<int64_t> bytes_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace ingot::serve
