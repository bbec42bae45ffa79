// SPDX-License-Identifier: Apache-2.0
// The server over real loopback sockets: answers and streams literally, drain, many at once.
#include "serve/http.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/message_of.h"
#include "serve/fail_new.h"
#include "serve/serve_testing.h"

namespace ingot::serve::http_test {
namespace {

using testing::anonymous;
using testing::ask;
using testing::Client;
using testing::complete;
using testing::error_of;
using testing::eventually;
using testing::get;
using testing::kHello;
using testing::post;
using testing::Response;
using testing::script_after;
using testing::Service;
using testing::streamed_text;
using testing::text_of;

TEST(Server, AnswersACompletionLiterally) {
  Service service;
  service.decoder.script = script_after(2, {kHello, ' ', '"'});
  const Response response = complete(service.port(), R"("prompt":"hi","temperature":0)");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.has("Content-Type: application/json"));
  EXPECT_NE(response.head.find("x-request-id: req_"), std::string::npos);
  EXPECT_EQ(anonymous(response.body),
            R"({"id":"cmpl-X","object":"text_completion","created":X,"model":"ingot",)"
            R"("system_fingerprint":"fp","choices":[{"text":"hello \"","index":0,"logprobs":null,)"
            R"("finish_reason":"stop"}],)"
            R"("usage":{"prompt_tokens":2,"completion_tokens":4,"total_tokens":6}})");
}

TEST(Server, StreamsLiterally) {
  Service service;
  service.decoder.script = script_after(2, {kHello, '!'});
  const Response response = complete(
      service.port(), R"("prompt":"hi","stream":true,"stream_options":{"include_usage":true})");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.has("Content-Type: text/event-stream; charset=utf-8"));
  const std::string head =
      R"(data: {"id":"cmpl-X","object":"text_completion","created":X,"model":"ingot",)"
      R"("system_fingerprint":"fp","choices":[)";
  EXPECT_EQ(
      anonymous(response.body),
      head + R"({"text":"hello","index":0,"logprobs":null,"finish_reason":null}],"usage":null})" +
          "\n\n" + head +
          R"({"text":"!","index":0,"logprobs":null,"finish_reason":null}],"usage":null})" + "\n\n" +
          head + R"({"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":null})" +
          "\n\n" + head +
          R"(],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}})" +
          "\n\ndata: [DONE]\n\n");
}

TEST(Server, StopStringsAndEchoWorkOverHttp) {
  Service service;
  service.decoder.script = script_after(2, {'a', 'E', 'N', 'D', 'b'});
  const Response whole = complete(service.port(), R"("prompt":"hi","stop":"END","echo":true)");
  EXPECT_EQ(text_of(whole.body), "hia");
  EXPECT_NE(whole.body.find(R"("finish_reason":"stop")"), std::string::npos);
  const Response stream = complete(service.port(), R"("prompt":"hi","stop":["END"],"stream":true)");
  EXPECT_EQ(streamed_text(stream.body), "a");
}

TEST(Server, ChoicesAndPromptsAreIndexedAndPromptsCountedOnce) {
  Service service;
  const Response response =
      complete(service.port(), R"("prompt":["ab","abc"],"n":2,"max_tokens":3,"seed":4)");
  for (const char* index : {R"("index":0)", R"("index":1)", R"("index":2)", R"("index":3)"}) {
    EXPECT_NE(response.body.find(index), std::string::npos);
  }
  EXPECT_NE(
      response.body.find(R"("usage":{"prompt_tokens":5,"completion_tokens":12,"total_tokens":17})"),
      std::string::npos);
  const Response single = complete(service.port(), R"("prompt":"ab","max_tokens":3,"seed":4)");
  EXPECT_EQ(text_of(single.body), text_of(response.body));
}

