// SPDX-License-Identifier: Apache-2.0
// Every field of a completion request, right and wrong, as tables of bodies and answers.
#include "serve/completion_request.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::serve::completion_request_test {
namespace {

std::string body(const std::string& fields) {
  return R"({"model":"m","prompt":"p")" + (fields.empty() ? "" : "," + fields) + "}";
}

CompletionRequest good(const std::string& text, const RequestLimits& limits = {}) {
  auto result = parse_completion(text, limits);
  if (const auto* error = std::get_if<ApiError>(&result)) {
    ADD_FAILURE() << text << " gave " << error->message;
    return {};
  }
  return std::get<CompletionRequest>(result);
}

ApiError bad(const std::string& text, const RequestLimits& limits = {}) {
  auto result = parse_completion(text, limits);
  if (const auto* error = std::get_if<ApiError>(&result)) return *error;
  ADD_FAILURE() << text << " was accepted";
  return {};
}

TEST(CompletionRequest, DefaultsAreTheApis) {
  const CompletionRequest request = good(body(""));
  EXPECT_EQ(request.model, "m");
  EXPECT_EQ(std::get<std::string>(request.prompts.at(0)), "p");
  EXPECT_FALSE(request.max_tokens.has_value());
  EXPECT_EQ(request.temperature, 1.0);
  EXPECT_EQ(request.top_p, 1.0);
  EXPECT_EQ(request.n, 1);
  EXPECT_FALSE(request.stream);
  EXPECT_FALSE(request.seed.has_value());
}

TEST(CompletionRequest, EveryFieldIsRead) {
  const CompletionRequest request = good(body(
      R"("max_tokens":7,"temperature":0,"top_p":0.5,"top_k":3,"repetition_penalty":1.1,"n":2,)"
      R"("best_of":2,"stream":true,"stream_options":{"include_usage":true},"logprobs":2,)"
      R"("echo":true,"stop":["a","b"],"presence_penalty":-1,"frequency_penalty":2,)"
      R"("logit_bias":{"5":-100,"3":1.5},"seed":-1,"user":"u","suffix":null,"ignore_eos":true,)"
      R"("new_thing":1)"));
  EXPECT_EQ(request.max_tokens, 7);
  EXPECT_EQ(request.temperature, 0.0);
  EXPECT_EQ(request.top_p, 0.5);
  EXPECT_EQ(request.top_k, 3);
  EXPECT_EQ(request.repetition_penalty, 1.1);
  EXPECT_EQ(request.n, 2);
  EXPECT_TRUE(request.stream && request.include_usage && request.echo && request.ignore_eos);
  EXPECT_EQ(request.logprobs, 2);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request.presence_penalty, -1.0);
  EXPECT_EQ(request.frequency_penalty, 2.0);
  const std::vector<std::pair<int32_t, float>> bias = {{3, 1.5F}, {5, -100.0F}};
  EXPECT_EQ(request.logit_bias, bias);
  EXPECT_EQ(request.seed, ~uint64_t{0});
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.ignored, (std::vector<std::string>{"new_thing"}));
}

TEST(CompletionRequest, PromptsComeInFourForms) {
  const auto prompts = [](const std::string& prompt) {
    return good(R"({"model":"m","prompt":)" + prompt + "}").prompts;
  };
  EXPECT_EQ(prompts(R"(["a","b"])"), (std::vector<Prompt>{"a", "b"}));
  EXPECT_EQ(prompts("[1,2]"), (std::vector<Prompt>{std::vector<int32_t>{1, 2}}));
  EXPECT_EQ(prompts("[[1],[2,3]]"),
            (std::vector<Prompt>{std::vector<int32_t>{1}, std::vector<int32_t>{2, 3}}));
  EXPECT_EQ(prompts(R"("")"), (std::vector<Prompt>{""}));
}

struct Wrong {
  std::string fields;
  std::string param;
  std::string message;
};

