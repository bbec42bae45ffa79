// SPDX-License-Identifier: Apache-2.0
// One request is one coroutine on an io_context of its own. A second coroutine looks at the stop
// flag and at the time since the last byte, and closes the socket when either says so. Each
// co_await stands alone in its statement and makes no temporaries, which GCC 12 needs for correct
// lifetimes.
#include "io/http_get.h"

#include <chrono>
#include <optional>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ingot::io {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr auto kResult = net::as_tuple(net::use_awaitable);
constexpr int kMaxRedirects = 5;
constexpr size_t kBlock = size_t{256} << 10;
constexpr auto kLook = std::chrono::milliseconds(200);  // between two looks at the stop flag

using Parser = http::response_parser<http::buffer_body>;

/// One request and what became of it.
class Exchange {
 public:
  Exchange(const Url& url, int64_t from, const HttpOptions& options,
           const std::function<void(const HttpHead&)>& head,
           const std::function<void(std::span<const std::byte>)>& bytes)
      : url_(url),
        from_(from),
        options_(options),
        head_(head),
        bytes_(bytes),
        tls_(net::ssl::context::tls_client),
        socket_(io_) {}

  /// The address to go on to, when the server names another.
  std::optional<std::string> run() {
    last_byte_ = Clock::now();
    net::co_spawn(io_, work(), [this](const std::exception_ptr& error) {
      failure_ = error;
      is_done_ = true;
      timer_.cancel();
    });
    net::co_spawn(io_, watch(), net::detached);
    io_.run();
    if (is_stopped_) throw_if_stopped(options_.stop);
    require(!is_late_, Code::kIo, "get: \"{}\": nothing came for {:.0f} seconds{}", url_.text(),
            options_.timeout_s, so_far());
    if (failure_) std::rethrow_exception(failure_);
    return location_;
  }
  /// The server has no bytes from there on: ask again for all of them.
  [[nodiscard]] bool is_beyond() const { return is_beyond_; }

 private:
  [[noreturn]] void give_up(std::string_view what, const error_code& error) const {
    fail(Code::kIo, "get: \"{}\": {}: {}{}", url_.text(), what, error.message(), so_far());
  }
  /// "", or how much came, which a further call need not fetch again.
  [[nodiscard]] std::string so_far() const {
    return received_ == 0 ? "" : fmt::format(" after {}", human_bytes(received_));
  }

  net::awaitable<void> watch() {
    while (!is_done_) {
      timer_.expires_after(kLook);
      co_await timer_.async_wait(kResult);
      is_stopped_ = options_.stop != nullptr && options_.stop->requested();
      const std::chrono::duration<double> quiet = Clock::now() - last_byte_;
      is_late_ = quiet.count() > options_.timeout_s;
      if (is_done_ || (!is_stopped_ && !is_late_)) continue;
      resolver_.cancel();
      error_code ignored;
      socket_.close(ignored);
      co_return;
    }
    is_stopped_ = is_late_ = false;
  }

