// SPDX-License-Identifier: Apache-2.0
// The states of a text: tokens known ≥ tokens cached; text decoded ≥ text released. A token is
// drawn exactly once, from the logits at the last known position, whatever was recomputed before.
// Invariant of held_: it is a proper prefix of a stop string, or empty, so a stop string that
// appears begins inside it or in the newest piece. See generate.h.
#include "models/generate.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace ingot::models {
namespace {

int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void check_prompt(std::span<const int32_t> prompt, const GenerateOptions& options,
                  const DecoderSpec& spec, int64_t vocab) {
  const auto size = static_cast<int64_t>(prompt.size());
  require(size > 0, Code::kInvalidArgument,
          "generate: the prompt has no tokens; give at least the begin-of-text token");
  require(options.max_tokens >= 0, Code::kInvalidArgument,
          "generate: max_tokens is {} but must be >= 0", options.max_tokens);
  require(
      size <= spec.context && options.max_tokens <= spec.context - size, Code::kInvalidArgument,
      "generate: the context is {} tokens but {} of prompt and {} of completion were asked for; "
      "shorten the prompt or lower max_tokens",
      spec.context, size, options.max_tokens);
  for (const int32_t id : prompt) {
    require(id >= 0 && id < vocab, Code::kInvalidArgument,
            "generate: the prompt holds token {} but the vocabulary has {}", id, vocab);
  }
}

}  // namespace

int64_t drawable_ids(const DecoderSpec& spec, const text::Tokenizer& tokenizer) {
  return std::min(spec.vocab, tokenizer.vocab_size());
}

Sequence::Sequence(std::vector<int32_t> prompt, GenerateOptions options,
                   const text::Tokenizer& tokenizer, const DecoderSpec& spec)
    : options_(std::move(options)),
      tokenizer_(&tokenizer),
      vocab_(drawable_ids(spec, tokenizer)),
      decoder_(tokenizer, /*skip_special=*/true),
      tokens_(std::move(prompt)),
      prompt_tokens_(static_cast<int64_t>(tokens_.size())) {
  check_prompt(tokens_, options_, spec, vocab_);
  check_sampling(options_.sampling, vocab_);
  for (const std::string& stop : options_.stop) {
    require(!stop.empty() && is_valid_utf8(stop), Code::kInvalidArgument,
            "generate: a stop string is {}; leave it out", stop.empty() ? "empty" : "not UTF-8");
  }
  if (options_.echo) {
    // The first token has no probability; the others get theirs in accept() before they are shown.
    for (const int32_t id : tokens_) push_token(id, nullptr);
  }
  if (!scores_prompt() || prompt_tokens_ == 1) release(0, true);
  settle();
}

bool Sequence::wants_logits(int64_t position) const {
  if (position == length() - 1) return options_.max_tokens > 0;
  return scores_prompt() && position < prompt_tokens_ - 1 && position >= scored_;
}

int64_t Sequence::append_rows(int32_t slot, int64_t max_rows, int64_t max_logits,
                              std::vector<DecodeRow>& rows) {
  const int64_t count = std::min(pending(), max_rows);
  int64_t added = 0;
  for (; added < count; ++added) {
    const bool wants = wants_logits(cached_);
    if (wants && max_logits-- == 0) break;
    rows.push_back(DecodeRow{tokens_[static_cast<size_t>(cached_)], slot,
                             static_cast<int32_t>(cached_), wants});
    ++cached_;
  }
  return added;
}

void Sequence::accept(int32_t position, std::span<const float> logits, Sampler& sampler) {
  const auto drawable = logits.first(static_cast<size_t>(vocab_));
  if (position < prompt_tokens_ - 1) {
    const auto next = static_cast<size_t>(position) + 1;
    const Draw draw = sampler.score(drawable, tokens_[next], options_.sampling.logprobs);
    TokenPiece& piece = waiting_[next];
    piece.has_logprob = true;
    piece.logprob = draw.logprob;
    piece.top = draw.top;
    scored_ = position + 1;
    if (scored_ == prompt_tokens_ - 1) release(0, true);
    return;
  }
  INGOT_ASSERT(position == length() - 1 && !finished());
  const auto index = static_cast<uint64_t>(completion_tokens());
  const Draw draw = sampler.draw(drawable, options_.sampling, tokens_, prompt_tokens_, index);
  tokens_.push_back(draw.token);
  const bool is_end = tokenizer_->eos_id() == draw.token && !options_.ignore_eos;
  if (is_end) {
    end(FinishReason::kStop);
    return;
  }
  push_token(draw.token, &draw);
  cut_at_stop();
  if (!finished() && completion_tokens() >= options_.max_tokens) end(FinishReason::kLength);
}

void Sequence::settle() {
  const bool nothing_to_draw = options_.max_tokens == 0;
  const bool nothing_to_score = !scores_prompt() || scored_ >= prompt_tokens_ - 1;
  if (!finished() && nothing_to_draw && nothing_to_score) end(FinishReason::kLength);
}

