// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/convert.h: the bits of a value rounded to a small binary format, and the
// value of such bits, by arithmetic on the definition of the format. Called by tests.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// A binary format: exponent_bits with the usual bias, then mantissa_bits. bf16 is {8, 7}, f16
/// {5, 10}.
struct FloatFormat {
  int exponent_bits;
  int mantissa_bits;
};

/// Nearest, ties to even; infinity beyond the largest; any NaN gives a quiet NaN.
[[nodiscard]] uint16_t encode(FloatFormat format, double value);
[[nodiscard]] double decode(FloatFormat format, uint16_t bits);

}  // namespace ingot::kernels::reference
