// SPDX-License-Identifier: Apache-2.0
#include "serve/worker.h"

#include <chrono>

namespace ingot::serve {

void Doorbell::ring() {
  {
    const std::lock_guard lock(mutex_);
    pending_ = true;
  }
  rung_.notify_one();
}

void Doorbell::wait(double seconds) {
  std::unique_lock lock(mutex_);
  if (seconds < 0) {
    rung_.wait(lock, [this] { return pending_; });
  } else {
    rung_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return pending_; });
  }
  pending_ = false;
}

}  // namespace ingot::serve
