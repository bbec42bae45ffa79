// SPDX-License-Identifier: Apache-2.0
// Arithmetic on sizes that come from outside (files, recipes, requests): it throws instead of
// wrapping round. `what` names the quantity in the message. Not for hot loops: check the product
// once, before anything is allocated. Called by every reader and by the planner.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace ingot {

/// a * b, or Error{code} "<what>: <a> * <b> does not fit in <bits> bits".
template <std::integral T>
[[nodiscard]] T checked_mul(T a, T b, std::string_view what, Code code = Code::kCorruptFile) {
  T result{};
  require(!__builtin_mul_overflow(a, b, &result), code, "{}: {} * {} does not fit in {} bits", what,
          a, b, sizeof(T) * 8);
  return result;
}

/// a + b, or Error{code} "<what>: <a> + <b> does not fit in <bits> bits".
template <std::integral T>
[[nodiscard]] T checked_add(T a, T b, std::string_view what, Code code = Code::kCorruptFile) {
  T result{};
  require(!__builtin_add_overflow(a, b, &result), code, "{}: {} + {} does not fit in {} bits", what,
          a, b, sizeof(T) * 8);
  return result;
}

/// The same value as another integer type, or Error{code} naming the range of that type.
template <std::integral To, std::integral From>
[[nodiscard]] To checked_cast(From value, std::string_view what, Code code = Code::kCorruptFile) {
  require(std::in_range<To>(value), code, "{}: {} is outside {} to {}", what, value,
          std::numeric_limits<To>::min(), std::numeric_limits<To>::max());
  return static_cast<To>(value);
}

}  // namespace ingot
