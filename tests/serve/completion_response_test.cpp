// SPDX-License-Identifier: Apache-2.0
// The JSON of answers, literally; whole servers' answers are in http_test.
#include "serve/completion_response.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "models/fake_model.h"

namespace ingot::serve::completion_response_test {
namespace {

using models::FinishReason;
using testing::FakeTokenizer;
using testing::kEuroHead;
using testing::kHello;

const FakeTokenizer kTokenizer;
const CompletionHead kHead = {"cmpl-1", 5, "m", ""};

Event event_of(std::string text, FinishReason finish = FinishReason::kNone) {
  Event event;
  event.piece.text = std::move(text);
  event.finish = finish;
  event.prompt_tokens = 2;
  event.completion_tokens = 3;
  return event;
}

TEST(CompletionResponse, LogprobsShowBrokenCharactersAndTheTokenItself) {
  CompletionWriter writer(kHead, {.logprobs = 1}, kTokenizer);
  Event event = event_of("hello\xEF\xBF\xBD", FinishReason::kLength);
  event.piece.tokens = {
      {kHello, 0, false, 0.0F, {}},
      {kEuroHead, 5, true, -2.5F, {{'"', -0.5F}}},
      {'a', 6, true, -std::numeric_limits<float>::infinity(), {{'a', -1.0F}, {'b', -2.0F}}},
  };
  writer.collect(event);
  ASSERT_TRUE(writer.done());
  EXPECT_EQ(writer.body(),
            R"({"id":"cmpl-1","object":"text_completion","created":5,"model":"m",)"
            R"("system_fingerprint":null,"choices":[{"text":"hello)"
            "\uFFFD"
            R"(","index":0,"logprobs":)"
            R"({"tokens":["hello","bytes:\\xe2\\x82","a"],"token_logprobs":[null,-2.5,-9999],)"
            R"("top_logprobs":[null,{"\"":-0.5,"bytes:\\xe2\\x82":-2.5},{"a":-1,"b":-2}],)"
            R"("text_offset":[0,5,6]},"finish_reason":"length"}],)"
            R"("usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}})");
}

TEST(CompletionResponse, LogprobsZeroHasNoAlternatives) {
  CompletionWriter writer(kHead, {.stream = true, .logprobs = 0}, kTokenizer);
  Event event = event_of("a");
  event.piece.tokens = {{'a', 0, true, -1.0F, {}}};
  EXPECT_NE(writer.chunks(event).find(
                R"("logprobs":{"tokens":["a"],"token_logprobs":[-1],"top_logprobs":null,)"
                R"("text_offset":[0]},"finish_reason":null)"),
            std::string::npos);
}

TEST(CompletionResponse, AStreamWithoutUsageHasNoUsageAtAll) {
  CompletionWriter writer(kHead, {.stream = true}, kTokenizer);
  const std::string head =
      R"(data: {"id":"cmpl-1","object":"text_completion","created":5,"model":"m",)"
      R"("system_fingerprint":null,"choices":[{"text":)";
  EXPECT_EQ(writer.chunks(event_of("x", FinishReason::kStop)),
            head + R"("x","index":0,"logprobs":null,"finish_reason":null}]})" + "\n\n" + head +
                R"("","index":0,"logprobs":null,"finish_reason":"stop"}]})" +
                "\n\ndata: [DONE]\n\n");
}

TEST(CompletionResponse, DoneComesAfterTheLastChoiceOnly) {
  CompletionWriter writer(kHead, {.n = 2, .choices = 2, .stream = true}, kTokenizer);
  Event second = event_of("", FinishReason::kStop);
  second.choice = 1;
  EXPECT_EQ(writer.chunks(second).find("[DONE]"), std::string::npos);
  EXPECT_NE(writer.chunks(event_of("", FinishReason::kStop)).find("[DONE]"), std::string::npos);
}

TEST(CompletionResponse, AFailedStreamEndsWithAnErrorAndWithoutDone) {
  CompletionWriter writer(kHead, {.stream = true}, kTokenizer);
  Event failed = event_of("", FinishReason::kError);
  failed.error = "sorry";
  EXPECT_EQ(writer.chunks(failed),
            "data: {\"error\":{\"message\":\"sorry\",\"type\":\"server_error\",\"param\":null,"
            "\"code\":null}}\n\n");
  EXPECT_TRUE(writer.done());
  EXPECT_EQ(writer.chunks(event_of("late")), "");
}

}  // namespace
}  // namespace ingot::serve::completion_response_test
