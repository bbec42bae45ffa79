// SPDX-License-Identifier: Apache-2.0
// Hostile and careless clients over real sockets: malformed HTTP, slow halves, floods, vanishing.
#include "serve/connection.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serve/serve_testing.h"

namespace ingot::serve::connection_test {
namespace {

using testing::ask;
using testing::Client;
using testing::complete;
using testing::eventually;
using testing::get;
using testing::post;
using testing::Response;
using testing::Service;

struct Malformed {
  std::string request;
  int status;
};

TEST(Connection, MalformedHttpGetsItsStatusAndTheServerGoesOn) {
  ServeConfig config;
  config.max_body_bytes = 1000;
  config.max_header_bytes = 1024;
  Service service(config);
  const std::string host = "Host: localhost\r\n";
  const std::vector<Malformed> table = {
      {"GARBAGE\r\n\r\n", 400},
      {"GET /health HTTP/9.9\r\n" + host + "\r\n", 400},
      {"GET /health HTTP/1.1\r\n\r\n", 400},
      {"GET /health HTTP/1.1\r\nHost localhost\r\n\r\n", 400},
      {"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
      {"GET /health HTTP/1.1\r\n" + host + "bad header: 1\r\n\r\n", 400},
      {std::string("GET /health HTTP/1.1\r\nHost: a\0b\r\n\r\n", 35), 400},
      {"POST /v1/completions HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"POST /v1/completions HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n",
       400},
      {"POST /v1/completions HTTP/1.1\r\n" + host +
           "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
       400},
      {"POST /v1/completions HTTP/1.1\r\n" + host +
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST /v1/completions HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n",
       400},
      {"POST /v1/completions HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nab\r\n",
       400},
      {"POST /v1/completions HTTP/1.1\r\n" + host + "Content-Length: 1001\r\n\r\n", 413},
      {"POST /v1/completions HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3E9\r\n" +
           std::string(1001, 'x') + "\r\n0\r\n\r\n",
       413},
      {"GET /" + std::string(2000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 431},
      {"GET /health HTTP/1.1\r\n" + host + "X: " + std::string(5000, 'x'), 431},
      {"POST /v1/completions HTTP/1.1\r\n" + host + "\r\n", 400},
      {"PUT /v1/completions HTTP/1.1\r\n" + host + "\r\n", 405},
      {"GET /v1/completions HTTP/1.1\r\n" + host + "\r\n", 405},
      {"GET /v1/chat HTTP/1.1\r\n" + host + "\r\n", 404},
      {"POST /v1/completions HTTP/1.1\r\n" + host +
           "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
       415},
      {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 404},
  };
  for (const Malformed& row : table) {
    const Response response = ask(service.port(), row.request);
    EXPECT_EQ(response.status, row.status) << row.request.substr(0, 120) << "\n" << response.body;
    EXPECT_EQ(response.body.find(R"({"error":{"message":")"), 0U) << row.request.substr(0, 120);
    for (const char* member : {R"(,"type":")", R"(,"param":)", R"(,"code":)"}) {
      EXPECT_NE(response.body.find(member), std::string::npos) << response.body;
    }
  }
  EXPECT_EQ(ask(service.port(), get("/health")).status, 200);
}

TEST(Connection, WhatIsTooLargeNamesItsKey) {
  ServeConfig config;
  config.max_body_bytes = 1000;
  config.max_header_bytes = 1024;
  Service service(config);
  const std::string head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_EQ(ask(service.port(), head + "Content-Length: 1001\r\n\r\n").body,
            R"({"error":{"message":"The request's body is larger than 1000 bytes, the server's )"
            R"(serve.max_body_bytes. Send less at once, or start the server with more.",)"
            R"("type":"invalid_request_error","param":null,"code":"request_too_large"}})");
  EXPECT_NE(ask(service.port(), head + "X: " + std::string(5000, 'x'))
                .body.find("larger than 1024 bytes, the server's serve.max_header_bytes."),
            std::string::npos);
}

TEST(Connection, ErrorsAreLiteral) {
  ServeConfig config;
  config.api_key = "secret";
  Service service(config);
  const auto with_key = [&](const std::string& body) {
    return ask(service.port(), post(body, "Authorization: Bearer secret\r\n"));
  };
  Response response = ask(service.port(), post("{}"));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body,
            R"({"error":{"message":"You didn't provide an API key. Send it as 'Authorization: )"
            R"(Bearer KEY' or 'x-api-key: KEY'.","type":"invalid_request_error","param":null,)"
            R"("code":"invalid_api_key"}})");
  response = ask(service.port(), post("{}", "Authorization: Bearer Secret\r\n"));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body,
            R"({"error":{"message":"Incorrect API key provided.","type":"invalid_request_error",)"
            R"("param":null,"code":"invalid_api_key"}})");
  response = with_key(R"({"model":"other","prompt":"p"})");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body,
            R"({"error":{"message":"The model 'other' does not exist; this server has 'ingot'.",)"
            R"("type":"invalid_request_error","param":"model","code":"model_not_found"}})");
  response = with_key(R"({"model":"ingot","prompt":"0123456789","max_tokens":250})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(
      response.body,
      R"({"error":{"message":"This model's maximum context length is 256 tokens, however you )"
      R"(requested 260 tokens (10 in your prompt; 250 for the completion). Please reduce your )"
      R"(prompt; or completion length.","type":"invalid_request_error","param":"max_tokens",)"
      R"("code":"context_length_exceeded"}})");
  response = with_key(R"({"model":"ingot","prompt":")" + std::string(300, 'x') + "\"}");
  EXPECT_NE(response.body.find(R"("param":"prompt","code":"context_length_exceeded")"),
            std::string::npos);
  response = with_key(R"({"model":"ingot","prompt":")" + std::string(60000, 'x') + "\"}");
  EXPECT_NE(response.body.find("however your prompt has at least 4615."), std::string::npos)
      << response.body;
  response = with_key(R"({"model":"ingot","prompt":[260]})");
  EXPECT_NE(response.body.find("'prompt' holds token 260 but the vocabulary has 260."),
            std::string::npos);
  response = with_key(R"({"model":"ingot","prompt":"p","logit_bias":{"999":1}})");
  EXPECT_NE(response.body.find("'logit_bias' names token 999 but the vocabulary has 260."),
            std::string::npos);
  response = with_key(R"({"model":"ingot","prompt":"p","temperature":"x"})");
  EXPECT_EQ(response.body,
            R"({"error":{"message":"'temperature' must be a number, but is a string.",)"
            R"("type":"invalid_request_error","param":"temperature","code":null}})");
}

