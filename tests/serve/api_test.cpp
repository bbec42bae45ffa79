// SPDX-License-Identifier: Apache-2.0
// Decisions without sockets: every route declares its method and needs the key unless it is open.
// What the answers look like on the wire is in http_test and connection_test.
#include "serve/api.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "models/fake_model.h"

namespace ingot::serve {
namespace {

using testing::FakeDecoder;
using testing::FakeTokenizer;

class ApiTest : public ::testing::Test {
 protected:
  [[nodiscard]] Api make(const std::string& key) {
    ServeConfig config;
    config.api_key = key;
    return {config, ModelInfo{"org/model", 1, ""}, engine_, metrics_};
  }
  static RequestHead head(std::string_view method, std::string_view target) {
    return {method, target, "localhost", "", "", ""};
  }

  FakeTokenizer tokenizer_;
  FakeDecoder decoder_;
  Metrics metrics_;
  Engine engine_{decoder_, tokenizer_, {}, metrics_};
};

TEST_F(ApiTest, OnlyHealthAndReadyAreOpen) {
  const Api api = make("key");
  for (const char* path :
       {"/metrics", "/v1/models", "/v1/models/x", "/nowhere", "*", "", "/health/"}) {
    const auto refusal = api.gate(head("GET", path));
    ASSERT_TRUE(refusal.has_value()) << path;
    EXPECT_EQ(refusal->status, 401) << path;
  }
  EXPECT_EQ(api.gate(head("POST", "/v1/completions"))->status, 401);
  EXPECT_FALSE(api.gate(head("GET", "/health?x=1")).has_value());
  EXPECT_FALSE(api.gate(head("HEAD", "/ready")).has_value());
}

TEST_F(ApiTest, KeysAreComparedWhole) {
  const Api api = make("key");
  for (const char* value :
       {"Bearer ke", "Bearer keyy", "Bearer KEY", "Basic key", "key", "Bearer"}) {
    RequestHead request = head("GET", "/metrics");
    request.authorization = value;
    EXPECT_TRUE(api.gate(request).has_value()) << value;
  }
  RequestHead request = head("GET", "/metrics");
  request.authorization = "Bearer  key ";
  EXPECT_FALSE(api.gate(request).has_value());
}

TEST_F(ApiTest, WrongMethodsNameTheRightOne) {
  const Api api = make("");
  const auto refusal = api.gate(head("DELETE", "/v1/completions"));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->status, 405);
  EXPECT_EQ(refusal->allow, "POST");
  EXPECT_NE(refusal->body.find("Method not allowed (DELETE /v1/completions); use POST."),
            std::string::npos);
  EXPECT_EQ(api.gate(head("GET", "/v2"))->status, 404);
}

TEST_F(ApiTest, ModelNamesMayHoldSlashes) {
  const Api api = make("");
  EXPECT_EQ(api.get(head("GET", "/v1/models/org/model")).status, 200);
  EXPECT_EQ(api.get(head("GET", "/v1/models/org%2Fmodel")).status, 200);
  const Reply missing = api.get(head("GET", "/v1/models/x%"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(
      missing.body,
      R"({"error":{"message":"The model 'x%' does not exist.","type":"invalid_request_error",)"
      R"("param":"model","code":"model_not_found"}})");
}

TEST_F(ApiTest, RequestIdentifiersDiffer) {
  Api api = make("");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(api.next_request_id());
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(ApiTest, AnEmptyPromptStartsFromTheEndOfTextToken) {
  Api api = make("");
  text::EncodeScratch scratch(0);
  auto result =
      api.complete(R"({"model":"org/model","prompt":"","max_tokens":0})", scratch, nullptr);
  ASSERT_TRUE(std::holds_alternative<Job>(result));
  Job& job = std::get<Job>(result);
  while (!job.writer.done()) {
    for (Event& event : job.stream->drain()) job.writer.collect(std::move(event));
  }
  EXPECT_NE(job.writer.body().find(R"("prompt_tokens":1,"completion_tokens":0)"),
            std::string::npos);
}

}  // namespace
}  // namespace ingot::serve
