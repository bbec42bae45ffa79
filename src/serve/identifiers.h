// SPDX-License-Identifier: Apache-2.0
// Identifiers and seeds that differ within a process and, but for bad luck, between processes: a
// counter mixed with a random salt. Thread-safe. Used for x-request-id, "cmpl-…" and the seeds that
// nobody chose.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::serve {

class Identifiers {
 public:
  Identifiers();
  /// `prefix` and 24 hexadecimal digits.
  [[nodiscard]] std::string next(std::string_view prefix);
  [[nodiscard]] uint64_t next_seed();

 private:
  uint64_t salt_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace ingot::serve
