// SPDX-License-Identifier: Apache-2.0
// A server on the loopback address for one test: every connection gives one request to `answer` and
// gets the bytes it returns, then is closed. What a server can do wrong is a matter of these bytes.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>

namespace ingot::io {

class LoopbackServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit LoopbackServer(Answer answer)
      : answer_(std::move(answer)),
        acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
        thread_([this] { serve(); }) {}
  ~LoopbackServer() {
    is_over_ = true;
    boost::system::error_code ignored;
    boost::asio::ip::tcp::socket bell(io_);  // wakes the accept
    bell.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
  }
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!is_over_) {
      boost::asio::ip::tcp::socket socket(io_);
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      if (error || is_over_) continue;
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n", error);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      boost::asio::write(socket, boost::asio::buffer(answer_(request)), error);
      socket.shutdown(boost::asio::ip::tcp::socket::shutdown_both, error);
    }
  }

  Answer answer_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> is_over_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;  // last: uses all of the above
};

/// The number behind "Range: bytes=" of a request, 0 without.
inline size_t range_of(const std::string& request) {
  const std::string key = "Range: bytes=";
  const size_t at = request.find(key);
  return at == std::string::npos ? 0 : std::stoul(request.substr(at + key.size()));
}

/// A whole answer with these bytes.
inline std::string ok_answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// The rest of `body` from where the request asks, as a server that knows ranges gives it.
inline std::string ranged_answer(const std::string& request, const std::string& body) {
  const size_t from = range_of(request);
  if (from == 0) return ok_answer(body);
  if (from >= body.size()) {
    return "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
  }
  return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(body.size() - from) +
         "\r\nContent-Range: bytes " + std::to_string(from) + "-" +
         std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n\r\n" +
         body.substr(from);
}

}  // namespace ingot::io
