// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share. A target takes any bytes; its parser must answer with a value or
// with an Error that blames the input. Everything else is a fault: another exception,
// Error{kInternal}, a sanitizer's finding, too much time or memory. Values are then checked for a
// property, such as that they survive being written and read again. Built by cmake/fuzz.cmake, run
// by scripts/fuzz.sh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"

namespace ingot::fuzz {

[[nodiscard]] inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Stops the fuzzer with this input unless `holds`.
inline void demand(bool holds) {
  if (!holds) std::abort();
}

/// Runs `parse`; true when it returned, false when it refused the input.
template <class Parse>
bool accepts(const Parse& parse) {
  try {
    parse();
    return true;
  } catch (const Error& error) {
    demand(error.code() != Code::kInternal);
    demand(!std::string_view(error.what()).empty());
    return false;
  }
}

}  // namespace ingot::fuzz
