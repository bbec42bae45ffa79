// SPDX-License-Identifier: Apache-2.0
// `ingot bench machine --json` through the program: one JSON object whose figures are possible ones.
#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace ingot::cli {
namespace {

#ifdef INGOT_BINARY
std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), n);
  }
  return text;
}

TEST(Bench, MachineFiguresAreOneJsonObjectOfPositiveNumbers) {
  const std::string text = output_of(std::string(INGOT_BINARY) + " bench machine --json 2>/dev/null");

  const Json json = parse_json(text, "bench");

  ASSERT_TRUE(json.is_object()) << text;
  int64_t numbers = 0;
  const std::function<void(const Json&)> walk = [&](const Json& value) {
    if (value.is_number()) {
      EXPECT_GE(value.get<double>(), 0.0);
      ++numbers;
    } else if (value.is_structured()) {
      for (const Json& child : value) walk(child);
    }
  };
  walk(json);
  EXPECT_GE(numbers, 3) << text;
}
#endif

}  // namespace
}  // namespace ingot::cli
