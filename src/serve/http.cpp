// SPDX-License-Identifier: Apache-2.0
// Accepting and stopping. A stop request is a byte in an eventfd, which a signal handler may write.
// Drain: /ready says 503 → (drain_delay_s) → no new connections, idle ones close → running answers
// finish → (drain_timeout_s) → the rest gets an error event → a last second for those → return.
#include "serve/http.h"

#include <chrono>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // ThreadSanitizer cannot follow fences; the mutexes
                                         // suffice
#endif
#include <boost/asio.hpp>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/machine.h"
#include "serve/api.h"
#include "serve/connection.h"

namespace ingot::serve {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

constexpr auto kAwaitResult = net::as_tuple(net::use_awaitable);
constexpr double kLastWords = 1.0;    // seconds for the error events after the drain's end
constexpr int64_t kRefusedShare = 2;  // at most 1/2 of max_connections wait for a refusal
constexpr auto kAcceptPause = std::chrono::milliseconds(50);  // when descriptors run out

/// The whole answer to a connection for which there is no place.
std::string overloaded(const Api& api) {
  const std::string body = api.error_body(
      ApiError{503, "server_error", "Too many connections.", "", "too_many_connections", 1});
  return fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nServer: ingot\r\nContent-Type: application/json\r\n"
      "Retry-After: 1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
}

std::chrono::microseconds micros(double seconds) {
  return std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6));
}

tcp::endpoint resolve(net::io_context& io, const ServeConfig& config) {
  const std::string host = config.host == "localhost" ? "127.0.0.1" : config.host;
  error_code problem;
  const auto address = net::ip::make_address(host, problem);
  if (!problem) return {address, static_cast<uint16_t>(config.port)};
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(config.port), problem);
  require(!problem && !found.empty(), Code::kInvalidArgument,
          "serve: host \"{}\" is not an address of this machine: {}", config.host,
          problem.message());
  return *found.begin();
}

constexpr const char* kMoreFiles = "raise the limit of open files (ulimit -n)";

bool lacks_files(const error_code& problem) {
  namespace errc = boost::system::errc;
  return problem == errc::too_many_files_open || problem == errc::too_many_files_open_in_system;
}

/// Where the system has no thread or descriptor for Asio, which throws a type of its own.
[[noreturn]] void refuse_start(const error_code& problem) {
  namespace errc = boost::system::errc;
  require(problem != errc::resource_unavailable_try_again && problem != errc::not_enough_memory,
          Code::kOutOfMemory,
          "serve: the system starts no thread for the server: {} ({}). Raise ulimit -v or ulimit "
          "-u, or take less: threads=1, serve.kv_mib=1",
          problem.message(), scarcity());
  fail(Code::kIo, "serve: the server cannot start: {}{}{}", problem.message(),
       lacks_files(problem) ? "; " : "", lacks_files(problem) ? kMoreFiles : "");
}

}  // namespace

class Server::Impl {
 public:
  Impl(const ServeConfig& config, ModelApi& model, Metrics& metrics, Logger logger);
  ~Impl();
  int64_t run(const std::function<void(int)>& on_ready);
  void request_stop() noexcept;
  [[nodiscard]] int port() const { return port_; }

 private:
  net::awaitable<void> accept();
  net::awaitable<void> await_stop();
  net::awaitable<void> drain();
  void take(tcp::socket socket, const tcp::endpoint& peer);
  void finish_if_empty();

  ServeConfig config_;
  Metrics& metrics_;
  Logger logger_;
  Api api_;
  int stop_event_;
  int port_ = 0;
  int64_t cut_off_ = 0;
  bool drained_ = false;  // run() ends when the last connection leaves
  // Destroyed in reverse: first the pool joins, then waiting coroutines go while `shared_` lives.
  std::unique_ptr<Shared> shared_;
  net::io_context io_{1};
  net::thread_pool reading_{1};
  tcp::acceptor acceptor_{io_};
  net::posix::stream_descriptor stop_{io_};
  net::steady_timer patience_{io_};
};

Server::Impl::Impl(const ServeConfig& config, ModelApi& model, Metrics& metrics, Logger logger)
    : config_(config), metrics_(metrics), logger_(std::move(logger)), api_(config, model, metrics) {
  check_config(config);
  config_.api_key.clear();
  shared_.reset(new Shared{
      config_, api_, metrics, io_, reading_, {}, {}, [this] { finish_if_empty(); }, logger_});
  const tcp::endpoint endpoint = resolve(io_, config);
  error_code problem;
  acceptor_.open(endpoint.protocol(), problem);
  if (!problem) acceptor_.set_option(tcp::acceptor::reuse_address(true), problem);
  if (!problem) acceptor_.bind(endpoint, problem);
  if (!problem) acceptor_.listen(net::socket_base::max_listen_connections, problem);
  require(!problem, Code::kIo, "serve: cannot listen on {} port {}: {}; {}", config.host,
          config.port, problem.message(),
          lacks_files(problem) ? kMoreFiles : "choose another port (0 takes a free one)");
  port_ = acceptor_.local_endpoint().port();
  stop_event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  require(stop_event_ >= 0, Code::kIo, "serve: cannot make an eventfd; {}", kMoreFiles);
  stop_.assign(stop_event_);
}

