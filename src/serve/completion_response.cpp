// SPDX-License-Identifier: Apache-2.0
// Text is put together by hand in the order of the official documentation: an object tree per token
// would cost more than the token. See completion_response.h.
#include "serve/completion_response.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace ingot::serve {
namespace {

using models::FinishReason;
using models::TokenPiece;

/// JSON has no infinity; the API's own floor stands for "never".
std::string logprob_json(float logprob) {
  constexpr float kFloor = -9999.0F;
  return fmt::format("{}", std::isfinite(logprob) ? std::max(logprob, kFloor) : kFloor);
}

std::string finish_json(FinishReason finish) {
  switch (finish) {
    case FinishReason::kNone:
      return "null";
    case FinishReason::kLength:
      return "\"length\"";
    default:
      return "\"stop\"";
  }
}

template <class Items, class Write>
std::string list_json(const Items& items, const Write& write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + ']';
}

}  // namespace

CompletionWriter::CompletionWriter(CompletionHead head, CompletionForm form,
                                   const text::Tokenizer& tokenizer)
    : head_(std::move(head)), form_(form), tokenizer_(&tokenizer) {
  if (!form_.stream) collected_.resize(static_cast<size_t>(form_.choices));
}

/// Counts usage once per choice, a prompt once for all its n choices.
void CompletionWriter::account(const Event& event) {
  if (event.finish == FinishReason::kNone || done()) return;
  if (event.finish == FinishReason::kError || event.finish == FinishReason::kCancelled) {
    failed_ = true;
    error_ = ApiError{500, "server_error", event.error, "", "", 0};
    if (error_.message.empty()) error_.message = "The completion was cancelled.";
    return;
  }
  ++ended_;
  completion_tokens_ += event.completion_tokens;
  if (event.choice % form_.n == 0) prompt_tokens_ += event.prompt_tokens;
}

std::string CompletionWriter::chunks(const Event& event) {
  if (done()) return {};
  std::string out;
  const bool has_news = !event.piece.text.empty() || !event.piece.tokens.empty();
  const std::string no_usage = form_.include_usage ? "null" : "";
  if (has_news) {
    const FinishReason none = FinishReason::kNone;
    out += chunk(choice_json(event.choice, event.piece.text, event.piece.tokens, none), no_usage);
  }
  if (event.finish == FinishReason::kNone) return out;
  account(event);
  if (failed_) {
    fmt::format_to(std::back_inserter(out), "data: {}\n\n", nested_error_json(error_));
    return out;
  }
  out += chunk(choice_json(event.choice, "", {}, event.finish), no_usage);
  if (!done()) return out;
  if (form_.include_usage) out += chunk("", usage_json());
  out += "data: [DONE]\n\n";
  return out;
}

void CompletionWriter::collect(Event event) {
  Choice& choice = collected_[static_cast<size_t>(event.choice)];
  choice.text += event.piece.text;
  std::move(event.piece.tokens.begin(), event.piece.tokens.end(),
            std::back_inserter(choice.tokens));
  choice.finish = event.finish;
  account(event);
}

std::string CompletionWriter::body() const {
  int64_t index = 0;
  const std::string choices = list_json(collected_, [&](const Choice& choice) {
    return choice_json(index++, choice.text, choice.tokens, choice.finish);
  });
  return fmt::format(R"({{{},"choices":{},"usage":{}}})", head_json(), choices, usage_json());
}

std::string CompletionWriter::head_json() const {
  return fmt::format(
      R"("id":{},"object":"text_completion","created":{},"model":{},"system_fingerprint":{})",
      quote_json(head_.id), head_.created, quote_json(head_.model),
      head_.fingerprint.empty() ? "null" : quote_json(head_.fingerprint));
}

/// One `data:` line; `choices` are those between the brackets, empty `usage` leaves the key out.
std::string CompletionWriter::chunk(const std::string& choices, const std::string& usage) const {
  return fmt::format("data: {{{},\"choices\":[{}]{}{}}}\n\n", head_json(), choices,
                     usage.empty() ? "" : ",\"usage\":", usage);
}

std::string CompletionWriter::choice_json(int64_t index, const std::string& text,
                                          const std::vector<TokenPiece>& tokens,
                                          FinishReason finish) const {
  const bool bare = form_.logprobs < 0 || (form_.stream && tokens.empty());
  return fmt::format(R"({{"text":{},"index":{},"logprobs":{},"finish_reason":{}}})",
                     quote_json(text), index, bare ? "null" : logprobs_json(tokens),
                     finish_json(finish));
}

std::string CompletionWriter::logprobs_json(const std::vector<TokenPiece>& tokens) const {
  const auto own = [](const TokenPiece& t) {
    return t.has_logprob ? logprob_json(t.logprob) : "null";
  };
  const std::string top =
      form_.logprobs == 0 ? "null"
                          : list_json(tokens, [this](const TokenPiece& t) { return top_json(t); });
  return fmt::format(R"({{"tokens":{},"token_logprobs":{},"top_logprobs":{},"text_offset":{}}})",
                     list_json(tokens, [this](const TokenPiece& t) { return token_json(t.id); }),
                     list_json(tokens, own), top, list_json(tokens, [](const TokenPiece& t) {
                       return fmt::format_int(t.text_offset).str();
                     }));
}

/// The best alternatives and the token itself; of ids with the same text the best one counts.
std::string CompletionWriter::top_json(const TokenPiece& token) const {
  if (!token.has_logprob) return "null";
  std::vector<models::TokenLogprob> entries = token.top;
  const bool listed = std::any_of(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.id == token.id; });
  if (!listed) entries.push_back({token.id, token.logprob});
  std::set<std::string> names;
  std::string out = "{";
  for (const auto& [id, logprob] : entries) {
    std::string name = token_json(id);
    if (names.contains(name)) continue;
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", name, logprob_json(logprob));
    names.insert(std::move(name));
  }
  return out + '}';
}

/// A token that is not whole characters is shown as the API does: "bytes:\xe2\x80".
std::string CompletionWriter::token_json(int32_t id) const {
  const std::string_view bytes = tokenizer_->token_bytes(id);
  if (is_valid_utf8(bytes)) return quote_json(bytes);
  std::string shown = "bytes:";
  for (const char byte : bytes) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return quote_json(shown);
}

std::string CompletionWriter::usage_json() const {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})",
                     prompt_tokens_, completion_tokens_, prompt_tokens_ + completion_tokens_);
}

}  // namespace ingot::serve
