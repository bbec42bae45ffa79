// SPDX-License-Identifier: Apache-2.0
// A fake network over real loopback sockets: both protocols, batching, limits, failures, drain.
#include "serve/predict_api.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "io/image.h"
#include "serve/predict_testing.h"

namespace ingot::serve::predict_api_test {
namespace {

using testing::ask;
using testing::Client;
using testing::eventually;
using testing::get;
using testing::post_to;
using testing::PredictService;
using testing::Response;

constexpr const char* kPredict = "/v1/models/ingot:predict";
constexpr const char* kTwo = R"({"instances":[[4,"a"],[2,"b"]]})";
constexpr const char* kTwoTensors =
    R"({"inputs":[{"name":"legs","datatype":"FP32","shape":[2],"data":[4,2]},)"
    R"({"name":"note","datatype":"BYTES","shape":[2],"data":["a","b"]}]})";

/// The text between two others; empty when they are not there.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from);
  if (begin == std::string::npos) return {};
  const size_t start = begin + from.size();
  return text.substr(start, text.find(to, start) - start);
}

TEST(PredictApi, RowsColumnsAndTensorsHoldTheSameNumbers) {
  PredictService service;
  const Response rows = service.predict(kTwo);
  EXPECT_EQ(rows.status, 200) << rows.body;
  EXPECT_TRUE(rows.has("Content-Type: application/json"));
  EXPECT_TRUE(rows.has("x-ratelimit-limit-requests: 256")) << rows.head;
  const std::string first = between(rows.body, "\"bird\":", ",");
  const std::string second = between(rows.body, "\"dog\":", "}");
  EXPECT_GT(first.size(), 3U) << rows.body;
  const Response columns = service.predict(R"({"inputs":{"note":["a","b"],"legs":[4,2]}})");
  EXPECT_NE(columns.body.find("\"bird\":[" + first + ","), std::string::npos) << columns.body;
  EXPECT_NE(columns.body.find("\"dog\":[" + second + ","), std::string::npos) << columns.body;
  const Response tensors = service.infer(kTwoTensors);
  EXPECT_EQ(tensors.status, 200) << tensors.body;
  EXPECT_NE(tensors.body.find("\"data\":[" + first + "," + second + ","), std::string::npos)
      << tensors.body;
}

TEST(PredictApi, ModelVersionAndServerAreDescribed) {
  PredictService service;
  const auto body = [&](const char* path) { return ask(service.port(), get(path)).body; };
  const std::string status = R"({"model_version_status":[{"version":"1","state":"AVAILABLE",)"
                             R"("status":{"error_code":"OK","error_message":""}}]})";
  EXPECT_EQ(body("/v1/models/ingot"), status);
  EXPECT_EQ(body("/v1/models/ingot/versions/1"), status);
  EXPECT_EQ(body("/v1/models/ingot/metadata"), body("/v1/models/ingot/versions/1/metadata"));
  EXPECT_NE(body("/v1/models/ingot/metadata").find("DT_STRING"), std::string::npos);
  EXPECT_EQ(body("/v1/models"),
            R"({"object":"list","data":[{"id":"ingot","object":"model","created":1700000000,)"
            R"("owned_by":"ingot"}]})");
  EXPECT_EQ(body("/v2").find(R"({"name":"ingot","version":")"), 0U);
  EXPECT_EQ(body("/v2/health/live"), R"({"live":true})");
  EXPECT_EQ(body("/v2/health/ready"), R"({"ready":true})");
  EXPECT_EQ(body("/v2/models/ingot/ready"), R"({"ready":true})");
  EXPECT_EQ(body("/v2/models/ingot/versions/1/ready"), R"({"ready":true})");
  EXPECT_EQ(body("/v2/models/ingot"), body("/v2/models/ingot/versions/1"));
  EXPECT_NE(body("/v2/models/ingot").find(R"("platform":"ingot_network")"), std::string::npos);
  EXPECT_EQ(ask(service.port(), post_to("/v1/models/ingot/versions/1:predict", kTwo)).status, 200);
  EXPECT_EQ(ask(service.port(), post_to("/v2/models/ingot/versions/1/infer", kTwoTensors)).status,
            200);
}

TEST(PredictApi, OtherModelsVersionsAndPathsDoNotExist) {
  PredictService service;
  const Response model = ask(service.port(), post_to("/v1/models/other:predict", kTwo));
  EXPECT_EQ(model.status, 404);
  EXPECT_EQ(model.body,
            R"({"error":"the model \"other\" does not exist; this server has \"ingot\""})");
  const Response version = ask(service.port(), post_to("/v2/models/ingot/versions/2/infer", "{}"));
  EXPECT_EQ(version.status, 404);
  EXPECT_EQ(version.body, R"({"error":"the model \"ingot\" has no version \"2\", only \"1\""})");
  const Response path = ask(service.port(), post_to("/v1/completions", "{}"));
  EXPECT_EQ(path.status, 404);
  EXPECT_EQ(path.body, R"({"error":"Invalid URL (POST /v1/completions). The model 'ingot' answers )"
                       R"(POST /v1/models/ingot:predict."})");
  for (const char* other : {"/v1/models/ingot:classify", "/v1/models/ingot/versions/1:regress"}) {
    const Response examples = ask(service.port(), post_to(other, "{}"));
    EXPECT_EQ(examples.status, 404);
    EXPECT_EQ(examples.body, R"({"error":"\":classify\" and \":regress\" are not served; send )"
                             R"(rows or columns to /v1/models/ingot:predict"})");
  }
  const Response method = ask(service.port(), get(kPredict));
  EXPECT_EQ(method.status, 405);
  EXPECT_TRUE(method.has("Allow: POST"));
}

