// SPDX-License-Identifier: Apache-2.0
// Rounding by definition: scale so that one unit is the format's last place, round to an integer.
// Tests call it.
#include "kernels/reference/convert.h"

#include <cmath>
#include <limits>

namespace ingot::kernels::reference {

uint16_t encode(FloatFormat f, double value) {
  const int bias = (1 << (f.exponent_bits - 1)) - 1;
  const int infinity = ((1 << f.exponent_bits) - 1) << f.mantissa_bits;
  const int sign = std::signbit(value) ? 1 << (f.exponent_bits + f.mantissa_bits) : 0;
  if (std::isnan(value)) return static_cast<uint16_t>(sign | infinity | 1 << (f.mantissa_bits - 1));
  const double size = std::fabs(value);
  if (std::isinf(size)) return static_cast<uint16_t>(sign | infinity);
  int exponent = 0;
  std::frexp(size, &exponent);
  exponent = size == 0.0 ? 1 - bias : exponent - 1;
  if (exponent < 1 - bias) exponent = 1 - bias;
  // In units of the last place; nearbyint rounds ties to even.
  const double units = std::nearbyint(std::ldexp(size, f.mantissa_bits - exponent));
  // A normal number has units in [2^m, 2^(m+1)]; the carry of 2^(m+1) moves into the exponent.
  const int field = (exponent + bias - 1) << f.mantissa_bits;
  const double bits = units + static_cast<double>(field);
  if (bits >= static_cast<double>(infinity)) return static_cast<uint16_t>(sign | infinity);
  return static_cast<uint16_t>(sign | static_cast<int>(bits));
}

double decode(FloatFormat f, uint16_t bits) {
  const int bias = (1 << (f.exponent_bits - 1)) - 1;
  const int mantissa = bits & ((1 << f.mantissa_bits) - 1);
  const int exponent = bits >> f.mantissa_bits & ((1 << f.exponent_bits) - 1);
  const bool negative = (bits >> (f.exponent_bits + f.mantissa_bits) & 1) != 0;
  double size = 0.0;
  if (exponent == (1 << f.exponent_bits) - 1) {
    size = mantissa == 0 ? std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    size = std::ldexp(mantissa, 1 - bias - f.mantissa_bits);
  } else {
    size = std::ldexp(mantissa + (1 << f.mantissa_bits), exponent - bias - f.mantissa_bits);
  }
  return negative ? -size : size;
}

}  // namespace ingot::kernels::reference
