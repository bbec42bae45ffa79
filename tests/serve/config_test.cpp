// SPDX-License-Identifier: Apache-2.0
// Ranges, the key's file, and that nothing that is printed or stored holds the key.
#include "serve/config.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/error.h"
#include "base/message_of.h"
#include "models/fake_model.h"

namespace ingot::serve::config_test {
namespace {

using testing::error_of;

TEST(ServeConfig, TheKeyIsNeverPrinted) {
  ServeConfig config;
  config.api_key = "sk-secret";
  for (const std::string& text : {to_yaml(config), to_json(config), help(config)}) {
    EXPECT_EQ(text.find("sk-secret"), std::string::npos);
  }
}

TEST(ServeConfig, TheKeyComesFromAFile) {
  const ingot::testing::TempDir folder;
  const std::string path = folder.file("key");
  const auto load = [&](const std::string& content) {
    std::ofstream(path) << content;
    ServeConfig config;
    config.api_key_file = path;
    load_api_key(config);
    return config.api_key;
  };
  EXPECT_EQ(load("  sk-1 \nsecond line\n"), "sk-1");
  EXPECT_EQ(error_of([&] { load("\nsk"); }),
            "serve.api_key_file: the first line of \"" + path +
                "\" must be a key of visible ASCII characters, but it is empty");
  const std::string message = error_of([&] { load("two words"); });
  EXPECT_NE(message.find("but it holds others"), std::string::npos);
  EXPECT_EQ(message.find("two words"), std::string::npos);
  ServeConfig config;
  config.api_key_file = "/nonexistent/key";
  const std::string missing = error_of([&] { load_api_key(config); });
  EXPECT_TRUE(missing.starts_with("serve.api_key_file: ")) << missing;
  EXPECT_NE(missing.find("/nonexistent/key"), std::string::npos);
}

TEST(ServeConfig, ValuesOutOfRangeAreNamed) {
  const auto message = [](const std::string& assignment) {
    ServeConfig config;
    apply_override(assignment, config);
    return error_of([&] { check_config(config); });
  };
  EXPECT_EQ(message("port=0"), "");
  EXPECT_EQ(message("port=70000"), "serve.port is 70000 but must be between 0 and 65535");
  EXPECT_EQ(message("queue=0"), "serve.queue is 0 but must be between 1 and 1000000");
  EXPECT_EQ(message("max_body_bytes=-1"),
            "serve.max_body_bytes is -1 but must be between 1 and 1099511627776");
  EXPECT_EQ(message("write_stall_s=0"),
            "serve.write_stall_s is 0 but must be between 0.001 and 1000000");
  EXPECT_EQ(message("drain_timeout_s=-1"),
            "serve.drain_timeout_s is -1 but must be between 0 and 1000000");
  EXPECT_EQ(message("model_name="), "serve.model_name: empty; \"ingot\" is usual");
}

TEST(ServeConfig, SecondsAndSizesEnd) {
  const auto message = [](const std::string& assignment) {
    ServeConfig config;
    apply_override(assignment, config);
    return error_of([&] { check_config(config); });
  };
  for (const std::string key :
       {"header_timeout_s", "body_timeout_s", "idle_timeout_s", "write_stall_s", "ping_s",
        "max_delay_s", "drain_delay_s", "drain_timeout_s"}) {
    EXPECT_EQ(message(key + "=1e6"), "");
    for (const std::string value : {"inf", "1e13"}) {
      EXPECT_NE(message(key + "=" + value).find(key), std::string::npos) << key << value;
    }
  }
  EXPECT_EQ(message("max_delay_s=inf"),
            "serve.max_delay_s is inf but must be between 0 and 1000000");
  EXPECT_EQ(message("kv_mib=8796093022208"),
            "serve.kv_mib is 8796093022208 but must be between 1 and 1048576");
  for (const std::string key :
       {"max_batch", "queue", "kv_mib", "step_rows", "max_choices", "max_body_bytes", "max_pixels",
        "max_header_bytes", "max_connections", "per_ip", "stream_bytes"}) {
    EXPECT_NE(message(key + "=9223372036854775807").find(key), std::string::npos) << key;
  }
}

TEST(ServeConfig, HostsAreAddressesOrNames) {
  const auto message = [](const std::string& host) {
    ServeConfig config;
    config.host = host;
    config.api_key = "sk-1";
    return error_of([&] { check_settings(config); });
  };
  for (const char* host : {"127.0.0.1", "0.0.0.0", "::", "fe80::1", "localhost", "gpu-1.example"}) {
    EXPECT_EQ(message(host), "") << host;
  }
  for (const char* host : {"", "127.0.0.999", "1.2.3", "1:2", "a b", "http://a", "b\n"}) {
    EXPECT_TRUE(message(host).starts_with("serve.host: \"")) << host;
  }
  EXPECT_EQ(
      message("a b"),
      "serve.host: \"a b\" is neither an address nor a name of a machine; 127.0.0.1 is usual");
}

TEST(ServeConfig, TheFileOfAKeyIsEnoughUntilTheServerStarts) {
  ServeConfig config;
  config.host = "0.0.0.0";
  const std::string refusal =
      "serve.host: 0.0.0.0 can be reached by others, so a key is needed: set "
      "serve.api_key_file=FILE, or keep serve.host=127.0.0.1";
  EXPECT_EQ(error_of([&] { check_settings(config); }), refusal);
  config.api_key_file = "/nonexistent/key";
  EXPECT_EQ(error_of([&] { check_settings(config); }), "");
  EXPECT_EQ(error_of([&] { check_config(config); }), refusal);
  config.api_key = "sk-1";
  EXPECT_EQ(error_of([&] { check_config(config); }), "");
}

TEST(ServeConfig, LoopbackIsKnown) {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "127.0.0.1.example", "127.example", "", "10.0.0.1"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace ingot::serve::config_test
