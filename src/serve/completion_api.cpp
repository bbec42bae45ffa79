// SPDX-License-Identifier: Apache-2.0
// The way of a completion from JSON to the engine. See completion_api.h.
#include "serve/completion_api.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace ingot::serve {
namespace {

constexpr int64_t kDefaultMaxTokens = 16;  // the API's documented default

int64_t unix_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

models::GenerateOptions options_of(const CompletionRequest& request) {
  models::GenerateOptions options;
  options.sampling.temperature = static_cast<float>(request.temperature);
  options.sampling.top_k = request.top_k;
  // 0 keeps the best token only, which any positive mass does.
  options.sampling.top_p = std::max(static_cast<float>(request.top_p), 1e-30F);
  options.sampling.repetition_penalty = static_cast<float>(request.repetition_penalty);
  options.sampling.presence_penalty = static_cast<float>(request.presence_penalty);
  options.sampling.frequency_penalty = static_cast<float>(request.frequency_penalty);
  options.sampling.logit_bias = request.logit_bias;
  options.sampling.logprobs = static_cast<int32_t>(request.logprobs.value_or(-1));
  options.stop = request.stop;
  options.ignore_eos = request.ignore_eos;
  options.echo = request.echo;
  return options;
}

class CompletionJob final : public Job {
 public:
  CompletionJob(std::shared_ptr<Stream> stream, CompletionWriter writer, bool is_stream,
                std::string ignored_fields)
      : Job(is_stream, std::move(ignored_fields)),
        stream_(std::move(stream)),
        writer_(std::move(writer)) {}
  ~CompletionJob() override {
    stream_->detach();
    stream_->cancel();
  }

  [[nodiscard]] std::string take() override {
    std::string data;
    for (Event& event : stream_->drain()) {
      if (is_stream) {
        data += writer_.chunks(event);
      } else {
        writer_.collect(std::move(event));
      }
    }
    return data;
  }
  [[nodiscard]] bool done() const override { return writer_.done(); }
  [[nodiscard]] Reply reply() const override {
    Reply reply;
    reply.status = writer_.failed() ? writer_.error().status : 200;
    reply.body = writer_.failed() ? nested_error_json(writer_.error()) : writer_.body();
    return reply;
  }
  [[nodiscard]] std::string last_words(const ApiError& error) const override {
    return "data: " + nested_error_json(error) + "\n\n";
  }
  void cancel() override { stream_->cancel(); }

 private:
  std::shared_ptr<Stream> stream_;
  CompletionWriter writer_;
};

}  // namespace

CompletionApi::CompletionApi(const ServeConfig& config, ModelInfo model, Engine& engine,
                             Metrics& metrics)
    : model_(std::move(model)), engine_(engine), metrics_(metrics) {
  model_.entry = "POST /v1/completions";
  limits_.max_choices = config.max_choices;
  limits_.strict = config.strict;
  const text::Tokenizer& tokenizer = engine.tokenizer();
  for (int64_t id = 0; id < tokenizer.vocab_size(); ++id) {
    const auto size = tokenizer.token_bytes(static_cast<int32_t>(id)).size();
    longest_token_ = std::max(longest_token_, static_cast<int64_t>(size));
  }
}

std::vector<Route> CompletionApi::routes(const std::atomic<bool>& /*draining*/) {
  return {
      {"GET", "/v1/models/{model}", false, false, [this](Call& call) { return show_model(call); }},
      {"POST", "/v1/completions", false, true, [this](Call& call) { return complete(call); }}};
}

Reply CompletionApi::no_model(std::string_view id) const {
  return error_reply(request_error(
      404,
      fmt::format("The model '{}' does not exist; this server has '{}'.", excerpt(id), model_.id),
      "model_not_found", "model"));
}

Outcome CompletionApi::show_model(const Call& call) const {
  const std::string& id = call.names[0];
  if (id != model_.id) return no_model(id);
  Reply reply;
  reply.body = model_json(model_);
  return reply;
}

Outcome CompletionApi::complete(Call& call) {
  const auto parsed = parse_completion(call.body, limits_);
  if (const auto* error = std::get_if<ApiError>(&parsed)) return error_reply(*error);
  const auto& request = std::get<CompletionRequest>(parsed);
  if (request.model != model_.id) return no_model(request.model);
  std::vector<Choice> choices;
  auto error = make_choices(request, scratch_[call.lane], choices);
  if (!error) error = bound_result(request, choices);
  if (error) return error_reply(*error);
  return submit(request, std::move(choices), std::move(call.notify));
}

