// SPDX-License-Identifier: Apache-2.0
// Dynamic batching: one thread owns the Predictor and runs the examples of many requests together,
// first come first served, up to max_batch at once. A batch starts as soon as the one before is
// done; max_delay_s lets it wait for more examples. A request with more examples than a batch is
// spread over several. Since a row depends on its record alone, answers are the same bytes alone or
// in any batch. Knows nothing of HTTP. Called by predict_api and by tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "serve/metrics.h"
#include "serve/predictor.h"
#include "serve/worker.h"

namespace ingot::serve {

struct BatcherConfig {
  int64_t max_batch = 32;    ///< examples run at once; a full queue starts a batch as well
  int64_t queue = 256;       ///< examples waiting before submit refuses
  double max_delay_s = 0.0;  ///< a batch that is not full waits so long for more
};

/// The examples of one request on their way to their answers. One producer (Batcher), one consumer.
class Prediction {
 public:
  enum class State : uint8_t { kRunning, kDone, kFailed };

  Prediction(std::vector<std::byte> records, int64_t rows, int64_t width,
             std::function<void()> notify);

  [[nodiscard]] State state() const;
  /// When kDone: [rows, width].
  [[nodiscard]] std::span<const float> answers() const { return answers_; }
  /// When kFailed: what the client may know.
  [[nodiscard]] std::string error() const;
  /// Examples that have not run yet are dropped.
  void cancel();
  /// notify is not called any more once this returns.
  void detach();

 private:
  friend class Batcher;
  void finish(State state, std::string error);

  const std::vector<std::byte> records_;
  const int64_t rows_;
  std::vector<float> answers_;
  // Of the batcher's thread:
  int64_t next_ = 0;  // first row that has not been put in a batch
  int64_t left_;      // rows without an answer
  double submitted_s_ = 0.0;

  mutable std::mutex mutex_;  // guards the rest
  std::function<void()> notify_;
  State state_ = State::kRunning;
  bool cancelled_ = false;
  std::string error_;
};

struct SubmittedPrediction {
  std::shared_ptr<Prediction> prediction;  ///< null when refused
  SubmitError error = SubmitError::kNone;
};

class Batcher {
 public:
  /// Starts the thread. All references must outlive the batcher. Throws kInvalidArgument when a
  /// bound is not positive.
  Batcher(Predictor& predictor, const BatcherConfig& config, Metrics& metrics,
          WorkerHooks hooks = {});
  /// Fails what waits and joins the thread.
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// records: rows >= 1 records back to back. `notify` is called once, on the batcher's thread,
  /// when the state changes; it must not block. Thread-safe, never waits for a batch.
  SubmittedPrediction submit(std::vector<std::byte> records, int64_t rows,
                             std::function<void()> notify);

  /// submit would refuse now: worth knowing before records are made.
  [[nodiscard]] bool is_full();
  [[nodiscard]] const BatcherConfig& config() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ingot::serve
