// SPDX-License-Identifier: Apache-2.0
#include "base/team.h"

#include <chrono>
#include <system_error>

#include <sys/resource.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "base/error.h"
#include "base/machine.h"

namespace ingot {
namespace {

// About 100 microseconds of pause instructions: longer than the serial work between two kernels of
// a decoded token (a worker that fell asleep there took 40 % of its tiles late), shorter than what
// a sleeping caller would notice. With more workers than cores a spinning one holds up the others.
constexpr int kSpins = 10000;
constexpr int kSpinsCrowded = 100;

void relax() {
#if defined(__SSE2__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

int64_t thread_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

}  // namespace

void flush_denormals() {
#if defined(__SSE2__)
  _mm_setcsr(_mm_getcsr() | 0x8040U);
#elif defined(__aarch64__)
  uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  asm volatile("msr fpcr, %0" ::"r"(fpcr | (1ULL << 24)));
#endif
}

Team::Team(int workers)
    : workers_(workers), spins_(workers <= allowed_cores() ? kSpins : kSpinsCrowded) {
  require(workers >= 1 && workers <= 1024, Code::kInvalidArgument,
          "threads: {} workers asked for, 1 to 1024 are possible", workers);
  flush_denormals();
  threads_.reserve(static_cast<size_t>(workers - 1));
  try {
    for (int w = 1; w < workers; ++w) threads_.emplace_back([this, w] { worker_loop(w); });
  } catch (const std::system_error& error) {
    stop();
    fail(Code::kOutOfMemory,
         "threads: the system started {} of {} workers ({}; {}). threads={} would do",
         threads_.size() + 1, workers, error.what(), scarcity(), threads_.size() + 1);
  }
}

Team::~Team() { stop(); }

void Team::stop() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Team::wait_change(const std::atomic<uint32_t>& word, uint32_t old) const {
  for (int i = 0; i < spins_; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    relax();
  }
  while (word.load(std::memory_order_acquire) == old) word.wait(old, std::memory_order_acquire);
}

void Team::dispatch(Function function, const void* body) {
  function_ = function;
  body_ = body;
  done_.store(0, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  function(body, 0);
  const uint32_t others = static_cast<uint32_t>(workers_ - 1);
  for (uint32_t seen = done_.load(std::memory_order_acquire); seen != others;
       seen = done_.load(std::memory_order_acquire)) {
    wait_change(done_, seen);
  }
}

void Team::worker_loop(int worker) {
  flush_denormals();
  uint32_t epoch = 0;
  while (true) {
    wait_change(epoch_, epoch);
    ++epoch;
    if (stop_.load(std::memory_order_relaxed)) return;
    function_(body_, worker);
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(workers_ - 1)) {
      done_.notify_all();
    }
  }
}

void Team::barrier() {
  if (workers_ == 1) return;
  const uint32_t sense = sense_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(workers_)) {
    arrived_.store(0, std::memory_order_relaxed);
    sense_.store(sense + 1, std::memory_order_release);
    sense_.notify_all();
    return;
  }
  wait_change(sense_, sense);
}

int64_t Team::page_faults() {
  std::atomic<int64_t> total{0};
  run([&](int) { total.fetch_add(thread_faults(), std::memory_order_relaxed); });
  return total.load();
}

}  // namespace ingot
