// SPDX-License-Identifier: Apache-2.0
#include "base/half.h"

#include <cmath>

#include <gtest/gtest.h>

namespace ingot::half_test {
namespace {

/// By the definition of binary16: sign, five bits of exponent, ten of fraction.
double defined(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  const double size = exponent == 0   ? std::ldexp(fraction, -24)
                      : exponent < 31 ? std::ldexp(1024 + fraction, exponent - 25)
                      : fraction == 0 ? HUGE_VAL
                                      : NAN;
  return (half & 0x8000) != 0 ? -size : size;
}

TEST(Half, EveryNumberIsTheOneDefined) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const double value = static_cast<double>(half_to_float(half));
    const double expected = defined(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      continue;
    }
    ASSERT_EQ(value, expected) << bits;
    ASSERT_EQ(std::signbit(value), std::signbit(expected)) << bits;
  }
}

}  // namespace
}  // namespace ingot::half_test