TEST(PredictApi, ItsRoutesNeedTheKeyButForHealth) {
  ServeConfig config;
  config.api_key = "secret";
  PredictService service(config);
  for (const char* path : {"/v1/models/ingot", "/v1/models/ingot/metadata", "/v2",
                           "/v2/models/ingot", "/v2/models/ingot/ready"}) {
    EXPECT_EQ(ask(service.port(), get(path)).status, 401) << path;
    EXPECT_EQ(ask(service.port(), get(path, "Authorization: Bearer secret\r\n")).status, 200);
  }
  for (const char* path : {"/v2/health/live", "/v2/health/ready"}) {
    EXPECT_EQ(ask(service.port(), get(path)).status, 200) << path;
  }
  const Response refused = service.predict(kTwo);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body,
            R"({"error":"You didn't provide an API key. Send it as 'Authorization: Bearer KEY' or )"
            R"('x-api-key: KEY'."})");
  EXPECT_EQ(service.infer(kTwoTensors).status, 401);
  EXPECT_EQ(service.infer(kTwoTensors, "x-api-key: secret\r\n").status, 200);
}

TEST(PredictApi, WhatTheModelRefusesNamesTheInstance) {
  PredictService service;
  const Response response = service.predict(R"({"instances":[[4,"a"],["four","b"]]})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            R"({"error":"instance 1: column \"legs\": \"four\" is no finite number"})");
  EXPECT_EQ(service.predict("{").status, 400);
  const Response binary = service.infer("xxxx", "Inference-Header-Content-Length: 5\r\n");
  EXPECT_EQ(binary.status, 400);
  EXPECT_EQ(binary.body,
            R"({"error":"Inference-Header-Content-Length is 5 but must be the bytes of JSON in a )"
            R"(body of 4"})");
}

