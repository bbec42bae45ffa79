// SPDX-License-Identifier: Apache-2.0
// The inner loop of quant_matmul with AVX-512: 16 lanes = the 16 output rows of a tile, up to six
// activation rows and two tiles held in registers.
// With VNNI, codes are used as unsigned (q8: code + 128 by flipping the top bit, q4: as stored) and
// the offset is taken back by starting from -128 or -8 times the sum of the activation codes.
// Without VNNI, q4 adds eight u8 x s8 pair sums in int16 (8 * 15 * 127 * 2 = 30480 fits) and q8
// moves the weight's sign to the activation (127 * 127 * 2 = 32258 fits), so nothing saturates.
// Compiled on x86-64 only; reached through quant_dot.cpp after a look at the processor.
#include "kernels/cpu/quant_dot.h"

#if defined(__x86_64__)

#include <cstring>

#include <immintrin.h>

// GCC 12 takes the undefined pass-through operand inside its own AVX-512 intrinsics for a mistake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define INGOT_AVX512 __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")))
#define INGOT_VNNI \
  __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace ingot::kernels::detail {
namespace {

constexpr int64_t kBlockRows = 6;         // with VNNI
constexpr int64_t kPlainRows = 4;         // without
constexpr int64_t kPrefetchBytes = 2048;  // ahead of the weight stream

template <QuantFormat kFormat>
inline constexpr int64_t kCodeBytes = kFormat == QuantFormat::kQ8 ? 512 : 256;

// Four activation codes in every 32-bit lane.
INGOT_AVX512 inline __m512i four_codes(const int8_t* x) {
  int32_t bits;
  std::memcpy(&bits, x, sizeof(bits));
  return _mm512_set1_epi32(bits);
}

// Where one call reads; activation rows are 32 * groups codes and `groups` scales and sums apart.
struct Cursor {
  const uint8_t* codes[kDotTiles];
  const uint8_t* scales[kDotTiles];
  const int8_t* x;
  int64_t groups;
};

template <int64_t kBytes>
INGOT_AVX512 inline void prefetch_codes(const Cursor& at, int64_t g, int tiles) {
  for (int t = 0; t < tiles; ++t) {
    const uint8_t* ahead = at.codes[t] + g * kBytes + kPrefetchBytes;
    for (int64_t i = 0; i < kBytes; i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead + i), _MM_HINT_T0);
    }
  }
}

// start[r][t] = -2^kShift * sum of the activation codes of group g: what the offset adds.
template <int kShift, int kR, int kT>
INGOT_AVX512 inline void start_group(const Cursor& at, int64_t g, const int32_t* sums,
                                     __m512i (&start)[kR][kT]) {
  for (int r = 0; r < kR; ++r) {
    const __m512i offset = _mm512_slli_epi32(_mm512_set1_epi32(sums[r * at.groups + g]), kShift);
    for (int t = 0; t < kT; ++t) start[r][t] = offset;
  }
}

// dots[r][t] += dot product of group g as unsigned codes, VNNI.
template <int kR, int kT>
INGOT_VNNI inline void group_vnni_q8(const Cursor& at, int64_t g, __m512i (&dots)[kR][kT]) {
  const int8_t* x = at.x + g * kQuantGroup;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  for (int64_t j = 0; j < 8; ++j) {
    __m512i w[kT];
    for (int t = 0; t < kT; ++t) {
      w[t] = _mm512_xor_si512(_mm512_load_si512(at.codes[t] + g * 512 + j * 64), flip);
    }
    for (int r = 0; r < kR; ++r) {
      const __m512i a = four_codes(x + r * at.groups * kQuantGroup + 4 * j);
      for (int t = 0; t < kT; ++t) dots[r][t] = _mm512_dpbusd_epi32(dots[r][t], w[t], a);
    }
  }
}

template <int kR, int kT>
INGOT_VNNI inline void group_vnni_q4(const Cursor& at, int64_t g, __m512i (&dots)[kR][kT]) {
  const int8_t* x = at.x + g * kQuantGroup;
  const __m512i mask = _mm512_set1_epi8(15);
  for (int64_t j = 0; j < 4; ++j) {
    __m512i low[kT];
    __m512i high[kT];
    for (int t = 0; t < kT; ++t) {
      const __m512i both = _mm512_load_si512(at.codes[t] + g * 256 + j * 64);
      low[t] = _mm512_and_si512(both, mask);
      high[t] = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
    }
    for (int r = 0; r < kR; ++r) {
      const __m512i a = four_codes(x + r * at.groups * kQuantGroup + 8 * j);
      const __m512i b = four_codes(x + r * at.groups * kQuantGroup + 8 * j + 4);
      for (int t = 0; t < kT; ++t) {
        dots[r][t] = _mm512_dpbusd_epi32(dots[r][t], low[t], a);
        dots[r][t] = _mm512_dpbusd_epi32(dots[r][t], high[t], b);
      }
    }
  }
}

