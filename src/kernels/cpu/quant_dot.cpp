// SPDX-License-Identifier: Apache-2.0
// Chooses the inner loop of quant_matmul for this processor, and the portable loop itself: plain
// code over 16 lanes = 16 output rows, which compilers vectorise where they can. It is the
// definition that the intrinsics of quant_dot_avx2.cpp and quant_dot_avx512.cpp must match bit for
// bit; std::fma is exact on every machine, in software where there is no such instruction.
#include "kernels/cpu/quant_dot.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/cpu/quant_half.h"

namespace ingot::kernels::detail {
namespace {

constexpr int64_t kLanes = kQuantTileRows;

// dots[lane] += sum over the 32 k of one group of weight code * activation code.
void q8_group(const uint8_t* codes, const int8_t* x, int32_t* dots) {
  for (int64_t j = 0; j < 8; ++j) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const uint8_t* w = codes + j * 64 + lane * 4;
      for (int64_t i = 0; i < 4; ++i) dots[lane] += static_cast<int8_t>(w[i]) * x[4 * j + i];
    }
  }
}

void q4_group(const uint8_t* codes, const int8_t* x, int32_t* dots) {
  for (int64_t j = 0; j < 4; ++j) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const uint8_t* w = codes + j * 64 + lane * 4;
      for (int64_t i = 0; i < 4; ++i) {
        dots[lane] += (w[i] & 15) * x[8 * j + i] + (w[i] >> 4) * x[8 * j + 4 + i];
      }
    }
  }
}

template <QuantFormat kFormat>
void dot_tile(const QuantDotCall& call, int64_t row, int64_t tile) {
  constexpr int64_t kCodeBytes = kFormat == QuantFormat::kQ8 ? 512 : 256;
  const uint8_t* scales = call.weights + tile * call.tile_bytes;
  const uint8_t* codes = scales + quant_scale_bytes(call.groups);
  float acc[kLanes] = {};
  for (int64_t g = 0; g < call.groups; ++g) {
    const int8_t* x = call.codes + (row * call.groups + g) * kQuantGroup;
    int32_t dots[kLanes];
    const int32_t start = kFormat == QuantFormat::kQ4 ? 8 * call.sums[row * call.groups + g] : 0;
    std::fill(dots, dots + kLanes, start);
    if constexpr (kFormat == QuantFormat::kQ8) {
      q8_group(codes + g * kCodeBytes, x, dots);
    } else {
      q4_group(codes + g * kCodeBytes, x, dots);
    }
    const float x_scale = call.scales[row * call.groups + g];
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const uint8_t* half = scales + g * 32 + lane * 2;
      const float w_scale = half_to_float(static_cast<uint16_t>(half[0] | (half[1] << 8)));
      acc[lane] = std::fma(static_cast<float>(dots[lane]), w_scale * x_scale, acc[lane]);
    }
  }
  std::copy(acc, acc + kLanes, call.out + row * kDotOutputs + tile * kLanes);
}

template <QuantFormat kFormat>
void dot_portable(const QuantDotCall& call) {
  for (int64_t row = 0; row < call.rows; ++row) {
    for (int64_t tile = 0; tile < call.tiles; ++tile) dot_tile<kFormat>(call, row, tile);
  }
}

}  // namespace

QuantDot quant_dot_portable(QuantFormat format) {
  if (format == QuantFormat::kQ4) return {dot_portable<QuantFormat::kQ4>, kDotRows};
  return {dot_portable<QuantFormat::kQ8>, kDotRows};
}

QuantIsa best_quant_isa() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 =
      avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (avx512 && __builtin_cpu_supports("avx512vnni") != 0) return QuantIsa::kAvx512Vnni;
  if (avx512) return QuantIsa::kAvx512;
  if (avx2) return QuantIsa::kAvx2;
#endif
  return QuantIsa::kPortable;
}

QuantDot quant_dot(QuantFormat format, QuantIsa isa) {
  INGOT_ASSERT(isa <= best_quant_isa());
#if defined(__x86_64__)
  if (isa == QuantIsa::kAvx512Vnni) return quant_dot_avx512_vnni(format);
  if (isa == QuantIsa::kAvx512) return quant_dot_avx512(format);
  if (isa == QuantIsa::kAvx2) return quant_dot_avx2(format);
#endif
  return quant_dot_portable(format);
}

}  // namespace ingot::kernels::detail