TEST(Connection, EveryRouteButHealthAndReadyNeedsTheKey) {
  ServeConfig config;
  config.api_key = "secret";
  Service service(config);
  for (const char* path : {"/v1/models", "/v1/models/ingot", "/metrics", "/v1/nothing", "/"}) {
    EXPECT_EQ(ask(service.port(), get(path)).status, 401) << path;
  }
  for (const char* path : {"/health", "/ready"}) {
    EXPECT_EQ(ask(service.port(), get(path)).status, 200) << path;
  }
  EXPECT_EQ(ask(service.port(), get("/metrics", "x-api-key: secret\r\n")).status, 200);
  EXPECT_EQ(ask(service.port(), get("/metrics", "authorization: bearer secret\r\n")).status, 200);
}

TEST(Connection, ForeignHostsAndOriginsAreRefusedOnLoopback) {
  ServeConfig config;
  config.allowed_hosts = "models.example, other";
  Service service(config);
  const auto status = [&](const std::string& host, const std::string& more = "") {
    return ask(service.port(), "GET /health HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n")
        .status;
  };
  EXPECT_EQ(status("localhost:80"), 200);
  EXPECT_EQ(status("127.0.0.1"), 200);
  EXPECT_EQ(status("[::1]:8080"), 200);
  EXPECT_EQ(status("Models.Example:443"), 200);
  EXPECT_EQ(status("evil.example"), 403);
  EXPECT_EQ(status("127.0.0.1.evil.example"), 403);
  EXPECT_EQ(status("localhost", "Origin: http://localhost:3000\r\n"), 200);
  EXPECT_EQ(status("localhost", "Origin: https://evil.example\r\n"), 403);
  EXPECT_EQ(status("localhost", "Origin: null\r\n"), 403);
  const auto through_proxy = [&](const std::string& target) {
    return ask(service.port(), "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status;
  };
  EXPECT_EQ(through_proxy("http://localhost/health"), 200);
  EXPECT_EQ(through_proxy("http://localhost/nothing"), 404);
  EXPECT_EQ(through_proxy("http://evil.example/health"), 403) << "it counts, not the Host header";
}

TEST(Connection, KeepsAliveAndAnswersPipelinedRequestsInOrder) {
  Service service;
  Client client(service.port());
  client.send(get("/health") + post(R"({"model":"ingot","prompt":"p","stream":true})") +
              get("/ready") + get("/health", "Connection: close\r\n"));
  EXPECT_EQ(client.response().body, R"({"status":"ok"})");
  EXPECT_NE(client.response().body.find("[DONE]"), std::string::npos);
  EXPECT_EQ(client.response().body, R"({"status":"ready"})");
  const Response last = client.response();
  EXPECT_EQ(last.status, 200);
  EXPECT_TRUE(last.has("Connection: close"));
  EXPECT_TRUE(client.closed());
}

TEST(Connection, OldClientsGetAStreamThatEndsWithTheConnection) {
  Service service;
  Client client(service.port());
  const std::string body = R"({"model":"ingot","prompt":"p","stream":true})";
  client.send("POST /v1/completions HTTP/1.0\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  const std::string head = client.until("\r\n\r\n");
  EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos);
  EXPECT_NE(client.until("data: [DONE]\n\n").find("finish_reason"), std::string::npos);
  EXPECT_TRUE(client.closed());
}

TEST(Connection, HeadAndExpectContinueAreUnderstood) {
  Service service;
  Client client(service.port());
  client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(client.until("\r\n\r\n").find("Content-Length: 15"), std::string::npos);
  const std::string body = R"({"model":"ingot","prompt":"p"})";
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(body);
  EXPECT_EQ(client.response().status, 200);
}

TEST(Connection, SlowHeadersAndBodiesGet408) {
  ServeConfig config;
  config.header_timeout_s = 0.05;
  config.body_timeout_s = 0.05;
  config.idle_timeout_s = 0.05;
  Service service(config);
  Client header(service.port());
  header.send("GET /health HTTP/1.1\r\nHo");
  Client body(service.port());
  body.send("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
  Client silent(service.port());
  const Response late = header.response();
  EXPECT_EQ(late.status, 408);
  EXPECT_EQ(late.body, R"({"error":{"message":"The request did not arrive in time.",)"
                       R"("type":"invalid_request_error","param":null,"code":"request_timeout"}})");
  EXPECT_EQ(body.response().status, 408);
  EXPECT_TRUE(silent.closed());
  Client idle(service.port());
  idle.send(get("/health"));
  EXPECT_EQ(idle.response().status, 200);
  EXPECT_TRUE(idle.closed());
}

TEST(Connection, AFullQueueAnswers429WithRetryAfter) {
  ServeConfig config;
  config.max_batch = 1;
  config.queue = 1;
  Service service(config);
  service.gate.set(false);
  const std::string request = post(R"({"model":"ingot","prompt":"p","max_tokens":4})");
  Client running(service.port());
  running.send(request);
  ASSERT_TRUE(
      eventually([&] { return service.metrics.running == 1 && service.metrics.waiting == 0; }));
  Client waiting(service.port());
  waiting.send(request);
  ASSERT_TRUE(eventually([&] { return service.metrics.waiting == 1; }));
  const Response refused = ask(service.port(), request);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.has("Retry-After: 1"));
  EXPECT_EQ(
      refused.body,
      R"({"error":{"message":"The queue of this server is full. Please retry after a while.",)"
      R"("type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}})");
  service.gate.set(true);
  EXPECT_EQ(running.response().status, 200);
  EXPECT_EQ(waiting.response().status, 200);
}

