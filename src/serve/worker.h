// SPDX-License-Identifier: Apache-2.0
// What the threads that own a model share (Engine for texts, Batcher for examples): how they are
// woken, what they ask of their surroundings, why they refuse.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/clock.h"
#include "base/log.h"

namespace ingot::serve {

/// Wakes a thread; shared with those who ring it, which may outlive the thread.
class Doorbell {
 public:
  void ring();
  /// Until rung, or at most `seconds` (forever when negative). A ring while nobody waits is kept.
  void wait(double seconds);

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool pending_ = false;
};

/// All optional.
struct WorkerHooks {
  const Clock* clock = nullptr;             ///< the monotonic clock of the machine when null
  Logger logger = {};                       ///< failures of the model
  std::function<void()> thread_start = {};  ///< first thing on the thread
};

enum class SubmitError : uint8_t { kNone, kQueueFull, kStopped };

/// What a client may know of a failure.
inline constexpr const char* kFailedText = "The server had an error while processing your request.";
inline constexpr const char* kStoppingText = "The server is shutting down.";

}  // namespace ingot::serve
