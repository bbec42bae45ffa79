// SPDX-License-Identifier: Apache-2.0
// The end of a run: serve the model, ask it for one completion over HTTP, write the report.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/lm.h"
#include "cli/pipeline/pipeline.h"
#include "cli/serving.h"
#include "report/report.h"

namespace ingot::cli {
namespace {

/// A socket that closes itself.
class Socket {
 public:
  explicit Socket(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{60, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    require(fd_ >= 0 && connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
            Code::kIo, "serve: cannot connect to 127.0.0.1:{}", port);
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Sends all of `text` and reads until the peer closes.
  std::string exchange(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      require(n > 0, Code::kIo, "serve: the connection broke while sending");
      text.remove_prefix(static_cast<size_t>(n));
    }
    std::string answer;
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd_, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(n));
    }
    return answer;
  }

 private:
  int fd_;
};

Json ask(int port, const std::string& key, const Json& request) {
  const std::string body = dump_json(request);
  const std::string auth = key.empty() ? "" : "Authorization: Bearer " + key + "\r\n";
  const std::string answer = Socket(port).exchange(
      fmt::format("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n{}Connection: close\r\n"
                  "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                  auth, body.size(), body));
  const size_t split = answer.find("\r\n\r\n");
  require(answer.starts_with("HTTP/1.1 200") && split != std::string::npos, Code::kIo,
          "serve: the server answered {}", excerpt(answer, 200));
  return parse_json(std::string_view(answer).substr(split + 4), "the server's answer",
                    {.code = Code::kIo});
}

}  // namespace

void Pipeline::serve_check() {
  stage("serve", train_key() + to_json(recipe_.generate), [&] {
    Recipe recipe = recipe_;
    serve::ServeConfig& config = recipe.serve;
    config.host = "127.0.0.1";
    config.port = 0;
    config.model_name = recipe_.name;
    Serving serving(*runtime_, recipe, path("model"), *invocation_.clock);
    const int64_t most = cut_max_tokens(invocation_.console, "serve", recipe_.generate.max_tokens,
                                        prompt_tokens(recipe_.generate.prompt), serving.context());
    Json answer;
    double seconds = 0.0;
    {
      const serve::ServerThread running(serving.server());
      const GenerateConfig& g = recipe_.generate;
      const double start = invocation_.clock->now_s();
      answer = ask(serving.server().port(), config.api_key,
                   {{"model", recipe_.name},
                    {"prompt", g.prompt},
                    {"max_tokens", most},
                    {"temperature", g.temperature},
                    {"top_p", g.top_p},
                    {"seed", g.seed}});
      seconds = invocation_.clock->now_s() - start;
    }
    const auto text = answer.at("choices").at(0).at("text").get<std::string>();
    const auto tokens = answer.at("usage").at("completion_tokens").get<int64_t>();
    invocation_.console.note("serve: " + recipe_.generate.prompt + text);
    return Json{{"model", recipe_.name},
                {"prompt", recipe_.generate.prompt},
                {"completion", text},
                {"tokens", tokens},
                {"tokens_per_second", static_cast<double>(tokens) / std::max(seconds, 1e-9)}};
  });
}

}  // namespace ingot::cli
