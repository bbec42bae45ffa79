// SPDX-License-Identifier: Apache-2.0
// One text being written: Sequence keeps its tokens, how many of them the KV cache holds, the text
// that may be shown, and why it ended. generate() drives one Sequence over a Decoder; the server's
// engine drives many with the same class, so a text is the same bytes from either.
// Text is held back while it may still be part of a stop string or of a code point.
// Called by cli (generate), train (samples) and serve/engine. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/decoder.h"
#include "models/sampling.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"

namespace ingot::models {

struct GenerateOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 16;        ///< length of the completion; 0 only echoes or scores the prompt
  std::vector<std::string> stop;  ///< none empty; the text ends before the first one that appears
  bool ignore_eos = false;        ///< go on to max_tokens even over the end-of-text token
  bool echo = false;              ///< the text starts with the prompt's
};

enum class FinishReason : uint8_t { kNone, kStop, kLength, kCancelled, kError };

/// A token as it appears in logprobs.
struct TokenPiece {
  int32_t id = 0;
  int64_t text_offset = 0;   ///< code points of the text before it
  bool has_logprob = false;  ///< false for the first token of an echoed prompt
  float logprob = 0.0F;
  std::vector<TokenLogprob> top;
};

/// What may be shown since the last call of Sequence::take.
struct Piece {
  std::string text;  ///< valid UTF-8
  std::vector<TokenPiece>
      tokens;  ///< empty unless sampling.logprobs >= 0; with echo also the prompt's
};

class Sequence {
 public:
  /// The tokenizer must outlive it. Throws kInvalidArgument: empty prompt, id outside the
  /// vocabulary, prompt + max_tokens > context, an empty stop string, sampling out of range.
  Sequence(std::vector<int32_t> prompt, GenerateOptions options, const text::Tokenizer& tokenizer,
           const DecoderSpec& spec);

  [[nodiscard]] const std::vector<int32_t>& tokens() const { return tokens_; }
  [[nodiscard]] int64_t length() const { return static_cast<int64_t>(tokens_.size()); }
  [[nodiscard]] int64_t prompt_tokens() const { return prompt_tokens_; }
  [[nodiscard]] int64_t completion_tokens() const { return length() - prompt_tokens_; }
  [[nodiscard]] int64_t max_length() const { return prompt_tokens_ + options_.max_tokens; }
  [[nodiscard]] int64_t cached() const { return cached_; }
  /// Rows to run before the next token can be drawn; 1 while decoding.
  [[nodiscard]] int64_t pending() const { return finished() ? 0 : length() - cached_; }
  [[nodiscard]] bool finished() const { return finish_ != FinishReason::kNone; }
  [[nodiscard]] FinishReason finish_reason() const { return finish_; }
  [[nodiscard]] const GenerateOptions& options() const { return options_; }

  /// Appends rows for the next pending tokens, at most `max_rows`, of them at most `max_logits`
  /// (>= 1) that want logits; they count as cached from here on. Returns the number of rows.
  int64_t append_rows(int32_t slot, int64_t max_rows, int64_t max_logits,
                      std::vector<DecodeRow>& rows);
  /// Takes the logits [vocab] of a row that wanted them: scores the prompt or draws a token.
  void accept(int32_t position, std::span<const float> logits, Sampler& sampler);
  /// After the last accept of a step: ends a sequence that has nothing left to draw.
  void settle();
  /// The cache of this sequence is gone; everything is pending again, nothing is drawn twice.
  void forget_cache() { cached_ = 0; }
  void cancel(FinishReason reason);

  [[nodiscard]] Piece take();

 private:
  [[nodiscard]] bool wants_logits(int64_t position) const;
  [[nodiscard]] bool logprobs() const { return options_.sampling.logprobs >= 0; }
  [[nodiscard]] bool scores_prompt() const { return options_.echo && logprobs(); }
  void push_token(int32_t id, const Draw* draw);
  void push_text(std::string_view text);
  void cut_at_stop();
  void end(FinishReason reason);
  void release(int64_t keep, bool all_tokens);
  [[nodiscard]] int64_t held_back() const;

  GenerateOptions options_;
  const text::Tokenizer* tokenizer_;
  int64_t vocab_;
  text::StreamDecoder decoder_;
  std::vector<int32_t> tokens_;
  int64_t prompt_tokens_;
  int64_t cached_ = 0;
  int64_t scored_ = 0;          // prompt positions whose successor has its log probability
  std::string held_;            // decoded, not yet released
  int64_t decoded_points_ = 0;  // code points decoded so far, released or held
  Piece ready_;                 // released, not yet taken
  int64_t released_points_ = 0;
  std::vector<TokenPiece> waiting_;  // tokens whose text is not released
  FinishReason finish_ = FinishReason::kNone;
};

/// Ids that may be drawn: a vocabulary padded beyond the tokenizer's has rows that mean nothing.
[[nodiscard]] int64_t drawable_ids(const DecoderSpec& spec, const text::Tokenizer& tokenizer);

struct Generated {
  std::vector<int32_t> completion;  ///< drawn ids, the end-of-text token included
  std::string text;
  FinishReason finish = FinishReason::kNone;
};

/// Writes one text. `on_text` sees each piece as it becomes final and returns false to stop early
/// (kCancelled). The decoder needs ceil(context / page_tokens) pages at most; its cache is
/// overwritten. Throws what Sequence and Decoder throw, kNumeric for bad logits.
Generated generate(Decoder& decoder, const text::Tokenizer& tokenizer, std::vector<int32_t> prompt,
                   const GenerateOptions& options,
                   const std::function<bool(std::string_view)>& on_text = {});

}  // namespace ingot::models