TEST(Server, ModelsHealthAndMetricsAnswer) {
  Service service;
  const std::string model =
      R"({"id":"ingot","object":"model","created":1700000000,"owned_by":"ingot"})";
  EXPECT_EQ(ask(service.port(), get("/v1/models")).body,
            std::string(R"({"object":"list","data":[)") + model + "]}");
  EXPECT_EQ(ask(service.port(), get("/v1/models/ingot")).body, model);
  EXPECT_EQ(ask(service.port(), get("/v1/models/%69ngot?x=1")).body, model);
  EXPECT_EQ(ask(service.port(), get("/health")).body, R"({"status":"ok"})");
  EXPECT_EQ(ask(service.port(), get("/ready")).body, R"({"status":"ready"})");
  (void)complete(service.port(), R"("prompt":"hi","max_tokens":5)");
  const std::string text = ask(service.port(), get("/metrics")).body;
  for (const char* line : {"ingot_generation_tokens_total 5\n", "ingot_prompt_tokens_total 2\n",
                           "ingot_request_success_total{finished_reason=\"length\"} 1\n",
                           "ingot_time_to_first_token_seconds_count 1\n",
                           "ingot_inter_token_latency_seconds_count 4\n",
                           "ingot_http_responses_total{code=\"200\"} 6\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Server, SameBytesAloneAndAmong32Others) {
  ServeConfig config;
  config.max_batch = 33;
  Service service(config);
  const auto fields = [](int i) {
    return std::string(R"("max_tokens":30,"seed":)") + std::to_string(i) + R"(,"prompt":"prompt )" +
           std::to_string(i * i) + '"';
  };
  std::vector<std::string> alone;
  for (int i = 0; i < 33; ++i) alone.push_back(text_of(complete(service.port(), fields(i)).body));
  const int64_t steps = service.decoder.steps;
  service.gate.set(false);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 33; ++i) {
    clients.push_back(std::make_unique<Client>(service.port()));
    clients.back()->send(post(std::string(R"({"model":"ingot",)") + fields(i) + R"(,"stream":)" +
                              (i % 2 == 0 ? "true}" : "false}")));
  }
  ASSERT_TRUE(eventually([&] { return service.metrics.waiting + service.metrics.running == 33; }));
  service.gate.set(true);
  for (size_t i = 0; i < 33; ++i) {
    const Response response = clients[i]->response();
    EXPECT_EQ(i % 2 == 0 ? streamed_text(response.body) : text_of(response.body), alone[i]) << i;
  }
  EXPECT_LT(service.decoder.steps - steps, steps / 4) << "nothing was batched";
}

TEST(Server, FiveHundredStreamsAtOnce) {
  constexpr int kStreams = 500;
  ServeConfig config;
  config.queue = 600;
  config.per_ip = 600;
  Service service(config, {.page_tokens = 16});
  const auto fields = [](int i) {
    return std::string(R"("max_tokens":12,"prompt":"p","seed":)") + std::to_string(i);
  };
  service.gate.set(false);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kStreams; ++i) {
    clients.push_back(std::make_unique<Client>(service.port()));
    clients.back()->send(post(std::string(R"({"model":"ingot","stream":true,)") + fields(i) + "}"));
  }
  ASSERT_TRUE(eventually([&] { return service.metrics.responses[200] == kStreams; }));
  service.gate.set(true);
  std::vector<std::string> texts;
  for (const auto& client : clients) {
    const Response response = client->response();
    ASSERT_EQ(response.status, 200);
    ASSERT_NE(response.body.find("data: [DONE]"), std::string::npos);
    texts.push_back(streamed_text(response.body));
  }
  for (int i = 0; i < kStreams; i += 25) {
    EXPECT_EQ(texts[static_cast<size_t>(i)], text_of(complete(service.port(), fields(i)).body));
  }
}

