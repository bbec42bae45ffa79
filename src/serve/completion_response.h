// SPDX-License-Identifier: Apache-2.0
// The JSON and server-sent events that the OpenAI clients expect, from events of the engine.
// What broke real clients elsewhere is kept right here: finish_reason is always present and null
// until the last chunk, which carries no text; usage comes in a chunk without choices.
// Knows no sockets. Called by api and connection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/api_error.h"
#include "serve/stream.h"
#include "text/tokenizer.h"

namespace ingot::serve {

/// What every part of one answer repeats.
struct CompletionHead {
  std::string id;
  int64_t created = 0;
  std::string model;
  std::string fingerprint;
};

struct CompletionForm {
  int64_t n = 1;
  int64_t choices = 1;  ///< prompts times n; choice i belongs to prompt i / n
  bool stream = false;
  bool include_usage = false;
  int64_t logprobs = -1;  ///< -1: null
};

/// Builds the answer to one request, streamed or whole.
class CompletionWriter {
 public:
  /// The tokenizer must outlive it.
  CompletionWriter(CompletionHead head, CompletionForm form, const text::Tokenizer& tokenizer);

  /// Streaming: the `data:` lines for an event, the last ones with usage and [DONE] included; after
  /// an error event only that, without [DONE].
  [[nodiscard]] std::string chunks(const Event& event);
  /// Not streaming: keeps the event for body().
  void collect(Event event);
  /// Not streaming, when done(): the whole answer.
  [[nodiscard]] std::string body() const;

  /// Every choice has ended, or one has failed.
  [[nodiscard]] bool done() const { return failed_ || ended_ == form_.choices; }
  [[nodiscard]] bool failed() const { return failed_; }
  /// After failed(): what went wrong.
  [[nodiscard]] const ApiError& error() const { return error_; }

 private:
  struct Choice {
    std::string text;
    std::vector<models::TokenPiece> tokens;
    models::FinishReason finish = models::FinishReason::kNone;
  };

  void account(const Event& event);
  [[nodiscard]] std::string head_json() const;
  [[nodiscard]] std::string chunk(const std::string& choices, const std::string& usage) const;
  [[nodiscard]] std::string choice_json(int64_t index, const std::string& text,
                                        const std::vector<models::TokenPiece>& tokens,
                                        models::FinishReason finish) const;
  [[nodiscard]] std::string logprobs_json(const std::vector<models::TokenPiece>& tokens) const;
  [[nodiscard]] std::string top_json(const models::TokenPiece& token) const;
  [[nodiscard]] std::string token_json(int32_t id) const;
  [[nodiscard]] std::string usage_json() const;

  CompletionHead head_;
  CompletionForm form_;
  const text::Tokenizer* tokenizer_;
  std::vector<Choice> collected_;
  int64_t ended_ = 0;
  bool failed_ = false;
  ApiError error_;
  int64_t prompt_tokens_ = 0;
  int64_t completion_tokens_ = 0;
};

}  // namespace ingot::serve
