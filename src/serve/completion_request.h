// SPDX-License-Identifier: Apache-2.0
// The text of a POST /v1/completions body to a checked CompletionRequest, or the error to answer.
// Knows no sockets, no model and no tokenizer, so it can be fuzzed alone: every byte string gives
// one of the two and never throws. Field names, ranges and error objects are those of the OpenAI
// API; top_k, repetition_penalty and ignore_eos are extensions found in other servers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "serve/api_error.h"

namespace ingot::serve {

using Prompt = std::variant<std::string, std::vector<int32_t>>;

struct CompletionRequest {
  std::string model;
  std::vector<Prompt> prompts;  ///< at least one
  std::optional<int64_t> max_tokens;
  double temperature = 1.0;
  double top_p = 1.0;
  int64_t top_k = 0;
  double repetition_penalty = 1.0;
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;
  int64_t n = 1;
  std::optional<int64_t> best_of;  ///< equal to n
  bool stream = false;
  bool include_usage = false;
  std::optional<int64_t> logprobs;
  bool echo = false;
  bool ignore_eos = false;
  std::vector<std::string> stop;
  std::vector<std::pair<int32_t, float>> logit_bias;  ///< ascending ids, none twice
  std::optional<uint64_t> seed;
  std::string user;
  std::vector<std::string> ignored;  ///< unknown fields
};

struct RequestLimits {
  int64_t max_depth = 64;
  int64_t max_choices = 128;  ///< prompts times n
  int64_t max_logprobs = 20;
  int64_t max_stops = 16;
  int64_t max_stop_bytes = 256;
  int64_t max_bias = 1024;
  int64_t max_result = 262144;  ///< tokens of all choices times (logprobs + 1)
  bool strict = false;          ///< unknown fields are errors
};

[[nodiscard]] std::variant<CompletionRequest, ApiError> parse_completion(
    std::string_view body, const RequestLimits& limits) noexcept;

}  // namespace ingot::serve