  net::awaitable<void> work() {
    Url first = url_;
    if (!options_.proxy.empty()) first = parse_url(options_.proxy);
    co_await connect(first);
    if (!url_.is_secure) {
      co_await transfer(socket_);
      co_return;
    }
    if (!options_.proxy.empty()) co_await open_tunnel();
    error_code error;
    tls_.set_default_verify_paths(error);
    tls_.set_verify_mode(net::ssl::verify_peer);
    net::ssl::stream<tcp::socket&> stream(socket_, tls_);
    stream.set_verify_callback(net::ssl::host_name_verification(url_.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
    const auto [handshake] =
        co_await stream.async_handshake(net::ssl::stream_base::client, kResult);
    if (handshake) give_up("TLS (are ca-certificates installed?)", handshake);
    co_await transfer(stream);
  }

  net::awaitable<void> connect(const Url& to) {
    const auto [unknown, places] = co_await resolver_.async_resolve(to.host, to.port, kResult);
    if (unknown) give_up(fmt::format("no address of {}", to.host), unknown);
    const auto [refused, place] = co_await net::async_connect(socket_, places, kResult);
    if (refused) give_up(fmt::format("no connection to {}", to.authority()), refused);
  }

  /// CONNECT: from here on the proxy passes bytes on unread.
  net::awaitable<void> open_tunnel() {
    const std::string place = fmt::format("{}:{}", url_.host, url_.port);
    http::request<http::empty_body> request(http::verb::connect, place, 11);
    request.set(http::field::host, place);
    const auto [lost, sent] = co_await http::async_write(socket_, request, kResult);
    if (lost) give_up("the proxy", lost);
    http::response_parser<http::empty_body> parser;
    parser.skip(true);
    boost::beast::flat_buffer buffer;
    const auto [bad, got] = co_await http::async_read_header(socket_, buffer, parser, kResult);
    if (bad) give_up("the proxy", bad);
    require(parser.get().result() == http::status::ok, Code::kIo,
            "get: \"{}\": the proxy {} answers {}", url_.text(), options_.proxy,
            parser.get().result_int());
  }

  template <class Stream>
  net::awaitable<void> transfer(Stream& stream) {
    http::request<http::empty_body> request = request_for();
    const auto [lost, sent] = co_await http::async_write(stream, request, kResult);
    if (lost) give_up("sending the request", lost);
    boost::beast::flat_buffer buffer;
    Parser parser;
    parser.body_limit(boost::none);
    const auto [bad, got] = co_await http::async_read_header(stream, buffer, parser, kResult);
    if (bad) give_up("reading the answer", bad);
    last_byte_ = Clock::now();
    if (!take_head(parser)) co_return;
    std::vector<std::byte> block(kBlock);
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = block.data();
      body.size = block.size();
      // Some, not a block: a slow server is heard, and what came is kept.
      const auto [cut, read] = co_await http::async_read_some(stream, buffer, parser, kResult);
      const size_t filled = block.size() - body.size;
      if (read > 0 || filled > 0) last_byte_ = Clock::now();
      if (filled > 0) bytes_(std::span<const std::byte>(block).first(filled));
      received_ += static_cast<int64_t>(filled);
      if (cut && cut != http::error::need_buffer) give_up("the connection was cut", cut);
    }
  }

  [[nodiscard]] http::request<http::empty_body> request_for() const {
    const bool is_absolute = !options_.proxy.empty() && !url_.is_secure;
    http::request<http::empty_body> request(http::verb::get,
                                            is_absolute ? url_.text() : url_.target, 11);
    request.set(http::field::host, url_.authority());
    request.set(http::field::user_agent, "ingot/" INGOT_VERSION);
    request.set(http::field::accept, "*/*");
    request.set(http::field::accept_encoding, "identity");
    request.set(http::field::connection, "close");
    if (from_ > 0) request.set(http::field::range, fmt::format("bytes={}-", from_));
    return request;
  }

  /// False when the answer holds no bytes of the file.
  bool take_head(const Parser& parser) {
    const auto& message = parser.get();
    const unsigned status = message.result_int();
    if (status >= 300 && status < 400) {
      const auto to = message.find(http::field::location);
      require(to != message.end(), Code::kIo, "get: \"{}\": answer {} names no address",
              url_.text(), status);
      location_ = std::string(to->value());
      return false;
    }
    is_beyond_ = status == 416 && from_ > 0;
    if (is_beyond_) return false;
    require(status != 404 && status != 410, Code::kNotFound, "get: \"{}\": answer {}: not there",
            url_.text(), status);
    require(status == 200 || status == 206, Code::kIo, "get: \"{}\": answer {} {}", url_.text(),
            status, std::string(http::obsolete_reason(message.result())));
    HttpHead head;
    if (const auto length = parser.content_length()) head.total = static_cast<int64_t>(*length);
    if (status == 206) {
      head.first = range_start(message);
      require(head.first == from_, Code::kIo,
              "get: \"{}\": asked for bytes from {}, the answer begins at {}", url_.text(), from_,
              head.first);
      if (head.total >= 0) head.total += from_;
    }
    head_(head);
    return true;
  }

  /// "bytes 100-199/200" → 100; -1 for anything else.
  static int64_t range_start(const http::response<http::buffer_body>& message) {
    const auto field = message.find(http::field::content_range);
    if (field == message.end()) return -1;
    const std::string text(field->value());
    constexpr std::string_view kUnit = "bytes ";
    if (!text.starts_with(kUnit)) return -1;
    int64_t first = 0;
    size_t i = kUnit.size();
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && i < kUnit.size() + 18; ++i) {
      first = first * 10 + (text[i] - '0');
    }
    return i > kUnit.size() && i < text.size() && text[i] == '-' ? first : -1;
  }

