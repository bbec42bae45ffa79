// SPDX-License-Identifier: Apache-2.0
// Counters of a live server and their text for Prometheus (exposition format 0.0.4). Written by the
// engine's and the I/O thread, read by /metrics; every field is an atomic, none guards another.
// Intervals as vLLM defines them: queue = submitted to first scheduled, TTFT = submitted to first
// token, all stamps taken by the engine on the monotonic clock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace ingot::serve {

/// Cumulative histogram over fixed upper bounds in seconds.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 30.0};
  void observe(double seconds);
  void write(const char* name, const char* help, std::string& out) const;
  [[nodiscard]] int64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] double sum() const { return static_cast<double>(sum_us_.load()) * 1e-6; }

 private:
  std::array<std::atomic<int64_t>, kBounds.size() + 1> buckets_{};  // last: above every bound
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> sum_us_{0};
};

class Metrics {
 public:
  std::atomic<int64_t> running{0}, waiting{0}, pages_used{0}, pages_total{0};
  std::atomic<int64_t> prompt_tokens{0}, generation_tokens{0}, recomputed_tokens{0};
  std::atomic<int64_t> steps{0}, preemptions{0}, slow_clients{0}, disconnects{0}, engine_errors{0};
  std::atomic<int64_t> finished_stop{0}, finished_length{0}, finished_cancelled{0},
      finished_error{0};
  std::atomic<int64_t> connections{0}, connections_total{0}, refused_connections{0};
  std::array<std::atomic<int64_t>, 600> responses{};  ///< by HTTP status
  Histogram queue_time, time_to_first_token, inter_token, end_to_end;

  /// Everything as Prometheus text, with resident memory and open files of this process.
  [[nodiscard]] std::string text(const std::string& model) const;
};

}  // namespace ingot::serve
