// SPDX-License-Identifier: Apache-2.0
// float32 -> float16 in integer arithmetic (IEEE 754 binary16, round half to even), for the group
// scales of quantised matrices; the way back is base/half.h. Used by cpu/quant*.cpp only.
#pragma once

#include <bit>
#include <cstdint>

#include "base/half.h"

namespace ingot::kernels::detail {

using ingot::half_to_float;

/// Nearest float16, ties to even; magnitudes that would round above 65504 become 65504, NaN stays.
inline uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000U);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<uint16_t>(sign | 0x7E00U);
  if (magnitude >= 0x477FE000U) return static_cast<uint16_t>(sign | 0x7BFFU);  // >= 65504
  if (magnitude >= 0x38800000U) {  // normal float16, >= 2^-14
    const uint32_t rounded = magnitude - 0x38000000U + 0xFFFU + ((magnitude >> 13) & 1U);
    return static_cast<uint16_t>(sign | (rounded >> 13));
  }
  const uint32_t exponent = magnitude >> 23;
  if (exponent < 102) return sign;  // < 2^-25
  const uint32_t mantissa = (magnitude & 0x7FFFFFU) | 0x800000U;
  const uint32_t shift = 126 - exponent;  // mantissa >> shift counts units of 2^-24
  const uint32_t half_unit = 1U << (shift - 1);
  const uint32_t rest = mantissa & ((1U << shift) - 1);
  uint32_t units = mantissa >> shift;
  if (rest > half_unit || (rest == half_unit && (units & 1U) != 0)) ++units;
  return static_cast<uint16_t>(sign | units);
}

}  // namespace ingot::kernels::detail
