// SPDX-License-Identifier: Apache-2.0
// The one exception type of the library. A message starts with the op or verb, gives both values
// and, where known, the remedy. Caught once in cli/main.cpp and once per request in serve/.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace ingot {

/// What went wrong; docs/errors.md has a section for each.
enum class Code {
  kInvalidArgument,  ///< a value outside its range, an unknown key or name
  kShapeMismatch,    ///< tensor shapes that do not fit together
  kDtypeMismatch,    ///< a dtype the op does not take
  kNotFound,         ///< a file, model, column or parameter that is not there
  kIo,               ///< the operating system refused to read or write
  kCorruptFile,      ///< a file whose content contradicts its format
  kOutOfMemory,      ///< does not fit under the memory cap
  kUnsupported,      ///< valid, but not available in this build or for this op
  kCancelled,        ///< stopped by a signal or a client
  kNumeric,          ///< NaN or infinity where finite numbers are required
  kInternal,         ///< a broken invariant of ours: please report
};

[[nodiscard]] std::string_view code_name(Code code);

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] Code code() const { return code_; }

 private:
  Code code_;
};

/// Throws Error{code, formatted message}.
template <class... Args>
[[noreturn]] void fail(Code code, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(code, fmt::format(text, std::forward<Args>(args)...));
}

/// Throws Error{code, formatted message} unless `condition` holds. For the user's fault.
template <class... Args>
void require(bool condition, Code code, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) [[unlikely]]
    throw Error(code, fmt::format(text, std::forward<Args>(args)...));
}

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace ingot

/// For our own fault: throws Error{kInternal} naming the broken invariant.
#define INGOT_ASSERT(condition) \
  ((condition) ? void(0) : ::ingot::assertion_failed(#condition, __FILE__, __LINE__))
