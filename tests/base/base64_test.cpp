// SPDX-License-Identifier: Apache-2.0
// The vectors of RFC 4648, section 10, and what is not base64.
#include "base/base64.h"

#include <utility>

#include <gtest/gtest.h>

namespace ingot::base64_test {
namespace {

TEST(Base64, HasTheVectorsOfTheStandard) {
  for (const auto& [bytes, text] : {std::pair{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, EveryByteComesBackAlsoBeyondOneStep) {
  std::string bytes((size_t{3} << 20) + 257, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
}

TEST(Base64, OtherTextIsRefused) {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", " Zg=", "Zm9\n", "Zm-_",
                           "Zm9v\n", "Zg=a", "Zm9v    "}) {
    EXPECT_FALSE(from_base64(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace ingot::base64_test
