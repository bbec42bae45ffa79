// SPDX-License-Identifier: Apache-2.0
// Continuous batching (Yu 2022, Orca) over a paged KV cache (Kwon 2023): one thread owns the
// Decoder and in every step runs the next token of each running text, then chunks of new prompts,
// within a budget of rows. When pages run out the youngest text gives its pages back and is
// computed again later; since a row's logits depend on its own sequence only, texts are the same
// bytes under any load. Knows nothing of HTTP. Called by serve/http and by tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/decoder.h"
#include "models/generate.h"
#include "serve/metrics.h"
#include "serve/stream.h"
#include "serve/worker.h"
#include "text/tokenizer.h"

namespace ingot::serve {

struct EngineConfig {
  int64_t max_batch = 32;           ///< completions running at once
  int64_t queue = 256;              ///< completions waiting before submit refuses
  int64_t step_rows = 0;            ///< rows per step; 0: the decoder's max_rows
  int64_t stream_bytes = 64 << 10;  ///< unread bytes per request before its texts pause
  double slow_client_s = 20.0;      ///< a text paused for so long is cancelled
  double overcommit = 1.25;         ///< predicted pages of running texts over pages there are
};

/// One completion to write.
struct Choice {
  std::vector<int32_t> prompt;
  models::GenerateOptions options;
};

struct Submitted {
  std::shared_ptr<Stream> stream;  ///< null when refused
  SubmitError error = SubmitError::kNone;
};

class Engine {
 public:
  /// Starts the thread. All references must outlive the engine. Throws kInvalidArgument when the
  /// pool cannot hold one text of full context or a bound is not positive.
  Engine(models::Decoder& decoder, const text::Tokenizer& tokenizer, const EngineConfig& config,
         Metrics& metrics, WorkerHooks hooks = {});
  /// Cancels what runs and joins the thread.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Queues the choices of one request; their events arrive in one stream. `notify` is called on
  /// the engine's thread when the stream turns from empty to not empty; it must not block.
  /// `bounded` is false for a consumer that collects everything anyway. Throws what
  /// models::Sequence throws. Thread-safe, never waits for a step.
  Submitted submit(std::vector<Choice> choices, bool bounded, std::function<void()> notify);

  [[nodiscard]] const text::Tokenizer& tokenizer() const;
  [[nodiscard]] const models::DecoderSpec& spec() const;
  [[nodiscard]] const EngineConfig& config() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ingot::serve
