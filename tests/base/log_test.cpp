// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <vector>

#include <gtest/gtest.h>

namespace ingot::log_test {
namespace {

TEST(Logger, PassesWhatItsLevelAllows) {
  std::vector<std::string> lines;
  const Logger logger(LogLevel::kWarning, [&](LogLevel level, std::string_view text) {
    lines.push_back(fmt::format("{}: {}", level_name(level), text));
  });
  logger.debug("d {}", 1);
  logger.info("i {}", 2);
  logger.warning("w {}", 3);
  logger.error("e {}", 4);
  EXPECT_EQ(lines, (std::vector<std::string>{"warning: w 3", "error: e 4"}));
  EXPECT_FALSE(logger.enabled(LogLevel::kInfo));
  EXPECT_TRUE(logger.enabled(LogLevel::kError));
}

TEST(Logger, DefaultDropsEverything) {
  const Logger logger;
  logger.error("nobody hears {}", 1);
  EXPECT_FALSE(logger.enabled(LogLevel::kError));
}

TEST(Logger, OffStaysOffEvenWithASink) {
  int calls = 0;
  const Logger logger(LogLevel::kOff, [&](LogLevel, std::string_view) { ++calls; });
  logger.error("x");
  logger.log(LogLevel::kOff, "x");
  EXPECT_EQ(calls, 0);
}

TEST(Logger, NamesEveryLevel) {
  EXPECT_EQ(level_name(LogLevel::kDebug), "debug");
  EXPECT_EQ(level_name(LogLevel::kInfo), "info");
  EXPECT_EQ(level_name(LogLevel::kOff), "off");
}

}  // namespace
}  // namespace ingot::log_test
