// SPDX-License-Identifier: Apache-2.0
// Counters of a live server and their text for Prometheus (exposition format 0.0.4). Written by the
// model's and the I/O thread, read by /metrics; every field is an atomic, none guards another.
// Intervals as vLLM defines them: queue = submitted to first scheduled, TTFT = submitted to first
// token, all stamps taken on the model's thread by the monotonic clock. What a kind of model does
// not count stays 0.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <tuple>

namespace ingot::serve {

/// Cumulative histogram over fixed upper bounds.
class Histogram {
 public:
  using Bounds = std::array<double, 14>;
  static constexpr Bounds kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                      0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 30.0};
  static constexpr Bounds kCounts = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
  explicit Histogram(const Bounds& bounds = kSeconds) : bounds_(bounds) {}
  void observe(double value);
  void write(const char* name, const char* help, std::string& out) const;
  [[nodiscard]] int64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] double sum() const { return static_cast<double>(sum_millionths_.load()) * 1e-6; }

 private:
  const Bounds bounds_;
  std::array<std::atomic<int64_t>, std::tuple_size_v<Bounds> + 1> buckets_{};  // last: above all
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> sum_millionths_{0};
};

class Metrics {
 public:
  std::atomic<int64_t> running{0}, waiting{0}, pages_used{0}, pages_total{0};
  std::atomic<int64_t> prompt_tokens{0}, generation_tokens{0}, recomputed_tokens{0};
  std::atomic<int64_t> examples{0}, left_out{0}, unseen_categories{0}, steps{0}, preemptions{0},
      slow_clients{0}, disconnects{0}, engine_errors{0};
  std::atomic<int64_t> finished_stop{0}, finished_length{0}, finished_cancelled{0},
      finished_error{0};
  std::atomic<int64_t> connections{0}, connections_total{0}, refused_connections{0};
  std::array<std::atomic<int64_t>, 600> responses{};  ///< by HTTP status
  Histogram queue_time, time_to_first_token, inter_token, end_to_end;
  Histogram batch_size{Histogram::kCounts};

  /// For 429: about how long until a seat in the queue is free, when `batch` run at once.
  [[nodiscard]] int retry_after_s(int64_t batch) const;
  /// Everything as Prometheus text, with resident memory and open files of this process.
  [[nodiscard]] std::string text(const std::string& model) const;
};

}  // namespace ingot::serve
