// SPDX-License-Identifier: Apache-2.0
// Decisions without sockets: every route declares its method and needs the key unless it is open.
// A model of fake routes; those of real ones are in completion_api_test and predict_api_test.
// What the answers look like on the wire is in http_test and connection_test.
#include "serve/api.h"

#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ingot::serve::api_test {
namespace {

/// A model with one route of each kind.
class FakeApi final : public ModelApi {
 public:
  [[nodiscard]] std::vector<Route> routes(const std::atomic<bool>& /*draining*/) override {
    const auto named = [](Call& call) {
      Reply reply;
      for (const std::string& name : call.names) reply.body += name + ";";
      return reply;
    };
    return {{"POST", "/things/{thing}/parts/{part}:ask", false, true, named},
            {"POST", "/things/{thing}:ask", false, true, named},
            {"GET", "/things/{thing}", false, false, named}};
  }
  [[nodiscard]] const ModelInfo& model() const override { return model_; }
  [[nodiscard]] std::string error_body(const ApiError& error) const override {
    return nested_error_json(error);
  }

 private:
  ModelInfo model_{"org/model", 1, "", "POST /things/x:ask"};
};

class ApiTest : public ::testing::Test {
 protected:
  std::unique_ptr<Api> make(const std::string& key) {
    ServeConfig config;
    config.api_key = key;
    return std::make_unique<Api>(config, model_, metrics_);
  }
  static RequestHead head(std::string_view method, std::string_view target) {
    return {method, target, "localhost", "", "", "", ""};
  }
  static Reply refusal(const Api& api, const RequestHead& head) {
    const auto entry = api.admit(head);
    return std::holds_alternative<Reply>(entry) ? std::get<Reply>(entry) : Reply();
  }
  static int status(const Api& api, const RequestHead& head) { return refusal(api, head).status; }
  static Reply answer(const Api& api, const RequestHead& head) {
    auto entry = api.admit(head);
    if (std::holds_alternative<Reply>(entry)) return std::get<Reply>(entry);
    auto& admitted = std::get<Admitted>(entry);
    return std::get<Reply>(api.answer(*admitted.route, Call{head, admitted.names, "", 0, {}}));
  }

  FakeApi model_;
  Metrics metrics_;
};

TEST_F(ApiTest, OnlyOpenRoutesNeedNoKey) {
  const auto api = make("key");
  for (const char* path :
       {"/metrics", "/v1/models", "/things/x", "/nowhere", "*", "", "/health/"}) {
    EXPECT_EQ(status(*api, head("GET", path)), 401) << path;
  }
  EXPECT_EQ(status(*api, head("POST", "/things/x:ask")), 401);
  EXPECT_EQ(status(*api, head("GET", "/health?x=1")), 200);
  EXPECT_EQ(status(*api, head("HEAD", "/ready")), 200);
}

TEST_F(ApiTest, KeysAreComparedWhole) {
  const auto api = make("key");
  for (const char* value :
       {"Bearer ke", "Bearer keyy", "Bearer KEY", "Basic key", "key", "Bearer"}) {
    RequestHead request = head("GET", "/metrics");
    request.authorization = value;
    EXPECT_EQ(status(*api, request), 401) << value;
  }
  RequestHead request = head("GET", "/metrics");
  request.authorization = "Bearer  key ";
  EXPECT_EQ(status(*api, request), 200);
}

TEST_F(ApiTest, WrongMethodsNameTheRightOne) {
  const auto api = make("");
  const Reply reply = refusal(*api, head("DELETE", "/things/x:ask"));
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.allow, "POST");
  EXPECT_NE(reply.body.find("Method not allowed (DELETE /things/x:ask); use POST."),
            std::string::npos);
  EXPECT_EQ(status(*api, head("GET", "/v2")), 404);
}

TEST_F(ApiTest, UnknownPathsNameOneThatAsksTheModel) {
  const auto api = make("");
  const Reply reply = refusal(*api, head("POST", "/nowhere"));
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find("Invalid URL (POST /nowhere). The model 'org/model' answers POST "
                            "/things/x:ask."),
            std::string::npos)
      << reply.body;
}

TEST_F(ApiTest, PackedBodiesAreRefusedByTheirHeader) {
  const auto api = make("");
  const auto packed = [&](std::string_view encoding) {
    RequestHead request = head("POST", "/things/x:ask");
    request.content_encoding = encoding;
    return refusal(*api, request);
  };
  for (const char* plain : {"", "identity", " Identity"}) EXPECT_EQ(packed(plain).status, 200);
  for (const char* encoding : {"gzip", "br", "gzip, identity"}) {
    const Reply reply = packed(encoding);
    EXPECT_EQ(reply.status, 415) << encoding;
    EXPECT_EQ(reply.more_lines, "Accept-Encoding: identity\r\n");
  }
  EXPECT_EQ(
      packed("gzip").body,
      R"({"error":{"message":"The body has the Content-Encoding 'gzip', but bodies are read as )"
      R"(they are. Send it without one.","type":"invalid_request_error","param":null,)"
      R"("code":"unsupported_encoding"}})");
}

TEST_F(ApiTest, TheFirstRowThatMatchesAnswers) {
  const auto api = make("");
  EXPECT_EQ(answer(*api, head("GET", "/things/a")).body, "a;");
  EXPECT_EQ(answer(*api, head("POST", "/things/a:ask?x=1")).body, "a;");
  EXPECT_EQ(answer(*api, head("POST", "/things/a%2Fb/parts/2:ask")).body, "a/b;2;");
  EXPECT_EQ(answer(*api, head("GET", "/v1/models")).body,
            R"({"object":"list","data":[{"id":"org/model","object":"model","created":1,)"
            R"("owned_by":"ingot"}]})");
}

TEST_F(ApiTest, WorkForTheModelIsRefusedWhileDraining) {
  const auto api = make("");
  api->start_draining();
  EXPECT_EQ(answer(*api, head("POST", "/things/a:ask")).status, 503);
  EXPECT_EQ(answer(*api, head("GET", "/things/a")).status, 200);
  EXPECT_EQ(answer(*api, head("GET", "/ready")).body, R"({"status":"draining"})");
}

TEST_F(ApiTest, RequestIdentifiersDiffer) {
  const auto api = make("");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(api->next_request_id());
  EXPECT_EQ(seen.size(), 100U);
}

}  // namespace
}  // namespace ingot::serve::api_test
