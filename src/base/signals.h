// SPDX-License-Identifier: Apache-2.0
// SIGINT and SIGTERM as a flag: the first one asks the work to stop at its next safe point, a
// second one kills as usual. The flag itself (StopFlag) is what libraries are given; only the
// command line installs the handlers, once.
#pragma once

#include <atomic>

namespace ingot {

/// Asked between steps. Lock-free, so a signal handler may set it.
class StopFlag {
 public:
  [[nodiscard]] bool requested() const { return requested_.load(std::memory_order_relaxed); }
  void request() { requested_.store(true, std::memory_order_relaxed); }
  void clear() { requested_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

/// For long work, between its pieces: throws Error{kCancelled} once `stop` is requested. What was
/// written whole stays; what was begun is dropped. Null: never.
void throw_if_stopped(const StopFlag* stop);

/// From now on a write beyond RLIMIT_FSIZE is an error of that write (EFBIG), not the end of the
/// process: also of standard output and of the last message, so a program calls it first.
void ignore_file_size_signal();

/// Routes SIGINT and SIGTERM to `flag` while alive, then restores the default actions. One at a
/// time in a process (Error{kInternal} otherwise). `flag` must outlive it.
class StopSignals {
 public:
  explicit StopSignals(StopFlag& flag);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that came first, 0 if none.
  [[nodiscard]] int signal_number() const;
};

}  // namespace ingot
