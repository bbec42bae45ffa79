// SPDX-License-Identifier: Apache-2.0
// The one thread team of a process: persistent std::threads, a sense-reversing barrier that spins
// some microseconds and then sleeps on a futex (std::atomic::wait). Work is cut into tiles whose
// borders never depend on the number of workers, so results do not either.
// Called by every kernel; HTTP threads never call it. One caller at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace ingot {

class Team {
 public:
  /// `workers` counts the calling thread; workers - 1 threads are started. Sets flush-to-zero on
  /// all. Throws kOutOfMemory when the system refuses a thread.
  explicit Team(int workers);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  [[nodiscard]] int size() const { return workers_; }

  /// Runs body(worker) on every worker, 0 <= worker < size(), and returns when all are done.
  /// The body must not throw and must not call run.
  template <class Body>
  void run(const Body& body) {
    if (workers_ == 1) {
      body(0);
      return;
    }
    dispatch([](const void* b, int worker) { (*static_cast<const Body*>(b))(worker); }, &body);
  }

  /// Runs body(tile) for 0 <= tile < tiles; worker w takes a contiguous share. Serial when tiles
  /// is 1 or `serial` is set (less than about 50 microseconds of work).
  template <class Body>
  void tiles(int64_t tiles, bool serial, const Body& body) {
    if (workers_ == 1 || serial || tiles <= 1) {
      for (int64_t t = 0; t < tiles; ++t) body(t);
      return;
    }
    run([&](int worker) {
      const int64_t begin = tiles * worker / workers_;
      const int64_t end = tiles * (worker + 1) / workers_;
      for (int64_t t = begin; t < end; ++t) body(t);
    });
  }

  /// Waits until every worker inside run() has arrived.
  void barrier();

  /// user + system page faults of the team's threads since they started (getrusage RUSAGE_THREAD).
  [[nodiscard]] int64_t page_faults();

 private:
  using Function = void (*)(const void*, int);
  void dispatch(Function function, const void* body);
  void worker_loop(int worker);
  void stop();
  void wait_change(const std::atomic<uint32_t>& word, uint32_t old) const;

  int workers_;
  int spins_;  // before a waiting worker sleeps
  Function function_ = nullptr;
  const void* body_ = nullptr;
  alignas(64) std::atomic<uint32_t> epoch_{0};    // bumped to start a region
  alignas(64) std::atomic<uint32_t> done_{0};     // workers finished in this region
  alignas(64) std::atomic<uint32_t> arrived_{0};  // inside barrier()
  alignas(64) std::atomic<uint32_t> sense_{0};    // barrier generation
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

/// Sets flush-to-zero and denormals-are-zero on the calling thread (no-op where unsupported).
void flush_denormals();

}  // namespace ingot