TEST(PredictApi, RawTensorsHoldTheSameNumbers) {
  PredictService service;
  const Response plain = service.infer(kTwoTensors);
  const std::string json =
      R"({"parameters":{"binary_data_output":true},"outputs":[{"name":"probabilities"}],"inputs":[)"
      R"({"name":"legs","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}},)"
      R"({"name":"note","datatype":"BYTES","shape":[2],"data":["a","b"]}]})";
  const std::string floats("\0\0\x80\x40\0\0\0\x40", 8);
  const Response raw = service.infer(
      json + floats, "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
  EXPECT_EQ(raw.status, 200) << raw.body;
  EXPECT_TRUE(raw.has("Content-Type: application/octet-stream"));
  const std::string length = between(raw.head, "Inference-Header-Content-Length: ", "\r\n");
  ASSERT_FALSE(length.empty()) << raw.head;
  const std::string bytes = raw.body.substr(std::stoul(length));
  ASSERT_EQ(bytes.size(), 16U);
  std::string numbers;
  for (size_t at = 0; at < bytes.size(); at += 4) {
    float value = 0;
    std::memcpy(&value, bytes.data() + at, 4);
    numbers += (at == 0 ? "" : ",") + number_json(value);
  }
  EXPECT_NE(plain.body.find("\"data\":[" + numbers + "]"), std::string::npos) << plain.body;
}

TEST(PredictApi, InstancesLeftOutByPolicyAreNull) {
  PredictService service({}, {});
  const Response one = service.predict(R"({"instances":[[4,"a"]]})");
  const std::string number = between(one.body, R"({"predictions":[)", "]");
  const Response all = service.predict(R"({"instances":[[1,"drop"],[4,"a"],[2,"drop"]]})");
  EXPECT_EQ(all.body, R"({"predictions":[null,)" + number + ",null]}");
  const Response none = service.predict(R"({"instances":[[1,"drop"]],"extra":1})");
  EXPECT_EQ(none.body, R"({"predictions":[null]})");
  // how many, and why the first of them
  const std::string why = between(all.head, "x-ingot-left-out: ", "\r\n");
  EXPECT_EQ(why.find(R"(2; instance 0: column "note": "dr)"), 0U) << why;
  EXPECT_NE(why.find("is left out"), std::string::npos) << why;
  EXPECT_EQ(between(none.head, "x-ingot-left-out: ", ";"), "1");
  EXPECT_TRUE(none.has("x-ingot-ignored-fields: extra")) << none.head;
  EXPECT_EQ(one.head.find("x-ingot-left-out"), std::string::npos);
  const std::string text = ask(service.port(), get("/metrics")).body;
  EXPECT_NE(text.find("ingot_left_out_total 3\n"), std::string::npos) << text;
}

TEST(PredictApi, CategoriesThatTrainingDidNotHaveAreCounted) {
  PredictService service({}, {});
  EXPECT_EQ(service.predict(R"({"instances":[[1,"owl"],[4,"a"],[2,"owl"]]})").status, 200);
  const std::string text = ask(service.port(), get("/metrics")).body;
  EXPECT_NE(text.find("ingot_unseen_categories_total 2\n"), std::string::npos) << text;
}

TEST(PredictApi, ConcurrentRequestsAreBatchedAndEachIsAsAlone) {
  constexpr size_t kClients = 48;
  ServeConfig config;
  config.max_batch = 16;
  PredictService service(config);
  const auto request = [](size_t i) {
    const std::string legs = std::to_string(i);
    if (i % 3 == 2) {
      return post_to("/v2/models/ingot/infer",
                     R"({"inputs":[{"name":"legs","datatype":"INT32","shape":[1],"data":[)" + legs +
                         R"(]},{"name":"note","datatype":"BYTES","shape":[1],"data":["x"]}]})");
    }
    return post_to(kPredict, R"({"instances":[[)" + legs + R"(,"x"],[)" + legs + R"(,"y"]]})");
  };
  std::vector<std::string> alone;
  for (size_t i = 0; i < kClients; ++i) alone.push_back(ask(service.port(), request(i)).body);
  const size_t before = service.predictor.batches().size();
  service.gate.set(false);
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(service.port()));
    clients.back()->send(request(i));
  }
  ASSERT_TRUE(eventually([&] { return service.metrics.waiting + service.metrics.running == 80; }));
  service.gate.set(true);
  for (size_t i = 0; i < kClients; ++i) EXPECT_EQ(clients[i]->response().body, alone[i]) << i;
  const size_t batches = service.predictor.batches().size() - before;
  EXPECT_LE(batches, 6U) << "80 examples, 16 at once, and one batch that had begun";
  const std::string text = ask(service.port(), get("/metrics")).body;
  EXPECT_NE(text.find("ingot_examples_total 160\n"), std::string::npos) << text;
  EXPECT_NE(text.find("ingot_batch_size_bucket{le=\"16\"}"), std::string::npos);
}

