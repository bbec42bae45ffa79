// SPDX-License-Identifier: Apache-2.0
// A served fake model and a plain-socket client, both within the test process and on loopback.
// Every wait is on a socket, a future or a metric, with a deadline far above what is ever needed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/fake_model.h"
#include "serve/completion_api.h"
#include "serve/http.h"

namespace ingot::testing {

inline constexpr int kDeadlineMs = 20000;

/// Polls a condition that another thread makes true.
inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kDeadlineMs);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Holds the engine's thread at the start of a step until opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  void set(bool open) {
    {
      const std::lock_guard lock(mutex_);
      open_ = open;
    }
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
};

/// A server on a free port; serves from start() until stop().
class Served {
 public:
  Served() = default;
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  void stop() {
    server->request_stop();
    thread_.join();
  }
  [[nodiscard]] int port() const { return server->port(); }
  /// For tests that request the stop themselves.
  void join() { thread_.join(); }
  /// What the server has logged so far, "level: text".
  [[nodiscard]] std::vector<std::string> log() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  Gate gate;
  serve::Metrics metrics;
  std::unique_ptr<serve::Server> server;
  int64_t cut_off = -1;

 protected:
  ~Served() = default;
  void start(serve::ServeConfig config, serve::ModelApi& api) {
    config.port = 0;
    server = std::make_unique<serve::Server>(config, api, metrics, logger());
    thread_ = std::thread([this] { cut_off = server->run(); });
  }
  /// First thing in the end of a derived class, whose model must outlive the server.
  void finish() {
    gate.set(true);
    if (thread_.joinable()) stop();
    server.reset();
  }
  [[nodiscard]] Logger logger() {
    return Logger(LogLevel::kInfo, [this](LogLevel level, std::string_view text) {
      const std::lock_guard lock(log_mutex_);
      log_.push_back(std::string(level_name(level)) + ": " + std::string(text));
    });
  }

 private:
  std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::thread thread_;
};

/// A fake language model, served.
class Service : public Served {
 public:
  explicit Service(const serve::ServeConfig& config = {}, FakeDecoder::Options model = {})
      : decoder(model) {
    decoder.before_step = [this] { gate.pass(); };
    serve::EngineConfig engine_config;
    engine_config.max_batch = config.max_batch;
    engine_config.queue = config.queue;
    engine_config.stream_bytes = config.stream_bytes;
    engine_config.slow_client_s = config.write_stall_s;
    engine = std::make_unique<serve::Engine>(decoder, tokenizer, engine_config, metrics);
    api = std::make_unique<serve::CompletionApi>(
        config, serve::ModelInfo{config.model_name, 1700000000, "fp"}, *engine, metrics);
    start(config, *api);
  }
  ~Service() { finish(); }

  FakeTokenizer tokenizer;
  FakeDecoder decoder;
  std::unique_ptr<serve::Engine> engine;
  std::unique_ptr<serve::CompletionApi> api;
};

struct Response {
  int status = 0;
  std::string head;
  std::string body;  // chunks joined
  [[nodiscard]] bool has(std::string_view line) const {
    return head.find(std::string(line) + "\r\n") != std::string::npos;
  }
};

/// One connection.
class Client {
 public:
  explicit Client(int port, int receive_buffer = 0) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    EXPECT_TRUE(connected_);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed: what it answered tells
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }
  /// Reads more into the buffer; false at the end of the connection or at the deadline.
  bool receive() {
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, kDeadlineMs) <= 0) return false;
    char bytes[16384];
    const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(size));
    return true;
  }
  /// Receives until `text` is in the buffer; what stands before its end is taken out.
  std::string until(std::string_view text) {
    size_t at = buffer_.find(text);
    while (at == std::string::npos) {
      if (!receive()) return std::exchange(buffer_, {});
      at = buffer_.find(text);
    }
    std::string before = buffer_.substr(0, at + text.size());
    buffer_.erase(0, at + text.size());
    return before;
  }
  std::string take(size_t size) {
    while (buffer_.size() < size && receive()) {
    }
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, taken.size());
    return taken;
  }
  Response response() {
    Response result;
    result.head = until("\r\n\r\n");
    if (result.head.size() > 12) result.status = std::stoi(result.head.substr(9, 3));
    if (result.has("Transfer-Encoding: chunked")) {
      for (;;) {
        const std::string line = until("\r\n");
        const size_t size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
        result.body += take(size);
        until("\r\n");
        if (size == 0) return result;
      }
    }
    const size_t length = result.head.find("Content-Length: ");
    if (length != std::string::npos)
      result.body = take(std::stoul(result.head.substr(length + 16)));
    return result;
  }
  /// True when the server closes (after at most what is still in flight).
  bool closed() {
    while (receive()) {
    }
    pollfd waiting{socket_, POLLIN, 0};
    return poll(&waiting, 1, 0) > 0;
  }

 private:
  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

inline std::string post_to(std::string_view target, std::string_view body,
                           std::string_view more = "") {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}
inline std::string post(std::string_view body, std::string_view more = "") {
  return post_to("/v1/completions", body, more);
}
inline std::string get(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) +
         "\r\n";
}
/// One request on a connection of its own.
inline Response ask(int port, std::string_view request) {
  Client client(port);
  client.send(request);
  return client.response();
}
inline Response complete(int port, std::string_view fields) {
  return ask(port, post(R"({"model":"ingot",)" + std::string(fields) + "}"));
}
/// The value of "text" of the first choice, still with JSON escapes.
inline std::string text_of(const std::string& body) {
  const size_t begin = body.find("\"text\":\"") + 8;
  size_t end = begin;
  while (end < body.size() && body[end] != '"') end += body[end] == '\\' ? 2 : 1;
  return body.substr(begin, end - begin);
}
/// The texts of all chunks of a stream in a row, still with JSON escapes.
inline std::string streamed_text(const std::string& body) {
  std::string text;
  for (size_t at = 0; (at = body.find("data: {", at)) != std::string::npos; ++at) {
    const std::string line = body.substr(at, body.find('\n', at) - at);
    if (line.find("\"text\":\"") != std::string::npos) text += text_of(line);
  }
  return text;
}
/// Identifiers and moments replaced, so that the rest can be compared.
inline std::string anonymous(std::string text) {
  for (const auto& [key, end] :
       {std::pair{"\"id\":\"cmpl-", '"'}, std::pair{"\"created\":", ','}}) {
    const std::string_view name = key;
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += name.size()) {
      const size_t begin = at + name.size();
      text.replace(begin, text.find(end, begin) - begin, "X");
    }
  }
  return text;
}

}  // namespace ingot::testing