TEST(CompletionRequest, WrongValuesAreNamedLiterally) {
  const std::vector<Wrong> table = {
      {R"("max_tokens":-1)", "max_tokens",
       "'max_tokens' is -1 but must be between 0 and 2147483647."},
      {R"("max_tokens":1.5)", "max_tokens", "'max_tokens' must be an integer, but is a number."},
      {R"("max_tokens":99999999999999999999)", "max_tokens",
       "'max_tokens' is 1e+20 but must be between 0 and 2147483647."},
      {R"("max_tokens":1e30)", "max_tokens",
       "'max_tokens' is 1e+30 but must be between 0 and 2147483647."},
      {R"("max_tokens":-1e30)", "max_tokens",
       "'max_tokens' is -1e+30 but must be between 0 and 2147483647."},
      {R"("max_tokens":2147483647.5)", "max_tokens",
       "'max_tokens' is 2147483647.5 but must be between 0 and 2147483647."},
      {R"("max_tokens":18446744073709551615)", "max_tokens",
       "'max_tokens' is 18446744073709551615 but must be between 0 and 2147483647."},
      {R"("temperature":"hot")", "temperature", "'temperature' must be a number, but is a string."},
      {R"("temperature":-0.1)", "temperature",
       "'temperature' is -0.1 but must be between 0 and 2."},
      {R"("temperature":2.5)", "temperature", "'temperature' is 2.5 but must be between 0 and 2."},
      {R"("top_p":1.1)", "top_p", "'top_p' is 1.1 but must be between 0 and 1."},
      {R"("top_k":-2)", "top_k", "'top_k' is -2 but must be between -1 and 2147483647."},
      {R"("n":0)", "n", "'n' is 0 but must be between 1 and 128."},
      {R"("n":-9223372036854775808)", "n",
       "'n' is -9223372036854775808 but must be between 1 and 128."},
      {R"("best_of":3)", "best_of", "'best_of' is 3 but only the value of 'n' (1) is supported."},
      {R"("stream":1)", "stream", "'stream' must be true or false, but is a number."},
      {R"("stream_options":{"include_usage":true})", "stream_options",
       "'stream_options' is only allowed when 'stream' is true."},
      {R"("stream":true,"stream_options":[])", "stream_options",
       "'stream_options' must be an object, but is an array."},
      {R"("logprobs":21)", "logprobs", "'logprobs' is 21 but must be between 0 and 20."},
      {R"("stop":["a",1])", "stop", "'stop[1]' must be a string, but is a number."},
      {R"("stop":"")", "stop", "'stop' holds an empty string."},
      {R"("stop":{"a":1})", "stop",
       "'stop' must be a string or an array of strings, but is an object."},
      {R"("logit_bias":{"x":1})", "logit_bias",
       "'logit_bias' has the key \"x\" which is not a token id."},
      {R"("logit_bias":{"-1":1})", "logit_bias",
       "'logit_bias' has the key \"-1\" which is not a token id."},
      {R"("logit_bias":{"1":101})", "logit_bias",
       "'logit_bias' is 101 but must be between -100 and 100."},
      {R"("logit_bias":{"1":1,"01":2})", "logit_bias", "'logit_bias' names token 1 twice."},
      {R"("seed":"x")", "seed", "'seed' must be an integer, but is a string."},
      {R"("seed":0.5)", "seed", "'seed' must be an integer, but is a number."},
      {R"("seed":18446744073709551616)", "seed",
       "'seed' is 1.8446744073709552e+19 but must be between -9223372036854775808 and "
       "18446744073709551615."},
      {R"("suffix":"x")", "suffix", "'suffix' is not supported by this model. Leave it out."},
      {R"("suffix":7)", "suffix", "'suffix' is not supported by this model. Leave it out."},
      {R"("user":[])", "user", "'user' must be a string, but is an array."},
      {R"("presence_penalty":3)", "presence_penalty",
       "'presence_penalty' is 3 but must be between -2 and 2."},
  };
  for (const Wrong& wrong : table) {
    const ApiError error = bad(body(wrong.fields));
    EXPECT_EQ(error.status, 400) << wrong.fields;
    EXPECT_EQ(error.type, "invalid_request_error") << wrong.fields;
    EXPECT_EQ(error.param, wrong.param) << wrong.fields;
    EXPECT_EQ(error.message, wrong.message) << wrong.fields;
  }
}