  const Url& url_;
  int64_t from_;
  const HttpOptions& options_;
  const std::function<void(const HttpHead&)>& head_;
  const std::function<void(std::span<const std::byte>)>& bytes_;
  net::io_context io_{1};
  net::ssl::context tls_;
  tcp::socket socket_;
  tcp::resolver resolver_{io_};
  net::steady_timer timer_{io_};
  Clock::time_point last_byte_;
  int64_t received_ = 0;
  bool is_done_ = false, is_stopped_ = false, is_late_ = false, is_beyond_ = false;
  std::exception_ptr failure_;
  std::optional<std::string> location_;
};

/// An address in the Location of `from` (RFC 3986, 5.2): whole, or what it lacks from `from`. Dots
/// in the path are the server's business.
Url next_url(const Url& from, const std::string& location) {
  const size_t end = location.find_first_of(":/?#");
  const bool is_whole = end != std::string::npos && location[end] == ':';
  const std::string scheme = from.is_secure ? "https:" : "http:";
  const std::string path = from.target.substr(0, from.target.find('?'));
  std::string text = location;
  if (location.starts_with("//")) {
    text = scheme + location;
  } else if (location.starts_with('/')) {
    text = scheme + "//" + from.authority() + location;
  } else if (location.starts_with('?')) {
    text = scheme + "//" + from.authority() + path + location;
  } else if (!is_whole) {
    text = scheme + "//" + from.authority() + path.substr(0, path.rfind('/') + 1) + location;
  }
  const Url to = parse_url(text);
  require(to.is_secure || !from.is_secure, Code::kIo,
          "get: \"{}\" leads to \"{}\": from https to http is refused", from.text(), to.text());
  return to;
}

}  // namespace

std::string Url::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  const std::string name = is_v6 ? "[" + host + "]" : host;
  return port == (is_secure ? "443" : "80") ? name : name + ":" + port;
}

std::string Url::text() const {
  return fmt::format("{}://{}{}", is_secure ? "https" : "http", authority(), target);
}

Url parse_url(const std::string& text) {
  Url url;
  std::string_view rest = text;
  const auto refuse = [&](std::string_view why) {
    fail(Code::kInvalidArgument, "get: \"{}\" is no address: {}", excerpt(text, 200), why);
  };
  if (rest.starts_with("https://")) {
    url.is_secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    refuse("it begins with neither https:// nor http://");
  }
  for (const char c : rest) {
    if (c <= ' ' || c == 0x7F) refuse("it holds a space or a control character");
  }
  rest = rest.substr(0, rest.find('#'));
  const size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view place = rest.substr(0, slash);
  url.target = std::string(rest.substr(slash));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (place.find('@') != place.npos) refuse("a user name in it is not taken");
  url.port = url.is_secure ? "443" : "80";
  const size_t bracket = place.find(']');
  const size_t colon = place.find(':', bracket == place.npos ? 0 : bracket);
  if (colon != place.npos) {
    url.port = std::string(place.substr(colon + 1));
    place = place.substr(0, colon);
    const bool is_number = !url.port.empty() && url.port.size() <= 5 &&
                           url.port.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number) refuse("the port is no number");
  }
  if (place.starts_with('[') && place.ends_with(']')) place = place.substr(1, place.size() - 2);
  if (place.empty()) refuse("no host");
  url.host = std::string(place);
  return url;
}

void http_get(const std::string& address, int64_t from, const HttpOptions& options,
              const std::function<void(const HttpHead&)>& head,
              const std::function<void(std::span<const std::byte>)>& bytes) {
  Url url = parse_url(address);
  for (int i = 0; i <= kMaxRedirects; ++i) {
    throw_if_stopped(options.stop);
    Exchange exchange(url, from, options, head, bytes);
    const std::optional<std::string> location = exchange.run();
    if (location) {
      url = next_url(url, *location);
    } else if (exchange.is_beyond()) {
      from = 0;
    } else {
      return;
    }
  }
  fail(Code::kIo, "get: \"{}\": no bytes after {} answers that lead elsewhere", address,
       kMaxRedirects);
}

}  // namespace ingot::io
