// SPDX-License-Identifier: Apache-2.0
// Block-quantised weight matrices: 8 bit (q8) and 4 bit (q4) in groups of 32 along in_features.
// One byte layout serves disk, memory and every instruction set, so a file is mapped and computed
// on as it is (docs/formats/quantized.md draws it). The idea of interleaving output rows so that
// lanes are rows and no sum crosses lanes is the "repacked" layout of the CPU inference engines.
// Not here: the product with activations (quant_matmul.h), calibration, file headers.
// Called by compress (quantise, export), tensor (block dtypes), nn (embedding lookup), doctor.
//
// Layout of W [out_features, in_features], R = 16 rows per tile, G = ceil(in_features / 32) groups:
//   matrix = ceil(out_features / 16) tiles, one after the other, each quant_tile_bytes long:
//     scales  at 0:  for g in [0, G): 16 float16 little endian, row 0 first     (32 bytes per g)
//             zero bytes up to the next multiple of 64
//     codes   for g in [0, G):
//       q8: for j in [0, 8): for row in [0, 16): int8 code of k = 32 g + 4 j + {0, 1, 2, 3}
//           = 512 bytes per g; a code is in [-127, 127], never -128; weight = code * scale
//       q4: for j in [0, 4): for row in [0, 16): for i in [0, 4): one byte, low nibble = code of
//           k = 32 g + 8 j + i, high nibble = code of k = 32 g + 8 j + 4 + i
//           = 256 bytes per g; a code is in [0, 15]; weight = (code - 8) * scale
// Every 64-byte chunk of codes starts at a multiple of 64 from the matrix start.
// Padding: rows beyond out_features and columns beyond in_features have weight zero (code 0 in q8
// and 8 in q4; a padding row's scale is 0).
// Size: 1.0625 (q8) and 0.5625 (q4) bytes per weight, 0.266 and 0.141 of float32.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

enum class QuantFormat : int32_t { kQ8 = 8, kQ4 = 4 };

inline constexpr int64_t kQuantGroup = 32;      ///< weights of one row that share a scale
inline constexpr int64_t kQuantTileRows = 16;   ///< output rows interleaved in one tile
inline constexpr int64_t kQuantAlignment = 64;  ///< required alignment of a matrix in memory
inline constexpr int64_t kQuantMaxSize = int64_t{1} << 30;  ///< largest out_features, in_features

/// ceil(in_features / 32).
[[nodiscard]] int64_t quant_groups(int64_t in_features);

/// ceil(out_features / 16).
[[nodiscard]] int64_t quant_tiles(int64_t out_features);

/// Bytes of one tile of 16 rows: round_up(32 G, 64) + G * (512 or 256).
[[nodiscard]] int64_t quant_tile_bytes(QuantFormat format, int64_t in_features);

/// Bytes of the whole matrix. Safe on sizes read from a file: throws kInvalidArgument when a size
/// is negative or above kQuantMaxSize.
[[nodiscard]] int64_t quant_matrix_bytes(QuantFormat format, int64_t out_features,
                                         int64_t in_features);

/// Byte offset of the float16 scale of (row, k / 32) from the matrix start.
[[nodiscard]] int64_t quant_scale_offset(QuantFormat format, int64_t in_features, int64_t row,
                                         int64_t k);

/// Byte offset of the code of (row, k) from the matrix start; q4: the byte that holds it, in the
/// high nibble when (k & 4) is set and in the low nibble otherwise.
[[nodiscard]] int64_t quant_code_offset(QuantFormat format, int64_t in_features, int64_t row,
                                        int64_t k);

/// float32 weights -> quantised matrix. `format` is a field so that one call serves both formats;
/// quantize_q8 and quantize_q4 below ignore it.
struct QuantizeArgs {
  static constexpr int kPointers = 3;
  const float* weights = nullptr;  ///< [out_features, in_features], row stride `row_stride`
  /// [in_features] weights of the squared error, >= 0; null: all 1. Read by q4 only.
  const float* importance = nullptr;
  void* quantized = nullptr;  ///< quant_matrix_bytes, 64-byte aligned; may not overlap weights
  int64_t out_features = 0;
  int64_t in_features = 0;
  int64_t row_stride = 0;  ///< elements between rows of weights
  QuantFormat format = QuantFormat::kQ8;
};

/// q8: scale = f16(max|w| / 127), code = round_half_even(w / scale) in [-127, 127].
/// Error per weight <= scale / 2 for every scale that is a normal float16.
/// Scale limits: a scale that float16 rounds so far down that codes would clip (subnormals) takes
/// the next float16 up; below half of the smallest subnormal (2^-25) the group becomes zero; above
/// 65504 the scale is 65504 and codes saturate at +-127.
/// Not-a-number policy: the caller refuses non-finite weights with an Error that names the tensor;
/// the kernel itself stores a NaN scale and zero codes for a group that holds a NaN or infinity, so
/// that the fault is seen in every output of the row instead of vanishing.
/// Same bytes for any team size and instruction set. Cost: ~2 ns per weight and core.
void quantize_q8(const QuantizeArgs& args, Team& team);

/// q4: code - 8 in [-8, 7]; the scale is searched per group. Candidates are m / -n and m / n, m the
/// first element of largest magnitude with its sign and n in {6.25, 6.5 ... 10}, each rounded to
/// float16, then one least-squares refit of the best (sum i w c / sum i c^2, c = code - 8,
/// i = importance). The smallest sum i (w - c scale)^2 wins; in a tie m / -8, then the first.
/// Scales below 2^-25 in magnitude become zero, above 65504 they saturate; NaN as in quantize_q8.
/// Same bytes for any team size and instruction set. Cost: ~10 ns per weight and core.
void quantize_q4(const QuantizeArgs& args, Team& team);

/// Calls quantize_q8 or quantize_q4 by args.format.
void quantize(const QuantizeArgs& args, Team& team);

/// Rows of a quantised matrix -> float32, exactly code * scale.
struct DequantizeArgs {
  static constexpr int kPointers = 3;
  const void* quantized = nullptr;  ///< [out_features, in_features] in the layout above
  /// [count] row numbers in [0, out_features), of id_type; null: rows 0 .. count - 1.
  const void* ids = nullptr;
  float* out = nullptr;  ///< [count, in_features], row stride `out_stride`
  int64_t in_features = 0;
  int64_t count = 0;
  int64_t out_stride = 0;
  QuantFormat format = QuantFormat::kQ8;
  IdType id_type = IdType::kInt32;  ///< integer type of `ids`
};

/// Embedding lookup (ids = token ids), export and tests. A row costs in_features * 16 (q8) or * 8
/// (q4) bytes of cache traffic, because 16 rows are interleaved: a microsecond for 2048 features.
void dequantize(const DequantizeArgs& args, Team& team);

/// One row on the calling thread: out[in_features].
void dequantize_row(QuantFormat format, const void* quantized, int64_t in_features, int64_t row,
                    float* out);

}  // namespace ingot::kernels