void Sequence::cancel(FinishReason reason) {
  if (!finished()) finish_ = reason;
}

void Sequence::push_token(int32_t id, const Draw* draw) {
  if (logprobs()) {
    TokenPiece piece;
    piece.id = id;
    piece.text_offset = decoded_points_;
    if (draw != nullptr) {
      piece.has_logprob = true;
      piece.logprob = draw->logprob;
      piece.top = draw->top;
    }
    waiting_.push_back(std::move(piece));
  }
  push_text(decoder_.push(id));
}

void Sequence::push_text(std::string_view text) {
  held_ += text;
  decoded_points_ += code_points(text);
}

/// Ends the text before the first stop string, or shows what cannot be part of one.
void Sequence::cut_at_stop() {
  size_t first = std::string::npos;
  for (const std::string& stop : options_.stop) first = std::min(first, held_.find(stop));
  if (first == std::string::npos) {
    release(held_back(), false);
    return;
  }
  held_.resize(first);
  finish_ = FinishReason::kStop;
  release(0, false);
  waiting_.clear();
}

/// Bytes at the end of held_ that may be the beginning of a stop string.
int64_t Sequence::held_back() const {
  size_t longest = 0;
  for (const std::string& stop : options_.stop) {
    size_t size = std::min(stop.size() - 1, held_.size());
    while (size > longest && !held_.ends_with(std::string_view(stop).substr(0, size))) --size;
    longest = std::max(longest, size);
  }
  return static_cast<int64_t>(longest);
}

/// The text ends here: what is incomplete becomes final.
void Sequence::end(FinishReason reason) {
  push_text(decoder_.finish());
  if (completion_tokens() > 0) cut_at_stop();
  if (finished()) return;  // the last bytes completed a stop string
  finish_ = reason;
  release(0, true);
}

/// Moves all but the last `keep` bytes of held_ to ready_, with the tokens that began in them;
/// `all_tokens` also moves those that have shown nothing yet.
void Sequence::release(int64_t keep, bool all_tokens) {
  const size_t size = held_.size() - static_cast<size_t>(keep);
  const std::string_view text = std::string_view(held_).substr(0, size);
  released_points_ += code_points(text);
  ready_.text += text;
  held_.erase(0, size);
  auto token = waiting_.begin();
  while (token != waiting_.end() && (all_tokens || token->text_offset < released_points_)) ++token;
  std::move(waiting_.begin(), token, std::back_inserter(ready_.tokens));
  waiting_.erase(waiting_.begin(), token);
}

Piece Sequence::take() { return std::exchange(ready_, {}); }

Generated generate(Decoder& decoder, const text::Tokenizer& tokenizer, std::vector<int32_t> prompt,
                   const GenerateOptions& options,
                   const std::function<bool(std::string_view)>& on_text) {
  const DecoderSpec spec = decoder.spec();
  Sequence sequence(std::move(prompt), options, tokenizer, spec);
  const int64_t row_pages = (spec.context + spec.page_tokens - 1) / spec.page_tokens;
  const int64_t needed = (sequence.max_length() + spec.page_tokens - 1) / spec.page_tokens;
  require(needed <= spec.pages, Code::kOutOfMemory,
          "generate: {} tokens need {} cache pages but the pool has {}; lower max_tokens",
          sequence.max_length(), needed, spec.pages);
  std::vector<int32_t> page_table(static_cast<size_t>(spec.max_sequences * row_pages), 0);
  std::iota(page_table.begin(), page_table.begin() + std::min(row_pages, spec.pages), 0);

  Sampler sampler(drawable_ids(spec, tokenizer));
  std::vector<DecodeRow> rows;
  std::vector<float> logits;
  Generated result;
  const auto emit = [&] {
    const Piece piece = sequence.take();
    result.text += piece.text;
    if (!piece.text.empty() && on_text && !on_text(piece.text)) {
      sequence.cancel(FinishReason::kCancelled);
    }
  };
  emit();
  while (!sequence.finished()) {
    rows.clear();
    sequence.append_rows(0, spec.max_rows, /*max_logits=*/1, rows);
    const auto wanted = std::count_if(rows.begin(), rows.end(),
                                      [](const DecodeRow& row) { return row.wants_logits; });
    logits.resize(static_cast<size_t>(wanted * spec.vocab));
    decoder.forward(rows, page_table, logits);
    for (const DecodeRow& row : rows) {
      if (row.wants_logits) sequence.accept(row.position, logits, sampler);
    }
    sequence.settle();
    emit();
  }
  const auto begin = sequence.tokens().begin() + sequence.prompt_tokens();
  result.completion.assign(begin, sequence.tokens().end());
  result.finish = sequence.finish_reason();
  return result;
}

}  // namespace ingot::models
