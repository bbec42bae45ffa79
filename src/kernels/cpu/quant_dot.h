// SPDX-License-Identifier: Apache-2.0
// The inner loop of quant_matmul: a block of activation rows against one or two weight tiles over
// the whole of K. One function per instruction set; all give the same bytes, because group sums
// are exact integers and the float operations are the same elementwise sequence (quant_matmul.h).
// Raw intrinsics, since the portable vector library has no u8 x s8 products and its AVX-512 targets
// do not name VNNI. Not the driver (quant_matmul.cpp). Called by it, by the test and the benchmark.
#pragma once

#include <cstdint>

#include "kernels/quant_matmul.h"

namespace ingot::kernels::detail {

enum class QuantIsa : int32_t { kPortable = 0, kAvx2 = 1, kAvx512 = 2, kAvx512Vnni = 3 };

inline constexpr int64_t kDotRows = 8;   ///< most activation rows of one call
inline constexpr int64_t kDotTiles = 2;  ///< most weight tiles of one call
inline constexpr int64_t kDotOutputs = kDotTiles * kQuantTileRows;

struct QuantDotCall {
  const uint8_t* weights;  ///< first tile
  const int8_t* codes;     ///< first activation row; rows are 32 * groups apart
  const float* scales;     ///< first activation row; rows are `groups` apart
  const int32_t* sums;     ///< first activation row, negated code sums; rows are `groups` apart
  float* out;              ///< [rows, kDotOutputs], 64-byte aligned
  int64_t groups;
  int64_t tile_bytes;
  int64_t rows;   ///< 1 .. block_rows
  int64_t tiles;  ///< 1 .. kDotTiles
};

struct QuantDot {
  void (*function)(const QuantDotCall& call);
  int64_t block_rows;  ///< most rows the function takes
};

/// Bytes from the start of a tile to its codes: 32 G rounded up to 64.
[[nodiscard]] inline int64_t quant_scale_bytes(int64_t groups) {
  return (groups * 32 + 63) / 64 * 64;
}

/// What this processor can run, best first.
[[nodiscard]] QuantIsa best_quant_isa();

/// `isa` must be at most best_quant_isa().
[[nodiscard]] QuantDot quant_dot(QuantFormat format, QuantIsa isa);

[[nodiscard]] QuantDot quant_dot_portable(QuantFormat format);
[[nodiscard]] QuantDot quant_dot_avx2(QuantFormat format);
[[nodiscard]] QuantDot quant_dot_avx512(QuantFormat format);
[[nodiscard]] QuantDot quant_dot_avx512_vnni(QuantFormat format);

/// quant_matmul on a given instruction set.
void quant_matmul_on(const QuantMatmulArgs& args, Team& team, QuantIsa isa);

}  // namespace ingot::kernels::detail