TEST(Connection, SurplusConnectionsOfAnAddressGet429) {
  ServeConfig config;
  config.per_ip = 2;
  Service service(config);
  Client first(service.port());
  first.send(get("/health"));
  EXPECT_EQ(first.response().status, 200);
  {
    Client second(service.port());
    second.send(get("/health"));
    EXPECT_EQ(second.response().status, 200);
    const Response third = ask(service.port(), post(R"({"model":"ingot","prompt":"p"})"));
    EXPECT_EQ(third.status, 429);
    EXPECT_TRUE(third.has("Retry-After: 1"));
    EXPECT_EQ(third.body,
              R"({"error":{"message":"Too many connections from your address.",)"
              R"("type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}})");
  }
  ASSERT_TRUE(eventually([&] { return service.metrics.connections == 1; }));
  EXPECT_EQ(ask(service.port(), get("/health")).status, 200);
}

TEST(Connection, BeyondAllConnectionsThereIsAShort503) {
  ServeConfig config;
  config.max_connections = 1;
  Service service(config);
  Client first(service.port());
  first.send(get("/health"));
  EXPECT_EQ(first.response().status, 200);
  Client second(service.port());
  const Response refused = second.response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body,
            R"({"error":{"message":"Too many connections.","type":"server_error","param":null,)"
            R"("code":"too_many_connections"}})");
}

