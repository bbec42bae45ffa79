// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace ingot {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid_argument";
    case Code::kShapeMismatch:
      return "shape_mismatch";
    case Code::kDtypeMismatch:
      return "dtype_mismatch";
    case Code::kNotFound:
      return "not_found";
    case Code::kIo:
      return "io";
    case Code::kCorruptFile:
      return "corrupt_file";
    case Code::kOutOfMemory:
      return "out_of_memory";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kCancelled:
      return "cancelled";
    case Code::kNumeric:
      return "numeric";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

void assertion_failed(const char* expression, const char* file, int line) {
  const std::string_view path(file);
  const auto slash = path.rfind('/');
  throw Error(Code::kInternal, fmt::format("internal: {} does not hold ({}:{})", expression,
                                           path.substr(slash == path.npos ? 0 : slash + 1), line));
}

}  // namespace ingot
