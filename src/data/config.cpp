// SPDX-License-Identifier: Apache-2.0
// Range checks of DataConfig. The visitor knows types and names; what a value may be is said here.
#include "data/config.h"

#include "base/error.h"

namespace ingot::data {

void check(const DataConfig& config) {
  constexpr int64_t kSmallestPiece = 1024;
  require(config.max_file.bytes >= kSmallestPiece, Code::kInvalidArgument,
          "data.max_file: {} bytes is below the smallest piece of {}", config.max_file.bytes,
          kSmallestPiece);
  require(config.min_bytes >= 0, Code::kInvalidArgument, "data.min_bytes: {} is negative",
          config.min_bytes);
  require(
      config.near_duplicate > 0 && config.near_duplicate <= 1, Code::kInvalidArgument,
      "data.near_duplicate: {} is not in (0, 1]; 0.7 is usual, 1 keeps only equal ones together",
      config.near_duplicate);
  const double held_out = config.validation + config.test;
  require(config.validation >= 0 && config.test >= 0 && held_out < 1, Code::kInvalidArgument,
          "data.validation and data.test: {} and {} must be at least 0 and leave a share for train",
          config.validation, config.test);
  for (const std::string& extension : config.extensions) {
    require(!extension.empty() && extension.find('/') == std::string::npos, Code::kInvalidArgument,
            "data.extensions: \"{}\" is no extension; write h, cpp, or none for files without one",
            extension);
  }
}

}  // namespace ingot::data