TEST(PredictApi, LongBodiesAreReadOnTheOtherThread) {
  PredictService service;
  std::string instances;
  for (int i = 0; i < 3000; ++i)
    instances += (i == 0 ? "" : ",") + std::string(R"([4,"long text"])");
  const Response many = service.predict(R"({"instances":[)" + instances + "]}");
  EXPECT_EQ(many.status, 200);
  const Response one = service.predict(R"({"instances":[[4,"long text"]]})");
  const std::string answer = between(one.body, R"({"predictions":[)", "]");
  EXPECT_EQ(many.body.find(answer + "," + answer), 16U) << many.body.substr(0, 200);
}

TEST(PredictApi, MoreInstancesThanOneAnswerMayHoldAreRefused) {
  ServeConfig config;
  config.max_body_bytes = 16 << 20;
  PredictService service(config);
  std::string instances = R"([1,"a"])";
  for (int i = 1; i < 90000; ++i) instances += R"(,[1,"a"])";
  const Response response = service.predict(R"({"instances":[)" + instances + "]}");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            R"({"error":"90000 instances in one request, but this model takes at most 87381; send )"
            R"(several requests"})");
}

TEST(PredictApi, AFullQueueAnswers429WithRetryAfter) {
  ServeConfig config;
  config.max_batch = 1;
  config.queue = 1;
  PredictService service(config);
  service.gate.set(false);
  const std::string request = post_to(kPredict, R"({"instances":[[1,"a"]]})");
  Client running(service.port());
  running.send(request);
  ASSERT_TRUE(eventually([&] { return service.metrics.running == 1; }));
  Client waiting(service.port());
  waiting.send(request);
  ASSERT_TRUE(eventually([&] { return service.metrics.waiting == 1; }));
  const int encoded = service.predictor.encoded;
  const Response refused = ask(service.port(), request);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(service.predictor.encoded, encoded) << "refused before the work";
  EXPECT_TRUE(refused.has("Retry-After: 1"));
  EXPECT_TRUE(refused.has("x-ratelimit-remaining-requests: 0"));
  EXPECT_EQ(refused.body,
            R"({"error":"The queue of this server is full. Please retry after a while."})");
  service.gate.set(true);
  EXPECT_EQ(running.response().status, 200);
  EXPECT_EQ(waiting.response().status, 200);
}

TEST(PredictApi, AFailureOfTheModelIs500AndTheServerGoesOn) {
  PredictService service;
  const Response failed = service.predict(R"({"instances":[[1,"explode"]]})");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.body, R"({"error":"The server had an error while processing your request."})");
  EXPECT_EQ(service.predict(kTwo).status, 200);
  EXPECT_EQ(service.log(), std::vector<std::string>{"error: serve: a batch of 1 examples failed: "
                                                    "fake predictor: exploded"});
}

TEST(PredictApi, AVanishedClientCancelsWhatHasNotRun) {
  ServeConfig config;
  config.max_batch = 1;
  PredictService service(config);
  service.gate.set(false);
  Client running(service.port());
  running.send(post_to(kPredict, R"({"instances":[[1,"a"]]})"));
  ASSERT_TRUE(eventually([&] { return service.metrics.running == 1; }));
  Client gone(service.port());
  gone.send(post_to(kPredict, kTwo));
  ASSERT_TRUE(eventually([&] { return service.metrics.waiting == 2; }));
  gone.close();
  ASSERT_TRUE(eventually([&] { return service.metrics.disconnects == 1; }));
  service.gate.set(true);
  EXPECT_EQ(running.response().status, 200);
  ASSERT_TRUE(eventually([&] { return service.metrics.finished_cancelled == 1; }));
  EXPECT_EQ(service.predictor.batches().size(), 1U);
}