// dots[r] += dot product of group g of one tile, without VNNI: signed codes.
template <int kR>
INGOT_AVX512 inline void group_plain_q8(const Cursor& at, int64_t g, __m512i (&dots)[kR][1]) {
  const __m512i ones = _mm512_set1_epi16(1);
  const __m512i zero = _mm512_setzero_si512();
  const int8_t* x = at.x + g * kQuantGroup;
  for (int64_t j = 0; j < 8; ++j) {
    const __m512i w = _mm512_load_si512(at.codes[0] + g * 512 + j * 64);
    const __m512i magnitude = _mm512_abs_epi8(w);
    const __mmask64 negative = _mm512_movepi8_mask(w);
    for (int r = 0; r < kR; ++r) {
      const __m512i a = four_codes(x + r * at.groups * kQuantGroup + 4 * j);
      const __m512i turned = _mm512_mask_sub_epi8(a, negative, zero, a);
      const __m512i pairs = _mm512_maddubs_epi16(magnitude, turned);
      dots[r][0] = _mm512_add_epi32(dots[r][0], _mm512_madd_epi16(pairs, ones));
    }
  }
}

// The same for unsigned 4-bit codes; pair sums stay in int16 over the group.
template <int kR>
INGOT_AVX512 inline void group_plain_q4(const Cursor& at, int64_t g, __m512i (&dots)[kR][1]) {
  const __m512i mask = _mm512_set1_epi8(15);
  const int8_t* x = at.x + g * kQuantGroup;
  __m512i pairs[kR];
  for (int r = 0; r < kR; ++r) pairs[r] = _mm512_setzero_si512();
  for (int64_t j = 0; j < 4; ++j) {
    const __m512i both = _mm512_load_si512(at.codes[0] + g * 256 + j * 64);
    const __m512i low = _mm512_and_si512(both, mask);
    const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
    for (int r = 0; r < kR; ++r) {
      const __m512i a = four_codes(x + r * at.groups * kQuantGroup + 8 * j);
      const __m512i b = four_codes(x + r * at.groups * kQuantGroup + 8 * j + 4);
      pairs[r] = _mm512_add_epi16(pairs[r], _mm512_maddubs_epi16(low, a));
      pairs[r] = _mm512_add_epi16(pairs[r], _mm512_maddubs_epi16(high, b));
    }
  }
  const __m512i ones = _mm512_set1_epi16(1);
  for (int r = 0; r < kR; ++r) {
    dots[r][0] = _mm512_add_epi32(dots[r][0], _mm512_madd_epi16(pairs[r], ones));
  }
}

// acc[r][t] = fma(float(dots), weight scale * activation scale, acc) for group g.
template <int kR, int kT>
INGOT_AVX512 inline void add_group(const Cursor& at, int64_t g, const float* scales,
                                   const __m512i (&dots)[kR][kT], __m512 (&acc)[kR][kT]) {
  for (int t = 0; t < kT; ++t) {
    const auto* halves = reinterpret_cast<const __m256i*>(at.scales[t] + g * 32);
    const __m512 w_scale = _mm512_cvtph_ps(_mm256_load_si256(halves));
    for (int r = 0; r < kR; ++r) {
      const __m512 x_scale = _mm512_set1_ps(scales[r * at.groups + g]);
      acc[r][t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[r][t]), _mm512_mul_ps(w_scale, x_scale),
                                  acc[r][t]);
    }
  }
}

template <int kR, int kT>
INGOT_AVX512 inline void clear(__m512 (&acc)[kR][kT]) {
  for (int r = 0; r < kR; ++r) {
    for (int t = 0; t < kT; ++t) acc[r][t] = _mm512_setzero_ps();
  }
}

template <int kR, int kT>
INGOT_AVX512 inline void store(const __m512 (&acc)[kR][kT], float* out) {
  for (int r = 0; r < kR; ++r) {
    for (int t = 0; t < kT; ++t) {
      _mm512_store_ps(out + r * kDotOutputs + t * kQuantTileRows, acc[r][t]);
    }
  }
}

