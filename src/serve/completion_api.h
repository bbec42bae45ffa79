// SPDX-License-Identifier: Apache-2.0
// The requests of a language model: OpenAI's completions, from JSON over tokens to choices of the
// engine. What is parsed is in completion_request.h, what is written in completion_response.h.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/completion_request.h"
#include "serve/completion_response.h"
#include "serve/config.h"
#include "serve/engine.h"
#include "serve/identifiers.h"
#include "serve/metrics.h"
#include "serve/route.h"

namespace ingot::serve {

class CompletionApi final : public ModelApi {
 public:
  /// The engine and the metrics must outlive it.
  CompletionApi(const ServeConfig& config, ModelInfo model, Engine& engine, Metrics& metrics);

  [[nodiscard]] std::vector<Route> routes(const std::atomic<bool>& draining) override;
  [[nodiscard]] const ModelInfo& model() const override { return model_; }
  [[nodiscard]] std::string error_body(const ApiError& error) const override {
    return nested_error_json(error);
  }

 private:
  [[nodiscard]] Outcome show_model(const Call& call) const;
  [[nodiscard]] Outcome complete(Call& call);
  [[nodiscard]] Reply no_model(std::string_view id) const;
  [[nodiscard]] std::optional<ApiError> tokenize(const Prompt& prompt, text::EncodeScratch& scratch,
                                                 std::vector<int32_t>& ids) const;
  [[nodiscard]] std::optional<ApiError> size_up(const CompletionRequest& request, int64_t prompt,
                                                int64_t& max_tokens) const;
  [[nodiscard]] std::optional<ApiError> bound_result(const CompletionRequest& request,
                                                     const std::vector<Choice>& choices) const;
  [[nodiscard]] std::optional<ApiError> make_choices(const CompletionRequest& request,
                                                     text::EncodeScratch& scratch,
                                                     std::vector<Choice>& choices);
  [[nodiscard]] Outcome submit(const CompletionRequest& request, std::vector<Choice> choices,
                               std::function<void()> notify);

  ModelInfo model_;
  Engine& engine_;
  Metrics& metrics_;
  RequestLimits limits_;
  int64_t longest_token_ = 1;  // bytes
  Identifiers identifiers_;
  std::array<text::EncodeScratch, kLanes> scratch_;
};

}  // namespace ingot::serve
