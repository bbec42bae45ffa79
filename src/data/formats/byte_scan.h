// SPDX-License-Identifier: Apache-2.0
// Where in 64 bytes are the ones a CSV parser must look at? One bit per byte, so that text between
// them is never touched (the idea of simdjson: Langdale and Lemire, "Parsing gigabytes of JSON per
// second", 2019). SSE2, which every x86-64 has; elsewhere a loop the compiler vectorises. Not a
// parser. Called by records.cpp.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ingot::data {

struct ScanMasks {
  uint64_t special = 0;    ///< bit i: byte i is the delimiter, the quote, \n or \r
  bool non_ascii = false;  ///< some byte is above 0x7f
};

/// Looks at p[0 .. 63], all of which must be readable.
inline ScanMasks scan_64(const char* p, char delimiter, char quote) {
  ScanMasks masks;
#if defined(__SSE2__)
  const __m128i delimiters = _mm_set1_epi8(delimiter), quotes = _mm_set1_epi8(quote);
  const __m128i feeds = _mm_set1_epi8('\n'), returns = _mm_set1_epi8('\r');
  __m128i any = _mm_setzero_si128();
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    const __m128i cells =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiters), _mm_cmpeq_epi8(bytes, quotes));
    const __m128i lines =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, feeds), _mm_cmpeq_epi8(bytes, returns));
    const auto found = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(cells, lines)));
    masks.special |= uint64_t{found} << (16 * i);
    any = _mm_or_si128(any, bytes);
  }
  masks.non_ascii = _mm_movemask_epi8(any) != 0;
#else
  unsigned char any = 0;
  for (int i = 0; i < 64; ++i) {
    const char c = p[i];
    const bool hit = c == delimiter || c == quote || c == '\n' || c == '\r';
    masks.special |= uint64_t{hit} << i;
    any |= static_cast<unsigned char>(c);
  }
  masks.non_ascii = any > 0x7F;
#endif
  return masks;
}

}  // namespace ingot::data