std::optional<ApiError> CompletionApi::tokenize(const Prompt& prompt, text::EncodeScratch& scratch,
                                                std::vector<int32_t>& ids) const {
  const int64_t context = engine_.spec().context;
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    // A text that cannot fit however it is cut is refused without cutting it.
    const int64_t at_least = static_cast<int64_t>(text->size()) / longest_token_;
    if (at_least > context) {
      return request_error(
          400,
          fmt::format("This model's maximum context length is {} tokens, however your "
                      "prompt has at least {}. Please reduce your prompt.",
                      context, at_least),
          "context_length_exceeded", "prompt");
    }
    engine_.tokenizer().encode(*text, text::Added::kPlain, scratch, ids);
  } else {
    ids = std::get<std::vector<int32_t>>(prompt);
  }
  const int64_t vocab = models::drawable_ids(engine_.spec(), engine_.tokenizer());
  for (const int32_t id : ids) {
    if (id < vocab) continue;
    return request_error(
        400,
        fmt::format("'prompt' holds token {} but the vocabulary has {}. Ids are 0 to {}.", id,
                    vocab, vocab - 1),
        "", "prompt");
  }
  if (!ids.empty()) return std::nullopt;
  // As in training, where a document follows this token.
  const auto& tokenizer = engine_.tokenizer();
  const auto start = tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
  if (!start) return request_error(400, "'prompt' is empty.", "", "prompt");
  ids.push_back(*start);
  return std::nullopt;
}

std::optional<ApiError> CompletionApi::size_up(const CompletionRequest& request, int64_t prompt,
                                               int64_t& max_tokens) const {
  const int64_t context = engine_.spec().context;
  const int64_t room = context - prompt;
  max_tokens = request.max_tokens.value_or(std::min(kDefaultMaxTokens, room));
  const int64_t wanted = request.max_tokens.value_or(1);
  if (wanted <= room) return std::nullopt;
  return request_error(
      400,
      fmt::format("This model's maximum context length is {} tokens, however you "
                  "requested {} tokens ({} in your prompt; {} for the completion). "
                  "Please reduce your prompt; or completion length.",
                  context, prompt + wanted, prompt, wanted),
      "context_length_exceeded", prompt < context ? "max_tokens" : "prompt");
}

/// A request is one answer: what it may hold is bounded before anything is computed.
std::optional<ApiError> CompletionApi::bound_result(const CompletionRequest& request,
                                                    const std::vector<Choice>& choices) const {
  const int64_t entries = request.logprobs.value_or(0) + 1;
  int64_t tokens = 0;
  for (const Choice& choice : choices) {
    tokens += choice.options.max_tokens;
    if (request.echo) tokens += static_cast<int64_t>(choice.prompt.size());
  }
  if (tokens * entries <= limits_.max_result) return std::nullopt;
  return request_error(
      400,
      fmt::format(
          "{} prompts times n = {} may give {} tokens with {} entries each (logprobs + 1), {} "
          "in all, but {} are allowed. Please reduce 'max_tokens', 'n' or 'logprobs', or "
          "send several requests.",
          request.prompts.size(), request.n, tokens, entries, tokens * entries, limits_.max_result),
      "result_too_large", "max_tokens");
}

std::optional<ApiError> CompletionApi::make_choices(const CompletionRequest& request,
                                                    text::EncodeScratch& scratch,
                                                    std::vector<Choice>& choices) {
  const int64_t vocab = models::drawable_ids(engine_.spec(), engine_.tokenizer());
  if (!request.logit_bias.empty() && request.logit_bias.back().first >= vocab) {
    return request_error(400,
                         fmt::format("'logit_bias' names token {} but the vocabulary has {}.",
                                     request.logit_bias.back().first, vocab),
                         "", "logit_bias");
  }
  const uint64_t seed = request.seed ? *request.seed : identifiers_.next_seed();
  for (const Prompt& prompt : request.prompts) {
    Choice choice;
    choice.options = options_of(request);
    choice.options.sampling.seed = seed;
    auto error = tokenize(prompt, scratch, choice.prompt);
    if (!error) {
      error =
          size_up(request, static_cast<int64_t>(choice.prompt.size()), choice.options.max_tokens);
    }
    if (error) return error;
    for (int64_t i = 0; i < request.n; ++i) {
      choice.options.sampling.stream = static_cast<uint32_t>(i);
      choices.push_back(choice);
    }
  }
  return std::nullopt;
}

Outcome CompletionApi::submit(const CompletionRequest& request, std::vector<Choice> choices,
                              std::function<void()> notify) {
  CompletionForm form;
  form.n = request.n;
  form.choices = static_cast<int64_t>(choices.size());
  form.stream = request.stream;
  form.include_usage = request.include_usage;
  form.logprobs = request.logprobs.value_or(-1);
  Submitted submitted = engine_.submit(std::move(choices), request.stream, std::move(notify));
  if (submitted.error == SubmitError::kStopped) return error_reply(stopping_error());
  if (submitted.error == SubmitError::kQueueFull) {
    return error_reply(queue_full_error(metrics_.retry_after_s(engine_.config().max_batch)));
  }
  CompletionHead head{identifiers_.next("cmpl-"), unix_seconds(), model_.id, model_.fingerprint};
  return std::make_unique<CompletionJob>(
      std::move(submitted.stream), CompletionWriter(std::move(head), form, engine_.tokenizer()),
      request.stream, header_list(request.ignored));
}

}  // namespace ingot::serve
