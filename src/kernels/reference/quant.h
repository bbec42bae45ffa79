// SPDX-License-Identifier: Apache-2.0
// Truth for quant.h and quant_matmul.h: plain loops, bytes read one by one by the documented
// offsets, arithmetic in double; and the ordered float product that every fast version must equal
// bit for bit. Shares no code with the kernels, and no speed is asked of it.
// Called by tests and by doctor.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/activation.h"
#include "kernels/quant.h"

namespace ingot::kernels::reference {

/// Value of a float16 given by its bits.
[[nodiscard]] double half_value(uint16_t bits);

/// The weight at (row, k) of a quantised matrix.
[[nodiscard]] double quant_weight(QuantFormat format, const uint8_t* matrix, int64_t in_features,
                                  int64_t row, int64_t k);

/// The float16 scale and the code (q8: [-127, 127], q4: [0, 15]) behind it.
[[nodiscard]] double quant_scale(QuantFormat format, const uint8_t* matrix, int64_t in_features,
                                 int64_t row, int64_t k);
[[nodiscard]] int quant_code(QuantFormat format, const uint8_t* matrix, int64_t in_features,
                             int64_t row, int64_t k);

/// One quantised activation row.
struct QuantizedRow {
  std::vector<int> codes;     // [groups * 32]
  std::vector<float> scales;  // [groups]
};
[[nodiscard]] QuantizedRow quantize_activation_row(const float* x, int64_t in_features);

/// x (one row) times row `row` of the matrix in the order the kernel promises, before bias.
[[nodiscard]] float quant_dot_ordered(QuantFormat format, const uint8_t* matrix,
                                      int64_t in_features, int64_t row, const QuantizedRow& x);

/// sum over k of x[k] * weight(row, k) in double: no rounding of the activations.
[[nodiscard]] double quant_dot_exact(QuantFormat format, const uint8_t* matrix, int64_t in_features,
                                     int64_t row, const float* x);

/// activation(v) in double.
[[nodiscard]] double quant_activation(Activation activation, double v);

}  // namespace ingot::kernels::reference
