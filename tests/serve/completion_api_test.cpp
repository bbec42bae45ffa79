// SPDX-License-Identifier: Apache-2.0
// Completions without sockets: what the wire tests cannot see at a glance.
#include "serve/completion_api.h"

#include <string>

#include <gtest/gtest.h>

#include "models/fake_model.h"
#include "serve/api.h"

namespace ingot::serve::completion_api_test {
namespace {

using testing::FakeDecoder;
using testing::FakeTokenizer;

class CompletionApiTest : public ::testing::Test {
 protected:
  Outcome ask(std::string_view method, std::string_view target, std::string_view body) {
    const RequestHead head{method, target, "localhost", "", "", "", ""};
    auto entry = api_.admit(head);
    if (auto* refusal = std::get_if<Reply>(&entry)) return std::move(*refusal);
    auto& admitted = std::get<Admitted>(entry);
    return api_.answer(*admitted.route, Call{head, admitted.names, body, 0, {}});
  }

  FakeTokenizer tokenizer_;
  FakeDecoder decoder_;
  Metrics metrics_;
  Engine engine_{decoder_, tokenizer_, {}, metrics_};
  CompletionApi completions_{{}, ModelInfo{"org/model", 1, ""}, engine_, metrics_};
  Api api_{{}, completions_, metrics_};
};

TEST_F(CompletionApiTest, ModelNamesMayHoldSlashes) {
  for (const char* path : {"/v1/models/org/model", "/v1/models/org%2Fmodel"}) {
    EXPECT_EQ(std::get<Reply>(ask("GET", path, "")).status, 200) << path;
  }
  const Reply missing = std::get<Reply>(ask("GET", "/v1/models/x%", ""));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body,
            R"({"error":{"message":"The model 'x%' does not exist; this server has 'org/model'.",)"
            R"("type":"invalid_request_error","param":"model","code":"model_not_found"}})");
}

TEST_F(CompletionApiTest, ARequestOfAnotherKindIsToldWhatTheModelAnswers) {
  const Reply chat = std::get<Reply>(ask("POST", "/v1/chat/completions", "{}"));
  EXPECT_EQ(chat.status, 404);
  EXPECT_EQ(
      chat.body,
      R"({"error":{"message":"Invalid URL (POST /v1/chat/completions). The model 'org/model' )"
      R"(answers POST /v1/completions.","type":"invalid_request_error","param":null,)"
      R"("code":"unknown_url"}})");
}

TEST_F(CompletionApiTest, AnEmptyPromptStartsFromTheEndOfTextToken) {
  Outcome outcome =
      ask("POST", "/v1/completions", R"({"model":"org/model","prompt":"","max_tokens":0})");
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<Job>>(outcome));
  Job& job = *std::get<std::unique_ptr<Job>>(outcome);
  while (!job.done()) EXPECT_EQ(job.take(), "");
  EXPECT_NE(job.reply().body.find(R"("prompt_tokens":1,"completion_tokens":0)"), std::string::npos);
}

}  // namespace
}  // namespace ingot::serve::completion_api_test
