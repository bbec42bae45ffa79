// SPDX-License-Identifier: Apache-2.0
// What a server may answer, from a loopback server: ranges, redirects, chunks, cuts, refusals.
#include "io/http_get.h"

#include <chrono>
#include <future>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "io/loopback_server.h"

namespace ingot::io::http_get_test {
namespace {

using testing::code_of;
using testing::message_of;

struct Got {
  std::string body;
  HttpHead head;
};

Got get(const std::string& url, int64_t from = 0, const HttpOptions& options = {}) {
  Got got;
  http_get(
      url, from, options, [&](const HttpHead& head) { got.head = head; },
      [&](std::span<const std::byte> bytes) {
        got.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      });
  return got;
}

TEST(Url, IsTakenApart) {
  const Url plain = parse_url("http://example.org");
  EXPECT_EQ(plain.host, "example.org");
  EXPECT_EQ(plain.port, "80");
  EXPECT_EQ(plain.target, "/");
  const Url full = parse_url("https://example.org:8443/a/b?c=d#part");
  EXPECT_TRUE(full.is_secure);
  EXPECT_EQ(full.port, "8443");
  EXPECT_EQ(full.target, "/a/b?c=d");
  EXPECT_EQ(full.text(), "https://example.org:8443/a/b?c=d");
  const Url v6 = parse_url("http://[::1]:80/x");
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.authority(), "[::1]");
}

TEST(Url, WhatIsNoneIsRefused) {
  for (const char* text : {"ftp://a/b", "example.org", "http://", "http://a:b/", "http://a:123456/",
                           "http://me:secret@a/", "http://a/b c", "http://a/\r\nHost: b"}) {
    EXPECT_EQ(code_of([&] { (void)parse_url(text); }), "invalid_argument") << text;
  }
}

TEST(HttpGet, GivesTheWholeFile) {
  const std::string body(1'000'000, 'x');
  const LoopbackServer server([&](const std::string&) { return ok_answer(body); });
  const Got got = get(server.url("/file"));
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(got.head.total, 1'000'000);
  const std::string request = server.requests()[0];
  EXPECT_TRUE(request.starts_with("GET /file HTTP/1.1\r\n")) << request;
  EXPECT_EQ(request.find("Range"), std::string::npos);
}

TEST(HttpGet, AsksForTheRestOnly) {
  const LoopbackServer server(
      [](const std::string& request) { return ranged_answer(request, "0123456789"); });
  const Got got = get(server.url("/file"), 4);
  EXPECT_EQ(got.body, "456789");
  EXPECT_EQ(got.head.first, 4);
  EXPECT_EQ(got.head.total, 10);
}

TEST(HttpGet, AServerWithoutRangesBeginsAnew) {
  const LoopbackServer server([](const std::string&) { return ok_answer("0123456789"); });
  const Got got = get(server.url("/file"), 4);
  EXPECT_EQ(got.body, "0123456789");
  EXPECT_EQ(got.head.first, 0);
}

TEST(HttpGet, ARangeBeyondTheFileBeginsAnew) {
  const LoopbackServer server(
      [](const std::string& request) { return ranged_answer(request, "0123"); });
  EXPECT_EQ(get(server.url("/file"), 4).body, "0123");
}

TEST(HttpGet, ARangeThatWasNotAskedForIsRefused) {
  const LoopbackServer server([](const std::string&) {
    return "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n"
           "Content-Range: bytes 1-2/9\r\n\r\nab";
  });
  EXPECT_EQ(message_of([&] { (void)get(server.url("/f"), 4); }),
            "get: \"" + server.url("/f") + "\": asked for bytes from 4, the answer begins at 1");
}

TEST(HttpGet, FollowsRedirectsAndNoCircle) {
  const LoopbackServer server([](const std::string& request) -> std::string {
    if (request.starts_with("GET /a ")) {
      return "HTTP/1.1 302 Found\r\nLocation: /b?x=1\r\nContent-Length: 0\r\n\r\n";
    }
    if (request.starts_with("GET /b?x=1 ")) return ok_answer("there");
    return "HTTP/1.1 301 Moved\r\nLocation: /circle\r\nContent-Length: 0\r\n\r\n";
  });
  EXPECT_EQ(get(server.url("/a")).body, "there");
  EXPECT_EQ(message_of([&] { (void)get(server.url("/circle")); }),
            "get: \"" + server.url("/circle") + "\": no bytes after 5 answers that lead elsewhere");
}

TEST(HttpGet, ReadsChunks) {
  const LoopbackServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
           "world\r\n0\r\n\r\n";
  });
  const Got got = get(server.url("/f"));
  EXPECT_EQ(got.body, "hello world");
  EXPECT_EQ(got.head.total, -1);
}

