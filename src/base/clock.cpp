// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <chrono>
#include <cmath>
#include <ctime>

#include <fmt/core.h>

namespace ingot {

double RealClock::now_s() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

double RealClock::wall_s() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

std::string utc_text(double wall_s) {
  const auto seconds = static_cast<std::time_t>(std::floor(wall_s));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace ingot
