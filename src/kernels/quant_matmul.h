// SPDX-License-Identifier: Apache-2.0
// y = activation(x * W^T + bias) on block-quantised weights (quant.h), without a float copy of W.
// Activations are quantised to 8 bits per row and group of 32; a group's dot product is exact in
// int32, and groups are added in float in group order. Sources: the Q8_0 activation blocks of the
// CPU inference engines; offset trick for u8 x s8 instructions.
// Not here: weight quantisation (quant.h), float linears.
// Called by the inference linears of nn/ and models/, and by doctor.
//
// Exactness: one definition for every instruction set and every shape,
//   acc = 0; for g in 0 .. G-1: acc = fma(float(dot_g), scale_w(row, g) * scale_x(m, g), acc);
//   y = activation(acc + bias)
// so y[m, n] has the same bytes for any number of rows M, position of the row, team size and, when
// activation is kNone, instruction set (transcendental activations round per instruction set).
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"
#include "kernels/quant.h"

namespace ingot::kernels {

/// Bytes of `rows` quantised activation rows: int8 codes [rows, 32 G], then float scales [rows, G],
/// then int32 negated code sums [rows, G], each part starting at a multiple of 64 bytes.
[[nodiscard]] int64_t quantize_activations_bytes(int64_t rows, int64_t in_features);

struct QuantizeActivationsArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;   ///< [rows, in_features], row stride `x_stride`
  void* quantized = nullptr;  ///< quantize_activations_bytes(rows, in_features), 64-byte aligned
  int64_t rows = 0;
  int64_t in_features = 0;
  int64_t x_stride = 0;
};

/// Per row and group of 32: scale = max|x| / 127, code = round_half_even(x * (127 / max|x|)) in
/// [-127, 127]. A group whose maximum is below 2^-100 becomes zero. A group that holds a NaN or an
/// infinity gets a NaN scale, so every output of that row is NaN. Columns beyond in_features are 0.
/// Quantise once, then use for every matrix that reads the same x (query, key and value; gate and
/// up).
void quantize_activations(const QuantizeActivationsArgs& args, Team& team);

struct QuantMatmulArgs {
  static constexpr int kPointers = 5;
  const float* x = nullptr;  ///< [rows, in_features]; null: `activations` is already filled
  /// [out_features, in_features] quantised as `format`, 64-byte aligned.
  const void* weights = nullptr;
  const float* bias = nullptr;  ///< [out_features] or null
  float* y = nullptr;           ///< [rows, out_features], row stride `y_stride`; overlaps no input
  void* activations = nullptr;  ///< scratch or input: quantize_activations_bytes(rows, in_features)
  int64_t rows = 0;             ///< M, 0 or more
  int64_t out_features = 0;     ///< N
  int64_t in_features = 0;      ///< K
  int64_t x_stride = 0;         ///< elements between rows of x (not read when x is null)
  int64_t y_stride = 0;         ///< elements between rows of y
  QuantFormat format = QuantFormat::kQ8;
  Activation activation = Activation::kNone;
};

/// Scratch of quant_matmul; does not depend on the team.
[[nodiscard]] int64_t quant_matmul_scratch_bytes(int64_t rows, int64_t in_features);

/// Accuracy against the float product of the dequantised weights: the rounding of the activations,
/// |error| <= sum over g of (scale_x(m, g) / 2) * sum |w| in g, plus float rounding.
/// NaN in x gives NaN in the whole output row; a NaN weight scale gives NaN in its output column.
/// Cost: one to four rows: one stream of the weights at memory bandwidth; many rows: 2 M N K
/// integer operations, the weights of 32 outputs staying in the second-level cache.
void quant_matmul(const QuantMatmulArgs& args, Team& team);

}  // namespace ingot::kernels