TEST(HttpGet, HandsOnWhatCameBeforeMoreComes) {
  // The server sends the second piece when the first was heard of.
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
  std::promise<void> heard;
  const auto served = std::async(std::launch::async, [&] {
    tcp::socket socket(io);
    acceptor.accept(socket);
    std::string request;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n");
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst";
    boost::asio::write(socket, boost::asio::buffer(head));
    heard.get_future().wait_for(std::chrono::seconds(20));
    boost::system::error_code gone;
    boost::asio::write(socket, boost::asio::buffer("last", 4), gone);
  });
  HttpOptions options;
  options.timeout_s = 10;
  std::string body;
  http_get(
      "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/f", 0, options,
      [](const HttpHead&) {},
      [&](std::span<const std::byte> bytes) {
        body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (body == "first") heard.set_value();
      });
  EXPECT_EQ(body, "firstlast");
}

TEST(HttpGet, ALocationMayLackWhatTheAddressHas) {
  std::string location;
  const LoopbackServer server([&](const std::string& request) -> std::string {
    if (request.starts_with("GET /dir/a?x=1 ")) {
      return "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n";
    }
    return ok_answer(request.substr(4, request.find(" HTTP") - 4));
  });
  const auto body = [&](const std::string& to) {
    location = to;
    return get(server.url("/dir/a?x=1")).body;
  };
  EXPECT_EQ(body("file.csv"), "/dir/file.csv");
  EXPECT_EQ(body("more/file.csv?at=http://b:80/"), "/dir/more/file.csv?at=http://b:80/");
  EXPECT_EQ(body("?y=2"), "/dir/a?y=2");
  EXPECT_EQ(body("/top"), "/top");
  EXPECT_EQ(body(server.url("/whole")), "/whole");
  EXPECT_EQ(body(server.url("/host").substr(5)), "/host");
  location = "ftp://a/b";
  EXPECT_EQ(code_of([&] { (void)get(server.url("/dir/a?x=1")); }), "invalid_argument");
}

TEST(HttpGet, ACutConnectionKeepsWhatCame) {
  const LoopbackServer server(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"; });
  std::string body;
  const std::string message = message_of([&] {
    http_get(
        server.url("/f"), 0, {}, [](const HttpHead&) {},
        [&](std::span<const std::byte> bytes) {
          body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        });
  });
  EXPECT_EQ(body, "only this");
  EXPECT_TRUE(message.find("the connection was cut") != std::string::npos) << message;
  EXPECT_TRUE(message.ends_with(" after 9 B")) << message;
}

TEST(HttpGet, SaysWhatTheServerAnswers) {
  std::string status = "404 Not Found";
  const LoopbackServer server(
      [&](const std::string&) { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"; });
  EXPECT_EQ(message_of([&] { (void)get(server.url("/f")); }),
            "get: \"" + server.url("/f") + "\": answer 404: not there");
  status = "503 Service Unavailable";
  EXPECT_EQ(message_of([&] { (void)get(server.url("/f")); }),
            "get: \"" + server.url("/f") + "\": answer 503 Service Unavailable");
}

TEST(HttpGet, GarbageIsNoAnswer) {
  const LoopbackServer server([](const std::string&) { return "SSH-2.0-OpenSSH_9\r\n\r\n"; });
  EXPECT_EQ(code_of([&] { (void)get(server.url("/f")); }), "io");
}

TEST(HttpGet, AStopEndsIt) {
  const LoopbackServer server([](const std::string&) { return ok_answer("x"); });
  StopFlag stop;
  stop.request();
  HttpOptions options;
  options.stop = &stop;
  EXPECT_EQ(code_of([&] { (void)get(server.url("/f"), 0, options); }), "cancelled");
}

TEST(HttpGet, AProxyIsAskedForTheWholeAddress) {
  const LoopbackServer proxy([](const std::string& request) {
    return ok_answer(request.substr(0, request.find("\r\n")));
  });
  HttpOptions options;
  options.proxy = proxy.url("");
  EXPECT_EQ(get("http://data.example/file.csv", 0, options).body,
            "GET http://data.example/file.csv HTTP/1.1");
  // A proxy that does not open a tunnel is named.
  const std::string message =
      message_of([&] { (void)get("https://data.example/file.csv", 0, options); });
  EXPECT_NE(message, "no error");
}

}  // namespace
}  // namespace ingot::io::http_get_test