/// A picture as the value of an instance.
std::string picture(int64_t height, int64_t width) {
  const auto pixels = static_cast<size_t>(height * width);
  const std::string png = io::encode_png(
      {.height = height, .width = width, .channels = 1, .pixels = std::vector<uint8_t>(pixels)});
  return R"({"b64":")" + to_base64(png) + "\"}";
}

/// Instances of one picture each.
std::string pictures(int count, const std::string& each = picture(8, 8)) {
  std::string instances;
  for (int i = 0; i < count; ++i) instances += (i == 0 ? "[" : ",[") + ("4," + each) + "]";
  return R"({"instances":[)" + instances + "]}";
}

/// Answers numbers for pictures.
class PictureService : public PredictService {
 public:
  explicit PictureService(const ServeConfig& config = {})
      : PredictService(config, {}, InputKind::kImage) {}
};

TEST(PredictApi, PicturesOfOneRequestAreBoundedTogether) {
  ServeConfig config;
  config.max_pixels = 3 * 64;
  PictureService service(config);
  EXPECT_EQ(service.predict(pictures(3)).status, 200);
  EXPECT_EQ(service.predictor.encoded, 3);
  const Response refused = service.predict(pictures(5));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(
      refused.body,
      R"({"error":"instance 3: column \"note\": this picture of 64 pixels brings the request )"
      R"(over the 192 that serve.max_pixels allows; send smaller pictures or several )"
      R"(requests"})");
  EXPECT_EQ(service.predictor.encoded, 3) << "nothing was decoded";
  EXPECT_EQ(service.predict(pictures(1, R"({"b64":"eA=="})")).status, 200) << "no picture at all";
}

TEST(PredictApi, ASmallFileOfManyPixelsIsRefusedByItsHead) {
  PictureService service;
  const std::string black = picture(4200, 4200);
  ASSERT_LT(black.size(), 32U << 10);
  const Response refused = service.predict(pictures(1, black));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("17640000 pixels"), std::string::npos) << refused.body;
  EXPECT_EQ(service.predictor.encoded, 0);
}

/// An infer request of pictures of zeros with raw pixels.
Response infer_pixels(PictureService& service, int count, int64_t side) {
  const std::string bytes(static_cast<size_t>(count * side * side), '\0');
  const std::string shape =
      "[" + std::to_string(count) + "," + std::to_string(side) + "," + std::to_string(side) + ",1]";
  std::string legs = "4";
  for (int i = 1; i < count; ++i) legs += ",4";
  const std::string json =
      R"({"inputs":[{"name":"legs","datatype":"INT8","shape":[)" + std::to_string(count) +
      R"(],"data":[)" + legs + R"(]},{"name":"note","datatype":"UINT8","shape":)" + shape +
      R"(,"parameters":{"binary_data_size":)" + std::to_string(bytes.size()) + "}}]}";
  return service.infer(json + bytes,
                       "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
}

TEST(PredictApi, PixelsAreTheFileThatHoldsThem) {
  PictureService service;
  const std::string file = io::pnm_head(2, 2, 1) + std::string(4, '\0');
  const Response whole = service.predict(pictures(2, R"({"b64":")" + to_base64(file) + "\"}"));
  EXPECT_EQ(whole.status, 200) << whole.body;
  EXPECT_EQ(service.predict(pictures(2, "[[[0],[0]],[[0],[0]]]")).body, whole.body);
  const std::string numbers = between(whole.body, R"({"predictions":[)", "]");
  const Response raw = infer_pixels(service, 2, 2);
  EXPECT_NE(raw.body.find("\"data\":[" + numbers + "]"), std::string::npos) << raw.body;
}

