// SPDX-License-Identifier: Apache-2.0
// float16 (IEEE 754 binary16) as it lies in files, tensors on the wire and group scales. Integer
// code gives the same bits with and without F16C and is not touched by the flush-to-zero mode of
// the team's threads. Not a fast bulk conversion (kernels/convert.h).
#pragma once

#include <bit>
#include <cstdint>

namespace ingot {

/// Exact value of a float16; NaN keeps its payload.
[[nodiscard]] inline float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 31U;
  uint32_t mantissa = half & 0x3FFU;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }
  if (mantissa == 0) return std::bit_cast<float>(sign);
  uint32_t shift = 0;  // subnormal: mantissa * 2^-24, normalised to a leading one at bit 10
  while ((mantissa & 0x400U) == 0) {
    mantissa <<= 1;
    ++shift;
  }
  return std::bit_cast<float>(sign | ((113 - shift) << 23) | ((mantissa & 0x3FFU) << 13));
}

}  // namespace ingot