TEST(Connection, AFailureOfOursIsLoggedAndAnsweredWith500) {
  Service service;
  for (const size_t padding : {size_t{0}, size_t{40000}}) {  // on the I/O thread and on the pool's
    Client client(service.port());
    client.send(post(R"({"model":"ingot","prompt":"explode")" + std::string(padding, ' ') + "}"));
    const Response response = client.response();
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.body,
              R"({"error":{"message":"The server had an error while processing your request.",)"
              R"("type":"server_error","param":null,"code":null}})");
    EXPECT_TRUE(client.closed());
  }
  const std::string line = "error: serve: a request failed: fake tokenizer: exploded";
  EXPECT_EQ(service.log(), (std::vector<std::string>{line, line}));
  EXPECT_EQ(complete(service.port(), R"("prompt":"p")").status, 200) << "the server goes on";
}

TEST(Connection, CompletionsTellLimitsAndTime) {
  ServeConfig config;
  config.max_batch = 1;
  config.queue = 3;
  Service service(config);
  const std::string request = post(R"({"model":"ingot","prompt":"p","max_tokens":2})");
  const Response idle = ask(service.port(), request);
  EXPECT_TRUE(idle.has("x-ratelimit-limit-requests: 3")) << idle.head;
  EXPECT_TRUE(idle.has("x-ratelimit-remaining-requests: 3"));
  EXPECT_TRUE(idle.has("x-ratelimit-reset-requests: 0s"));
  EXPECT_NE(idle.head.find("openai-processing-ms: "), std::string::npos);
  EXPECT_EQ(idle.head.find("x-ingot-ignored-fields"), std::string::npos);
  service.gate.set(false);
  std::vector<std::unique_ptr<Client>> clients;
  for (int64_t i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(service.port()));
    clients.back()->send(request);
    ASSERT_TRUE(
        eventually([&] { return service.metrics.running == 1 && service.metrics.waiting == i; }));
  }
  const Response full = ask(service.port(), request);
  EXPECT_EQ(full.status, 429);
  EXPECT_TRUE(full.has("x-ratelimit-remaining-requests: 0"));
  EXPECT_NE(full.head.find("x-ratelimit-reset-requests: "), std::string::npos);
  EXPECT_FALSE(full.has("x-ratelimit-reset-requests: 0s"));
  EXPECT_EQ(ask(service.port(), get("/health")).head.find("x-ratelimit"), std::string::npos);
  service.gate.set(true);
}