TEST(PredictApi, PixelsAreBoundedAsFilesAre) {
  ServeConfig config;
  config.max_pixels = 3 * 64;
  PictureService service(config);
  EXPECT_EQ(infer_pixels(service, 3, 8).status, 200);
  EXPECT_EQ(service.predictor.encoded, 3);
  const Response refused = infer_pixels(service, 5, 8);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find(R"(instance 3: column \"note\": this picture of 64 pixels brings)"),
            std::string::npos)
      << refused.body;
  EXPECT_EQ(service.predictor.encoded, 3) << "nothing was decoded";
}

TEST(PredictApi, OthersAreAnsweredWhilePicturesAreDecoded) {
  PictureService service;
  service.encoding.set(false);
  Client client(service.port());
  client.send(post_to(kPredict, pictures(1)));
  ASSERT_TRUE(eventually([&] { return service.predictor.encoded == 1; }));
  EXPECT_EQ(ask(service.port(), get("/health")).status, 200);
  service.encoding.set(true);
  EXPECT_EQ(client.response().status, 200);
}

TEST(PredictApi, PicturesOfAVanishedClientAreNotDecoded) {
  PictureService service;
  service.encoding.set(false);
  Client first(service.port());
  first.send(post_to(kPredict, pictures(5)));
  ASSERT_TRUE(eventually([&] { return service.predictor.encoded == 1; }));
  Client second(service.port());  // waits for its turn
  second.send(post_to(kPredict, pictures(5)));
  second.close();
  first.close();
  ASSERT_TRUE(eventually([&] { return service.metrics.disconnects == 2; }));
  service.encoding.set(true);
  EXPECT_EQ(service.predict(pictures(1)).status, 200);
  EXPECT_EQ(service.predictor.encoded, 2) << "the first of the first request, and the last request";
  EXPECT_EQ(service.metrics.finished_cancelled, 0) << "nothing was submitted for them";
}

TEST(PredictApi, ASecondStopEndsTheDecodingOfPictures) {
  PictureService service;
  service.encoding.set(false);
  Client client(service.port());
  client.send(post_to(kPredict, pictures(5)));
  ASSERT_TRUE(eventually([&] { return service.predictor.encoded == 1; }));
  service.server->request_stop();
  service.server->request_stop();
  service.join();
  EXPECT_EQ(service.cut_off, 1);
  service.encoding.set(true);
  service.server.reset();  // joins the thread that decodes
  EXPECT_EQ(service.predictor.encoded, 1);
}

TEST(PredictApi, DrainFinishesWhatRuns) {
  PredictService service;
  service.gate.set(false);
  Client running(service.port());
  running.send(post_to(kPredict, kTwo));
  ASSERT_TRUE(eventually([&] { return service.metrics.running == 2; }));
  Client idle(service.port());
  idle.send(get("/v2/health/ready"));
  EXPECT_EQ(idle.response().status, 200);
  service.server->request_stop();
  EXPECT_TRUE(idle.closed());
  service.gate.set(true);
  EXPECT_EQ(running.response().status, 200);
  service.join();
  EXPECT_EQ(service.cut_off, 0);
}

TEST(PredictApi, ADrainingServerRefusesNewWork) {
  ServeConfig config;
  config.drain_delay_s = 600;  // the second stop ends it
  PredictService service(config);
  Client late(service.port());
  late.send(get("/v2/health/ready"));
  EXPECT_EQ(late.response().status, 200);
  service.server->request_stop();
  Response ready;
  ASSERT_TRUE(eventually([&] {
    late.send(get("/v2/health/ready"));
    ready = late.response();
    return ready.status == 503;
  }));
  EXPECT_EQ(ready.body, R"({"ready":false})");
  late.send(post_to(kPredict, kTwo));
  const Response refused = late.response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: 5"));
  EXPECT_EQ(refused.body, R"({"error":"The server is shutting down."})");
  service.server->request_stop();
  service.join();
  EXPECT_EQ(service.cut_off, 0);
}

}  // namespace
}  // namespace ingot::serve::predict_api_test