TEST(Server, MemoryDoesNotGrowWithRequests) {
  if (ingot::testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory hides the server's";
  Service service;
  Client client(service.port());
  const auto requests = [&](int count) {
    for (int i = 0; i < count; ++i) {
      client.send(post(R"({"model":"ingot","prompt":"p","max_tokens":2})"));
      ASSERT_EQ(client.response().status, 200);
    }
  };
  requests(200);
  const int64_t before = resident_bytes();
  requests(1000);
  constexpr double kAllowance = 1.02;  // the allocator's own reserve may still settle
  EXPECT_LE(static_cast<double>(resident_bytes()), static_cast<double>(before) * kAllowance);
}

TEST(Server, AConnectionThatCannotBeTakenIsLoggedAndTheNextOneWorks) {
  constexpr size_t kConnection = 512;  // less than a connection's state, more than a handler's
  Service service;
  EXPECT_EQ(ask(service.port(), get("/health")).status, 200);  // what is made once is made
  ASSERT_TRUE(eventually([&] { return service.metrics.connections == 0; }));
  testing::fail_next_new(kConnection);
  Client refused(service.port());
  EXPECT_TRUE(refused.closed());
  EXPECT_TRUE(testing::has_failed_new());
  EXPECT_EQ(ask(service.port(), get("/health")).status, 200);
  EXPECT_EQ(service.log(), std::vector<std::string>{
                               "error: serve: a connection could not be taken: std::bad_alloc"});
}

TEST(ServerThread, DrainsTheServerHoweverItsScopeIsLeft) {
  Service service;
  std::vector<std::string> log;  // written by the thread alone until it is joined
  ServeConfig config;
  config.port = 0;
  Metrics metrics;
  Server server(
      config, *service.api, metrics,
      Logger(LogLevel::kInfo, [&](LogLevel, std::string_view text) { log.emplace_back(text); }));
  const auto ask_and_fail = [&] {
    const ServerThread running(server);
    EXPECT_EQ(ask(server.port(), get("/health")).status, 200);
    throw std::runtime_error("the client is confused");
  };
  EXPECT_THROW(ask_and_fail(), std::runtime_error);
  ASSERT_EQ(log.size(), 1U);
  EXPECT_TRUE(log[0].starts_with("serve: drains: ")) << log[0];
}

TEST(Server, DrainIsLogged) {
  Service service;
  service.stop();
  EXPECT_EQ(service.log(), std::vector<std::string>{"info: serve: drains: 0 running, 0 waiting, 0 "
                                                    "connections; at most 30 s"});
}

TEST(Server, DrainFinishesStreams) {
  Service service;
  service.gate.set(false);
  Client streaming(service.port());
  streaming.send(post(R"({"model":"ingot","prompt":"p","max_tokens":50,"stream":true})"));
  streaming.until("\r\n\r\n");
  Client idle(service.port());
  idle.send(get("/ready"));
  EXPECT_EQ(idle.response().status, 200);
  service.server->request_stop();
  EXPECT_TRUE(idle.closed());
  service.gate.set(true);
  const std::string rest = streaming.until("data: [DONE]\n\n");
  EXPECT_NE(rest.find(R"("finish_reason":"length")"), std::string::npos);
  service.join();
  EXPECT_EQ(service.cut_off, 0);
}

TEST(Server, ADrainingServerRefusesNewWork) {
  ServeConfig config;
  config.drain_delay_s = 600;  // the second stop ends it
  Service service(config);
  Client late(service.port());
  late.send(get("/ready"));
  EXPECT_EQ(late.response().status, 200);
  service.server->request_stop();
  Response ready;
  ASSERT_TRUE(eventually([&] {
    late.send(get("/ready"));
    ready = late.response();
    return ready.status == 503;
  }));
  EXPECT_EQ(ready.body, R"({"status":"draining"})");
  late.send(post(R"({"model":"ingot","prompt":"p"})"));
  const Response refused = late.response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: 5"));
  EXPECT_EQ(refused.body,
            R"({"error":{"message":"The server is shutting down.","type":"server_error",)"
            R"("param":null,"code":"service_unavailable"}})");
  service.server->request_stop();
  service.join();
  EXPECT_EQ(service.cut_off, 0);
}

TEST(Server, WhatDoesNotFinishInTimeGetsAnErrorEvent) {
  ServeConfig config;
  config.drain_timeout_s = 0.05;
  Service service(config);
  service.gate.set(false);
  Client streaming(service.port());
  streaming.send(post(R"({"model":"ingot","prompt":"p","max_tokens":200,"stream":true})"));
  streaming.until("\r\n\r\n");
  ASSERT_TRUE(
      eventually([&] { return service.metrics.running == 1 && service.metrics.waiting == 0; }));
  Client whole(service.port());
  whole.send(post(R"({"model":"ingot","prompt":"p","max_tokens":200})"));
  ASSERT_TRUE(eventually([&] { return service.metrics.waiting == 1; }));
  service.server->request_stop();
  const std::string rest = streaming.until("0\r\n\r\n");
  EXPECT_NE(rest.find("data: {\"error\":{\"message\":\"The server is shutting down.\","
                      "\"type\":\"server_error\",\"param\":null,"
                      "\"code\":\"service_unavailable\"}}\n\n"),
            std::string::npos)
      << rest;
  EXPECT_EQ(rest.find("[DONE]"), std::string::npos);
  EXPECT_EQ(whole.response().status, 503);
  service.join();
  EXPECT_EQ(service.cut_off, 2);
}

TEST(Server, ASecondStopDoesNotWait) {
  Service service;
  service.gate.set(false);
  Client streaming(service.port());
  streaming.send(post(R"({"model":"ingot","prompt":"p","max_tokens":200,"stream":true})"));
  streaming.until("\r\n\r\n");
  service.server->request_stop();
  service.server->request_stop();
  service.join();
  EXPECT_EQ(service.cut_off, 1);
}

TEST(Server, RefusesOpenAddressesWithoutAKeyAndPortsInUse) {
  Service service;
  ServeConfig config;
  config.host = "0.0.0.0";
  EXPECT_EQ(error_of([&] { Server(config, *service.api, service.metrics); }),
            "serve.host: 0.0.0.0 can be reached by others, so a key is needed: set "
            "serve.api_key_file=FILE, or keep serve.host=127.0.0.1");
  config = {};
  config.port = service.port();
  EXPECT_EQ(error_of([&] { Server(config, *service.api, service.metrics); }),
            std::string("serve: cannot listen on 127.0.0.1 port ") +
                std::to_string(service.port()) +
                ": Address already in use; choose another port (0 takes a free one)");
  config.host = "a..b";  // no name has an empty part, so nobody is asked
  config.api_key = "k";
  EXPECT_NE(error_of([&] {
              Server(config, *service.api, service.metrics);
            }).find("serve: host \"a..b\" is not an address of this machine"),
            std::string::npos);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// Servers until the address space, of which 64 MiB are left, has no room for the thread of one.
[[noreturn]] void start_too_many() {
  Service service;
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const auto room = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + (int64_t{64} << 20));
  const rlimit limit{room, room};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
  ServeConfig config;
  config.port = 0;
  std::vector<std::unique_ptr<Server>> servers;
  try {
    while (servers.size() < 200) {
      servers.push_back(std::make_unique<Server>(config, *service.api, service.metrics));
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s [%s]\n", error.what(), std::string(code_name(error.code())).c_str());
  }
  std::_Exit(0);
}

TEST(ServerDeathTest, AThreadThatCannotStartEndsInAnError) {
  EXPECT_EXIT(start_too_many(), ::testing::ExitedWithCode(0),
              "serve: the system starts no thread for the server: .*ulimit -v allows [0-9]+ KiB of "
              "addresses.*threads=1.*out_of_memory");
}
#endif

}  // namespace
}  // namespace ingot::serve::http_test