TEST(Connection, FieldsThatWereIgnoredAreNamed) {
  Service service;
  const std::string fields = R"("prompt":"p","max_token":3,"a\r\nb":1)";
  const Response whole = complete(service.port(), fields);
  EXPECT_EQ(whole.status, 200);
  EXPECT_NE(whole.head.find("x-ingot-ignored-fields: "), std::string::npos) << whole.head;
  EXPECT_NE(whole.head.find("max_token"), std::string::npos);
  EXPECT_EQ(whole.head.find("\nb"), std::string::npos) << "a name must not begin a line";
  const Response streamed = complete(service.port(), fields + R"(,"stream":true)");
  EXPECT_NE(streamed.head.find("x-ingot-ignored-fields: "), std::string::npos) << streamed.head;
}

TEST(Connection, ARequestWhoseAnswerWouldBeTooLargeIsRefused) {
  Service service;
  const auto status = [&](const char* fields) { return complete(service.port(), fields).status; };
  const Response refused =
      complete(service.port(), R"("prompt":["p","q"],"n":64,"max_tokens":200,"logprobs":20)");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body,
            R"({"error":{"message":"2 prompts times n = 64 may give 25600 tokens with 21 entries )"
            R"(each (logprobs + 1), 537600 in all, but 262144 are allowed. Please reduce )"
            R"('max_tokens', 'n' or 'logprobs', or send several requests.",)"
            R"("type":"invalid_request_error","param":"max_tokens","code":"result_too_large"}})");
  EXPECT_EQ(status(R"("prompt":"p","n":128,"max_tokens":97,"logprobs":20)"), 200);  // 260736
  EXPECT_EQ(status(R"("prompt":"p","n":128,"max_tokens":97,"logprobs":20,"echo":true)"), 400);
}

TEST(Connection, AVanishedClientCancelsItsText) {
  for (const char* stream : {"true", "false"}) {
    Service service;
    service.gate.set(false);
    Client client(service.port());
    client.send(
        post(R"({"model":"ingot","prompt":"p","max_tokens":250,"ignore_eos":true,"stream":)" +
             std::string(stream) + "}"));
    ASSERT_TRUE(eventually([&] { return service.metrics.queue_time.count() == 1; }));
    client.close();
    ASSERT_TRUE(eventually([&] { return service.metrics.disconnects == 1; })) << stream;
    service.gate.set(true);
    ASSERT_TRUE(eventually([&] { return service.metrics.finished_cancelled == 1; })) << stream;
    EXPECT_TRUE(eventually([&] { return service.metrics.pages_used == 0; }));
    EXPECT_LE(service.metrics.generation_tokens, 1);
  }
}

TEST(Connection, AClientThatStopsReadingIsCancelled) {
  ServeConfig config;
  config.write_stall_s = 0.1;
  Service service(config, {.context = 6000, .page_tokens = 64, .pages = 2048});
  Client slow(service.port(), /*receive_buffer=*/4096);
  std::string many = R"({"model":"ingot","prompt":"p","max_tokens":5000,"n":20,"stream":true})";
  slow.send(post(many));
  EXPECT_TRUE(eventually([&] { return service.metrics.slow_clients >= 1; }));
  EXPECT_TRUE(eventually([&] { return service.metrics.running == 0; }));
  EXPECT_EQ(complete(service.port(), R"("prompt":"p")").status, 200) << "others are not harmed";
}

}  // namespace
}  // namespace ingot::serve::connection_test
