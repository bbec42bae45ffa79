// SPDX-License-Identifier: Apache-2.0
// The inner loop of quant_matmul with AVX2: a tile's 16 output rows are two registers of 8 lanes,
// and up to four activation rows share each loaded piece of the weights.
// q4 adds eight u8 x s8 pair sums in int16 (8 * 15 * 127 * 2 = 30480 fits) and takes the offset of
// 8 back through the sum of the activation codes; q8 multiplies |weight| by the activation with the
// weight's sign (127 * 127 * 2 = 32258 fits, because no code is -128). Nothing saturates.
// Compiled on x86-64 only; reached through quant_dot.cpp after a look at the processor.
#include "kernels/cpu/quant_dot.h"

#if defined(__x86_64__)

#include <cstring>

#include <immintrin.h>

#define INGOT_AVX2 __attribute__((target("avx2,fma,f16c")))

namespace ingot::kernels::detail {
namespace {

constexpr int64_t kBlockRows = 4;
constexpr int kHalves = 2;
constexpr int64_t kPrefetchBytes = 2048;  // ahead of the weight stream

template <QuantFormat kFormat>
inline constexpr int64_t kCodeBytes = kFormat == QuantFormat::kQ8 ? 512 : 256;

// Where one call reads; activation rows are 32 * groups codes and `groups` scales and sums apart.
struct Cursor {
  const uint8_t* codes;
  const uint8_t* scales;
  const int8_t* x;
  int64_t groups;
};

// Four activation codes in every 32-bit lane.
INGOT_AVX2 inline __m256i four_codes(const int8_t* x) {
  int32_t bits;
  std::memcpy(&bits, x, sizeof(bits));
  return _mm256_set1_epi32(bits);
}

INGOT_AVX2 inline __m256i load_codes(const uint8_t* codes) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
}

template <int64_t kBytes>
INGOT_AVX2 inline void prefetch_codes(const Cursor& at, int64_t g) {
  const uint8_t* ahead = at.codes + g * kBytes + kPrefetchBytes;
  for (int64_t i = 0; i < kBytes; i += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(ahead + i), _MM_HINT_T0);
  }
}

// dots[r][h] = exact dot products of group g.
template <int kR>
INGOT_AVX2 inline void group_q8(const Cursor& at, int64_t g, __m256i (&dots)[kR][kHalves]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int r = 0; r < kR; ++r) {
    for (int h = 0; h < kHalves; ++h) dots[r][h] = _mm256_setzero_si256();
  }
  const int8_t* x = at.x + g * kQuantGroup;
  for (int64_t j = 0; j < 8; ++j) {
    for (int h = 0; h < kHalves; ++h) {
      const __m256i w = load_codes(at.codes + g * 512 + j * 64 + h * 32);
      const __m256i magnitude = _mm256_abs_epi8(w);
      for (int r = 0; r < kR; ++r) {
        const __m256i a = four_codes(x + r * at.groups * kQuantGroup + 4 * j);
        const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(a, w));
        dots[r][h] = _mm256_add_epi32(dots[r][h], _mm256_madd_epi16(pairs, ones));
      }
    }
  }
}

template <int kR>
INGOT_AVX2 inline void group_q4(const Cursor& at, int64_t g, const int32_t* sums,
                                __m256i (&dots)[kR][kHalves]) {
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i mask = _mm256_set1_epi8(15);
  for (int r = 0; r < kR; ++r) {
    for (int h = 0; h < kHalves; ++h) dots[r][h] = _mm256_setzero_si256();
  }
  const int8_t* x = at.x + g * kQuantGroup;
  for (int64_t j = 0; j < 4; ++j) {
    for (int h = 0; h < kHalves; ++h) {
      const __m256i both = load_codes(at.codes + g * 256 + j * 64 + h * 32);
      const __m256i low = _mm256_and_si256(both, mask);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
      for (int r = 0; r < kR; ++r) {
        const int8_t* row = x + r * at.groups * kQuantGroup + 8 * j;
        const __m256i first = _mm256_maddubs_epi16(low, four_codes(row));
        const __m256i second = _mm256_maddubs_epi16(high, four_codes(row + 4));
        dots[r][h] = _mm256_add_epi16(dots[r][h], _mm256_add_epi16(first, second));
      }
    }
  }
  for (int r = 0; r < kR; ++r) {
    const __m256i start = _mm256_slli_epi32(_mm256_set1_epi32(sums[r * at.groups + g]), 3);
    for (int h = 0; h < kHalves; ++h) {
      dots[r][h] = _mm256_add_epi32(start, _mm256_madd_epi16(dots[r][h], ones));
    }
  }
}

// acc[r][h] = fma(float(dots), weight scale * activation scale, acc) for group g.
template <int kR>
INGOT_AVX2 inline void add_group(const Cursor& at, int64_t g, const float* scales,
                                 const __m256i (&dots)[kR][kHalves], __m256 (&acc)[kR][kHalves]) {
  for (int h = 0; h < kHalves; ++h) {
    const auto* halves = reinterpret_cast<const __m128i*>(at.scales + g * 32 + h * 16);
    const __m256 w_scale = _mm256_cvtph_ps(_mm_load_si128(halves));
    for (int r = 0; r < kR; ++r) {
      const __m256 x_scale = _mm256_set1_ps(scales[r * at.groups + g]);
      acc[r][h] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[r][h]), _mm256_mul_ps(w_scale, x_scale),
                                  acc[r][h]);
    }
  }
}

template <QuantFormat kFormat, int kR>
INGOT_AVX2 void block_avx2(const QuantDotCall& call, int64_t tile) {
  const uint8_t* scales = call.weights + tile * call.tile_bytes;
  const Cursor at{scales + quant_scale_bytes(call.groups), scales, call.codes, call.groups};
  __m256 acc[kR][kHalves];
  for (int r = 0; r < kR; ++r) {
    for (int h = 0; h < kHalves; ++h) acc[r][h] = _mm256_setzero_ps();
  }
  for (int64_t g = 0; g < at.groups; ++g) {
    prefetch_codes<kCodeBytes<kFormat>>(at, g);
    __m256i dots[kR][kHalves];
    if constexpr (kFormat == QuantFormat::kQ8) {
      group_q8<kR>(at, g, dots);
    } else {
      group_q4<kR>(at, g, call.sums, dots);
    }
    add_group<kR>(at, g, call.scales, dots, acc);
  }
  float* out = call.out + tile * kQuantTileRows;
  for (int r = 0; r < kR; ++r) {
    for (int h = 0; h < kHalves; ++h) _mm256_store_ps(out + r * kDotOutputs + h * 8, acc[r][h]);
  }
}

template <QuantFormat kFormat>
void dot_avx2(const QuantDotCall& call) {
  using Block = void (*)(const QuantDotCall&, int64_t);
  static constexpr Block kBlocks[kBlockRows] = {block_avx2<kFormat, 1>, block_avx2<kFormat, 2>,
                                                block_avx2<kFormat, 3>, block_avx2<kFormat, 4>};
  for (int64_t tile = 0; tile < call.tiles; ++tile) kBlocks[call.rows - 1](call, tile);
}

}  // namespace

QuantDot quant_dot_avx2(QuantFormat format) {
  if (format == QuantFormat::kQ4) return {dot_avx2<QuantFormat::kQ4>, kBlockRows};
  return {dot_avx2<QuantFormat::kQ8>, kBlockRows};
}

}  // namespace ingot::kernels::detail

#undef INGOT_AVX2

#endif  // x86-64