Server::Impl::~Impl() {
  reading_.stop();
  reading_.join();
  shared_->on_gone = nullptr;
}

void Server::Impl::request_stop() noexcept {
  const uint64_t one = 1;
  const ssize_t written = ::write(stop_event_, &one, sizeof one);
  static_cast<void>(written);  // a full counter means that a stop is pending already
}

int64_t Server::Impl::run(const std::function<void(int)>& on_ready) {
  if (on_ready) on_ready(port_);
  net::co_spawn(io_, accept(), net::detached);
  net::co_spawn(io_, await_stop(), net::detached);
  io_.run();
  return cut_off_;
}

net::awaitable<void> Server::Impl::accept() {
  net::steady_timer pause(io_);
  bool failing = false;
  while (acceptor_.is_open()) {
    tcp::socket socket(io_);
    tcp::endpoint peer;
    const auto [problem] = co_await acceptor_.async_accept(socket, peer, kAwaitResult);
    if (!problem) {
      failing = false;
      try {
        take(std::move(socket), peer);
      } catch (const std::exception& error) {  // memory: this client only
        logger_.error("serve: a connection could not be taken: {}", error.what());
      }
      continue;
    }
    if (!acceptor_.is_open()) break;
    if (!failing) logger_.error("serve: cannot accept connections: {}", problem.message());
    failing = true;
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(kAwaitResult);
  }
}

void Server::Impl::take(tcp::socket socket, const tcp::endpoint& peer) {
  ++metrics_.connections_total;
  const std::string ip = peer.address().to_string();
  const auto open = static_cast<int64_t>(shared_->live.size());
  const auto known = shared_->per_ip.find(ip);
  const bool surplus = known != shared_->per_ip.end() && known->second >= config_.per_ip;
  if (surplus) ++metrics_.refused_connections;
  const int64_t bound =
      surplus ? config_.max_connections / kRefusedShare + config_.per_ip : config_.max_connections;
  error_code problem;
  if (open >= std::min(bound, config_.max_connections)) {
    if (!surplus) ++metrics_.refused_connections;
    socket.non_blocking(true, problem);
    socket.write_some(net::buffer(overloaded(api_)), problem);
    return;
  }
  const bool is_v6 = peer.address().is_v6();
  const int native = socket.release(problem);
  if (!problem) start_connection(*shared_, native, is_v6, ip, surplus);
}

net::awaitable<void> Server::Impl::await_stop() {
  uint64_t count = 0;
  co_await stop_.async_read_some(net::buffer(&count, sizeof count), kAwaitResult);
  api_.start_draining();
  logger_.info("serve: drains: {} running, {} waiting, {} connections; at most {} s",
               metrics_.running.load(), metrics_.waiting.load(), shared_->live.size(),
               config_.drain_delay_s + config_.drain_timeout_s);
  net::co_spawn(io_, drain(), net::detached);
  if (count == 1) co_await stop_.async_read_some(net::buffer(&count, sizeof count), kAwaitResult);
  for (Live* live : shared_->live) cut_off_ += live->cut_off() ? 1 : 0;
  io_.stop();
}

net::awaitable<void> Server::Impl::drain() {
  patience_.expires_after(micros(config_.drain_delay_s));
  co_await patience_.async_wait(kAwaitResult);
  error_code ignored;
  acceptor_.close(ignored);
  drained_ = true;
  finish_if_empty();
  for (Live* live : shared_->live) live->finish();
  patience_.expires_after(micros(config_.drain_timeout_s));
  co_await patience_.async_wait(kAwaitResult);
  for (Live* live : shared_->live) cut_off_ += live->cut_off() ? 1 : 0;
  patience_.expires_after(micros(kLastWords));
  co_await patience_.async_wait(kAwaitResult);
  io_.stop();
}

void Server::Impl::finish_if_empty() {
  if (drained_ && shared_->live.empty()) io_.stop();
}

Server::Server(const ServeConfig& config, ModelApi& model, Metrics& metrics, Logger logger) {
  try {
    impl_ = std::make_unique<Impl>(config, model, metrics, std::move(logger));
  } catch (const boost::system::system_error& error) {
    refuse_start(error.code());
  }
}
Server::~Server() = default;
int Server::port() const { return impl_->port(); }
int64_t Server::run(const std::function<void(int)>& on_ready) { return impl_->run(on_ready); }
void Server::request_stop() noexcept { impl_->request_stop(); }

ServerThread::ServerThread(Server& server)
    : thread_([&server](const std::stop_token& ended) {
        const std::stop_callback drain(ended, [&server] { server.request_stop(); });
        server.run();
      }) {}

}  // namespace ingot::serve
