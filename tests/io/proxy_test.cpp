// SPDX-License-Identifier: Apache-2.0
// The proxy by scheme, and the hosts that are reached without one.
#include "io/proxy.h"

#include <map>

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::io::proxy_test {
namespace {

using Variables = std::map<std::string, std::string>;

std::string proxy(const std::string& url, const Variables& variables) {
  return proxy_for(url, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Proxy, IsNamedByScheme) {
  const Variables both = {{"http_proxy", "http://plain:1"}, {"HTTPS_PROXY", "http://secure:2"}};
  EXPECT_EQ(proxy("http://example.org/a", both), "http://plain:1");
  EXPECT_EQ(proxy("https://example.org/a", both), "http://secure:2");
  EXPECT_EQ(proxy("https://example.org/a", {{"https_proxy", ""}, {"HTTPS_PROXY", "http://b:2"}}),
            "http://b:2");
  EXPECT_EQ(proxy("https://example.org/a", {{"https_proxy", "proxy.lan:3128"}}),
            "http://proxy.lan:3128");
  EXPECT_EQ(proxy("http://example.org/a", {{"HTTP_PROXY", "http://forged:1"}}), "");
  EXPECT_EQ(testing::code_of([] { (void)proxy("ftp://a/b", {}); }), "invalid_argument");
}

TEST(Proxy, ThisMachineIsReachedWithoutOne) {
  const Variables set = {{"http_proxy", "http://p:1"}};
  for (const char* url : {"http://localhost:8000/x", "http://127.0.0.1/x", "http://127.8.9.1/x",
                          "http://[::1]:80/x", "http://LocalHost/x", "http://data.localhost/x"}) {
    EXPECT_EQ(proxy(url, set), "") << url;
  }
  EXPECT_EQ(proxy("http://127.example.org/x", set), "http://p:1");
  EXPECT_EQ(proxy("http://notlocalhost/x", set), "http://p:1");
}

TEST(Proxy, HostsOfNoProxyAreReachedWithoutOne) {
  Variables set = {{"http_proxy", "http://p:1"}, {"no_proxy", "example.org, .lan,,10.0.0.7"}};
  for (const char* url : {"http://example.org/", "http://a.example.org/", "http://box.lan/",
                          "http://EXAMPLE.org/", "http://10.0.0.7:81/"}) {
    EXPECT_EQ(proxy(url, set), "") << url;
  }
  EXPECT_EQ(proxy("http://myexample.org/", set), "http://p:1");
  EXPECT_EQ(proxy("http://example.com/", set), "http://p:1");
  set["no_proxy"] = "*";
  EXPECT_EQ(proxy("http://example.com/", set), "");
  set = {{"http_proxy", "http://p:1"}, {"NO_PROXY", "example.com"}};
  EXPECT_EQ(proxy("http://example.com/", set), "");
}

}  // namespace
}  // namespace ingot::io::proxy_test