Cursor cursor_at(const QuantDotCall& call, int64_t tile, int tiles) {
  Cursor at{};
  for (int t = 0; t < tiles; ++t) {
    at.scales[t] = call.weights + (tile + t) * call.tile_bytes;
    at.codes[t] = at.scales[t] + quant_scale_bytes(call.groups);
  }
  at.x = call.codes;
  at.groups = call.groups;
  return at;
}

template <QuantFormat kFormat, int kR, int kT>
INGOT_VNNI void block_vnni(const QuantDotCall& call, int64_t tile) {
  const Cursor at = cursor_at(call, tile, kT);
  __m512 acc[kR][kT];
  clear(acc);
  for (int64_t g = 0; g < at.groups; ++g) {
    prefetch_codes<kCodeBytes<kFormat>>(at, g, kT);
    __m512i dots[kR][kT];
    if constexpr (kFormat == QuantFormat::kQ8) {
      start_group<7>(at, g, call.sums, dots);
      group_vnni_q8(at, g, dots);
    } else {
      start_group<3>(at, g, call.sums, dots);
      group_vnni_q4(at, g, dots);
    }
    add_group(at, g, call.scales, dots, acc);
  }
  store(acc, call.out + tile * kQuantTileRows);
}

template <QuantFormat kFormat, int kR>
INGOT_AVX512 void block_plain(const QuantDotCall& call, int64_t tile) {
  const Cursor at = cursor_at(call, tile, 1);
  __m512 acc[kR][1];
  clear(acc);
  for (int64_t g = 0; g < at.groups; ++g) {
    prefetch_codes<kCodeBytes<kFormat>>(at, g, 1);
    __m512i dots[kR][1];
    if constexpr (kFormat == QuantFormat::kQ8) {
      for (int r = 0; r < kR; ++r) dots[r][0] = _mm512_setzero_si512();
      group_plain_q8(at, g, dots);
    } else {
      start_group<3>(at, g, call.sums, dots);
      group_plain_q4(at, g, dots);
    }
    add_group(at, g, call.scales, dots, acc);
  }
  store(acc, call.out + tile * kQuantTileRows);
}

using Block = void (*)(const QuantDotCall&, int64_t);

// One row streams tile after tile; more rows take both tiles so that an activation serves both.
template <QuantFormat kFormat>
void dot_vnni(const QuantDotCall& call) {
  constexpr QuantFormat kF = kFormat;
  static constexpr Block kOne[kBlockRows] = {block_vnni<kF, 1, 1>, block_vnni<kF, 2, 1>,
                                             block_vnni<kF, 3, 1>, block_vnni<kF, 4, 1>,
                                             block_vnni<kF, 5, 1>, block_vnni<kF, 6, 1>};
  static constexpr Block kTwo[kBlockRows] = {block_vnni<kF, 1, 2>, block_vnni<kF, 2, 2>,
                                             block_vnni<kF, 3, 2>, block_vnni<kF, 4, 2>,
                                             block_vnni<kF, 5, 2>, block_vnni<kF, 6, 2>};
  if (call.rows > 1 && call.tiles == 2) return kTwo[call.rows - 1](call, 0);
  for (int64_t tile = 0; tile < call.tiles; ++tile) kOne[call.rows - 1](call, tile);
}

// Without VNNI the three-instruction product leaves registers for one tile only.
template <QuantFormat kFormat>
void dot_plain(const QuantDotCall& call) {
  constexpr QuantFormat kF = kFormat;
  static constexpr Block kOne[kPlainRows] = {block_plain<kF, 1>, block_plain<kF, 2>,
                                             block_plain<kF, 3>, block_plain<kF, 4>};
  for (int64_t tile = 0; tile < call.tiles; ++tile) kOne[call.rows - 1](call, tile);
}

}  // namespace

QuantDot quant_dot_avx512_vnni(QuantFormat format) {
  if (format == QuantFormat::kQ4) return {dot_vnni<QuantFormat::kQ4>, kBlockRows};
  return {dot_vnni<QuantFormat::kQ8>, kBlockRows};
}

QuantDot quant_dot_avx512(QuantFormat format) {
  if (format == QuantFormat::kQ4) return {dot_plain<QuantFormat::kQ4>, kPlainRows};
  return {dot_plain<QuantFormat::kQ8>, kPlainRows};
}

}  // namespace ingot::kernels::detail

#undef INGOT_AVX512
#undef INGOT_VNNI

#endif  // x86-64