TEST(CompletionRequest, WrongPromptsAreNamed) {
  const std::string forms =
      "'prompt' must be a string, an array of strings, an array of token ids or an array of arrays "
      "of token ids, but is ";
  const std::vector<Wrong> table = {
      {"1", "prompt", forms + "a number."},
      {"{}", "prompt", forms + "an object."},
      {"[]", "prompt", "'prompt' is an empty array."},
      {R"(["a",1])", "prompt", "'prompt[1]' must be a string like 'prompt[0]', but is a number."},
      {R"(["a","b",["c"]])", "prompt",
       "'prompt[2]' must be a string like 'prompt[0]', but is an array."},
      {R"([1,"a"])", "prompt", "'prompt[1]' must be an integer, but is a string."},
      {"[1,-1]", "prompt", "'prompt[1]' is -1 but must be between 0 and 2147483647."},
      {"[1,1e3]", "prompt", "'prompt[1]' must be an integer, but is a number."},
      {"[[1],2]", "prompt",
       "'prompt[1]' must be an array of token ids like 'prompt[0]', but is a number."},
      {"[[1],[2,4294967296]]", "prompt",
       "'prompt[1][1]' is 4294967296 but must be between 0 and 2147483647."},
      {R"([[1],["a"]])", "prompt", "'prompt[1][0]' must be an integer, but is a string."},
      {"[true]", "prompt",
       "'prompt[0]' must be a string, a token id or an array of token ids, but is a boolean."},
      {"null", "prompt", "You must provide a 'prompt' parameter."},
  };
  for (const Wrong& wrong : table) {
    const ApiError error = bad(R"({"model":"m","prompt":)" + wrong.fields + "}");
    EXPECT_EQ(error.message, wrong.message) << wrong.fields;
    EXPECT_EQ(error.param, wrong.param);
  }
  EXPECT_EQ(bad(R"({"prompt":"p"})").message, "You must provide a 'model' parameter.");
  RequestLimits limits;
  limits.max_choices = 4;
  EXPECT_EQ(bad(R"({"model":"m","prompt":["a","b","c"],"n":2})", limits).message,
            "3 prompts times n = 2 are 6 completions but 4 are allowed.");
}

TEST(CompletionRequest, TextThatIsNoJsonIsRefusedWithItsPlace) {
  const std::string deep = std::string(250000, '[') + std::string(250000, ']');
  const std::vector<std::string> table = {
      "",
      "{",
      "nonsense",
      R"({"model":"m","prompt":"p"} x)",
      R"({"model":"m","model":"n","prompt":"p"})",
      R"({"model":"m","prompt":"p","temperature":NaN})",
      R"({"model":"m","prompt":"p","temperature":Infinity})",
      R"({"model":"m","prompt":"p","temperature":1e400})",
      R"({"model":"m","prompt":"p","temperature":-})",
      R"({"model":"m","prompt":"\ud800"})",
      "{\"model\":\"m\",\"prompt\":\"\xFF\"}",
      "{\"model\":\"m\",\"prompt\":\"\xC0\xAF\"}",
      std::string("{\"model\":\"m\",\"prompt\":\"a\0\"}", 27),
      deep,
      R"({"model":"m","prompt":)" + deep + "}",
  };
  for (const std::string& text : table) {
    const ApiError error = bad(text);
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.param, "");
    EXPECT_EQ(error.message.find("We could not parse the JSON body of your request: body:1:"), 0U)
        << error.message;
  }
  EXPECT_EQ(bad("[1]").message, "The body must be a JSON object, but is an array.");
}

TEST(CompletionRequest, UnknownFieldsAreErrorsWhenStrict) {
  RequestLimits limits;
  limits.strict = true;
  const ApiError error = bad(body(R"("temprature":1)"), limits);
  EXPECT_EQ(error.message,
            "Unrecognized request argument supplied: temprature. Did you mean \"temperature\"?");
  EXPECT_EQ(error.param, "temprature");
}

TEST(CompletionRequest, NoPrefixOfARequestCrashes) {
  const std::string text = body(R"("logit_bias":{"1":1},"stop":["a"],"n":2,"stream":true)");
  for (size_t size = 0; size < text.size(); ++size) (void)bad(text.substr(0, size));
}

}  // namespace
}  // namespace ingot::serve::completion_request_test
