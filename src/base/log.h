// SPDX-License-Identifier: Apache-2.0
// A logger is a value: a level and a sink, passed to whoever reports something. A default logger
// drops everything. Text is only formatted when the level lets it through. Not for metrics (the
// ledger) and not for errors that stop the work (throw Error).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace ingot {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

[[nodiscard]] std::string_view level_name(LogLevel level);  ///< "debug", "info", "warning", …

class Logger {
 public:
  using Sink = std::function<void(LogLevel, std::string_view)>;

  Logger() = default;
  Logger(LogLevel level, Sink sink) : level_(level), sink_(std::move(sink)) {}

  [[nodiscard]] bool enabled(LogLevel level) const {
    return level >= level_ && level != LogLevel::kOff && static_cast<bool>(sink_);
  }
  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(level)) sink_(level, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    log(LogLevel::kDebug, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    log(LogLevel::kInfo, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> text, Args&&... args) const {
    log(LogLevel::kWarning, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    log(LogLevel::kError, text, std::forward<Args>(args)...);
  }

 private:
  LogLevel level_ = LogLevel::kOff;
  Sink sink_;
};

}  // namespace ingot
