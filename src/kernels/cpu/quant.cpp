// SPDX-License-Identifier: Apache-2.0
// Quantisation and dequantisation of weight matrices in the layout of quant.h.
// Plain loops over 32 floats with 16 fixed partial sums, compiled once per instruction set so that
// the compiler may use its widest vectors; no operation depends on the width, so a quantised file
// has the same bytes wherever it is made. Rounding half to even is the addition of 1.5 * 2^23.
// Not the product with activations (quant_matmul.cpp).
#include "kernels/quant.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "kernels/cpu/quant_dot.h"
#include "kernels/cpu/quant_half.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quant.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

using detail::float_to_half;
using detail::half_to_float;

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kGroup = static_cast<int>(kQuantGroup);
constexpr int kLanes = 16;             // fixed partial sums
constexpr float kRound = 12582912.0F;  // 1.5 * 2^23
constexpr uint16_t kHalfNan = 0x7E00;
constexpr uint16_t kHalfMax = 0x7BFF;
constexpr uint32_t kInfinityBits = 0x7F800000U;
// Divisors n of the extreme element tried by q4, each with both signs, the plain one first.
constexpr float kQ4Divisors[] = {8.0F,  6.25F, 6.5F,  6.75F, 7.0F,  7.25F, 7.5F,  7.75F,
                                 8.25F, 8.5F,  8.75F, 9.0F,  9.25F, 9.5F,  9.75F, 10.0F};
constexpr int kCandidates = 32;

// The bits of max|w|: integer order equals float order and NaN is above infinity.
HWY_INLINE uint32_t max_magnitude_bits(const float* w) {
  uint32_t most = 0;
  for (int i = 0; i < kGroup; ++i) {
    most = std::max(most, std::bit_cast<uint32_t>(w[i]) & 0x7FFFFFFFU);
  }
  return most;
}

// w / scale rounded to a whole number in [low, high].
HWY_INLINE float round_code(float w, float inverse, float low, float high) {
  const float value = w * inverse;
  const float above = value < low ? low : value;
  return ((above > high ? high : above) + kRound) - kRound;
}

HWY_INLINE float inverse_of(float scale) { return scale == 0.0F ? 0.0F : 1.0F / scale; }

HWY_INLINE float sum_lanes(const float* part) {
  float eight[8];
  float four[4];
  for (int lane = 0; lane < 8; ++lane) eight[lane] = part[lane] + part[lane + 8];
  for (int lane = 0; lane < 4; ++lane) four[lane] = eight[lane] + eight[lane + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}

// errors[c] = sum of importance * (w - code * scales[c])^2, in the order of k; lanes = candidates.
HWY_INLINE void q4_errors(const float* w, const float* importance, const float* scales, int count,
                          float* errors) {
  const hn::CappedTag<float, kLanes> d;
  using V = hn::Vec<decltype(d)>;
  const V round = hn::Set(d, kRound);
  const V low = hn::Set(d, -8.0F);
  const V high = hn::Set(d, 7.0F);
  for (int c = 0; c < count; c += static_cast<int>(hn::Lanes(d))) {
    const V scale = hn::Load(d, scales + c);
    const auto zero = hn::Eq(scale, hn::Zero(d));
    const V inverse = hn::IfThenZeroElse(zero, hn::Div(hn::Set(d, 1.0F), scale));
    V error = hn::Zero(d);
    for (int i = 0; i < kGroup; ++i) {
      const V value = hn::Set(d, w[i]);
      const V near = hn::Min(hn::Max(hn::Mul(value, inverse), low), high);
      const V code = hn::Sub(hn::Add(near, round), round);
      const V difference = hn::Sub(value, hn::Mul(code, scale));
      error = hn::Add(error, hn::Mul(hn::Set(d, importance[i]), hn::Mul(difference, difference)));
    }
    hn::Store(error, d, errors + c);
  }
}

// argmin over s of sum importance * (w - code * s)^2 for the codes of `scale`; 0 without any code.
HWY_INLINE float q4_refit(const float* w, const float* importance, float scale) {
  const float inverse = inverse_of(scale);
  float dot[kLanes] = {};
  float square[kLanes] = {};
  for (int i = 0; i < kGroup; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const float code = round_code(w[i + lane], inverse, -8.0F, 7.0F);
      const float weighted = importance[i + lane] * code;
      dot[lane] += weighted * w[i + lane];
      square[lane] += weighted * code;
    }
  }
  const float denominator = sum_lanes(square);
  return denominator > 0.0F ? sum_lanes(dot) / denominator : 0.0F;
}

// float16 scale of a q4 group.
HWY_INLINE uint16_t q4_scale(const float* w, const float* importance) {
  const uint32_t most = max_magnitude_bits(w);
  if (most >= kInfinityBits) return kHalfNan;
  float extreme = 0.0F;  // the first of the largest magnitude, with its sign
  for (int i = kGroup - 1; i >= 0; --i) {
    extreme = (std::bit_cast<uint32_t>(w[i]) & 0x7FFFFFFFU) == most ? w[i] : extreme;
  }
  HWY_ALIGN float scales[kCandidates];
  HWY_ALIGN float errors[kCandidates];
  for (int c = 0; c < kCandidates; ++c) {
    const float divisor = kQ4Divisors[c / 2];
    scales[c] = half_to_float(float_to_half(extreme / (c % 2 == 0 ? -divisor : divisor)));
  }
  q4_errors(w, importance, scales, kCandidates, errors);
  int best = 0;
  for (int c = 1; c < kCandidates; ++c) {
    if (errors[c] < errors[best]) best = c;
  }
  const float least = errors[best];
  const float winner = scales[best];
  scales[0] = half_to_float(float_to_half(q4_refit(w, importance, winner)));
  q4_errors(w, importance, scales, 1, errors);
  const uint16_t half = float_to_half(errors[0] < least ? scales[0] : winner);
  return (half & 0x7FFFU) == 0 ? uint16_t{0} : half;  // no negative zero
}

// float16 scale of a q8 group: rounded to nearest, but up where rounding down would clip codes.
HWY_INLINE uint16_t q8_scale(const float* w) {
  const uint32_t most = max_magnitude_bits(w);
  if (most >= kInfinityBits) return kHalfNan;
  const float extreme = std::bit_cast<float>(most);
  uint16_t half = float_to_half(extreme / 127.0F);
  if (half != 0 && half < kHalfMax && half_to_float(half) * 127.5F < extreme) ++half;
  return half;
}

HWY_INLINE void round_codes(const float* w, uint16_t half, float low, float high, int8_t* codes) {
  const float inverse = half == kHalfNan ? 0.0F : inverse_of(half_to_float(half));
  for (int i = 0; i < kGroup; ++i) {
    const float finite = half == kHalfNan ? 0.0F : w[i];
    codes[i] = static_cast<int8_t>(static_cast<int32_t>(round_code(finite, inverse, low, high)));
  }
}

// One group of one row: returns the float16 scale and stores the codes; `row` counts in the tile.
uint16_t QuantizeGroupQ8(const float* w, const float*, uint8_t* to, int64_t row) {
  int8_t codes[kGroup];
  const uint16_t half = q8_scale(w);
  round_codes(w, half, -127.0F, 127.0F, codes);
  for (int j = 0; j < 8; ++j) std::memcpy(to + j * 64 + row * 4, codes + 4 * j, 4);
  return half;
}

uint16_t QuantizeGroupQ4(const float* w, const float* importance, uint8_t* to, int64_t row) {
  int8_t codes[kGroup];
  const uint16_t half = q4_scale(w, importance);
  round_codes(w, half, -8.0F, 7.0F, codes);
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 4; ++i) {
      const int low = codes[8 * j + i] + 8;
      const int high = codes[8 * j + 4 + i] + 8;
      to[j * 64 + row * 4 + i] = static_cast<uint8_t>(low | (high << 4));
    }
  }
  return half;
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(QuantizeGroupQ8);
HWY_EXPORT(QuantizeGroupQ4);

namespace {

using detail::half_to_float;
using detail::quant_scale_bytes;

constexpr int64_t kGroup = kQuantGroup;
constexpr int64_t kRows = kQuantTileRows;

int64_t group_code_bytes(QuantFormat format) {
  return kRows * kGroup * static_cast<int64_t>(format) / 8;
}

void store_scale(uint8_t* tile, int64_t group, int64_t row, uint16_t half) {
  uint8_t* at = tile + group * 32 + row * 2;
  at[0] = static_cast<uint8_t>(half & 0xFFU);
  at[1] = static_cast<uint8_t>(half >> 8);
}

float load_scale(const uint8_t* tile, int64_t group, int64_t row) {
  const uint8_t* at = tile + group * 32 + row * 2;
  return half_to_float(static_cast<uint16_t>(at[0] | (at[1] << 8)));
}

// `count` floats of a group, zero padded.
void load_group(const float* from, int64_t count, float* to) {
  std::fill(to + count, to + kGroup, 0.0F);
  std::copy(from, from + count, to);
}

void quantize_tile(const QuantizeArgs& args, QuantFormat format, int64_t tile_number) {
  const int64_t groups = quant_groups(args.in_features);
  const int64_t tile_bytes = quant_tile_bytes(format, args.in_features);
  const int64_t scale_bytes = quant_scale_bytes(groups);
  const bool q4 = format == QuantFormat::kQ4;
  uint8_t* tile = static_cast<uint8_t*>(args.quantized) + tile_number * tile_bytes;
  std::memset(tile, 0, static_cast<size_t>(scale_bytes));
  std::memset(tile + scale_bytes, q4 ? 0x88 : 0, static_cast<size_t>(tile_bytes - scale_bytes));
  const int64_t rows = std::min(kRows, args.out_features - tile_number * kRows);
  alignas(64) float w[kGroup];
  alignas(64) float importance[kGroup];
  std::fill(importance, importance + kGroup, 1.0F);
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t count = std::min(kGroup, args.in_features - g * kGroup);
    uint8_t* codes = tile + scale_bytes + g * group_code_bytes(format);
    if (q4 && args.importance != nullptr)
      load_group(args.importance + g * kGroup, count, importance);
    for (int64_t r = 0; r < rows; ++r) {
      load_group(args.weights + (tile_number * kRows + r) * args.row_stride + g * kGroup, count, w);
      const uint16_t half = q4 ? HWY_DYNAMIC_DISPATCH(QuantizeGroupQ4)(w, importance, codes, r)
                               : HWY_DYNAMIC_DISPATCH(QuantizeGroupQ8)(w, importance, codes, r);
      store_scale(tile, g, r, half);
    }
  }
}

void quantize_matrix(const QuantizeArgs& args, QuantFormat format, Team& team) {
  const bool serial = args.out_features * args.in_features < (int64_t{1} << 14);
  team.tiles(quant_tiles(args.out_features), serial,
             [&](int64_t tile) { quantize_tile(args, format, tile); });
}

void check_size(const char* name, int64_t value) {
  require(value >= 0 && value <= kQuantMaxSize, Code::kInvalidArgument,
          "quantise: {} is {}, must be between 0 and {}", name, value, kQuantMaxSize);
}

}  // namespace

int64_t quant_groups(int64_t in_features) { return (in_features + kGroup - 1) / kGroup; }

int64_t quant_tiles(int64_t out_features) { return (out_features + kRows - 1) / kRows; }

int64_t quant_tile_bytes(QuantFormat format, int64_t in_features) {
  const int64_t groups = quant_groups(in_features);
  return quant_scale_bytes(groups) + groups * group_code_bytes(format);
}

int64_t quant_matrix_bytes(QuantFormat format, int64_t out_features, int64_t in_features) {
  check_size("out_features", out_features);
  check_size("in_features", in_features);
  return quant_tiles(out_features) * quant_tile_bytes(format, in_features);
}

int64_t quant_scale_offset(QuantFormat format, int64_t in_features, int64_t row, int64_t k) {
  return row / kRows * quant_tile_bytes(format, in_features) + k / kGroup * 32 + row % kRows * 2;
}

int64_t quant_code_offset(QuantFormat format, int64_t in_features, int64_t row, int64_t k) {
  const int64_t codes = row / kRows * quant_tile_bytes(format, in_features) +
                        quant_scale_bytes(quant_groups(in_features)) +
                        k / kGroup * group_code_bytes(format);
  const int64_t chunk = k % kGroup / (format == QuantFormat::kQ4 ? 8 : 4);
  return codes + chunk * 64 + row % kRows * 4 + k % 4;
}

void quantize_q8(const QuantizeArgs& args, Team& team) {
  quantize_matrix(args, QuantFormat::kQ8, team);
}

void quantize_q4(const QuantizeArgs& args, Team& team) {
  quantize_matrix(args, QuantFormat::kQ4, team);
}

void quantize(const QuantizeArgs& args, Team& team) { quantize_matrix(args, args.format, team); }

void dequantize_row(QuantFormat format, const void* quantized, int64_t in_features, int64_t row,
                    float* out) {
  const uint8_t* base = static_cast<const uint8_t*>(quantized);
  const uint8_t* tile = base + row / kRows * quant_tile_bytes(format, in_features);
  const uint8_t* codes = base + quant_code_offset(format, in_features, row, 0);
  const bool q4 = format == QuantFormat::kQ4;
  for (int64_t k = 0; k < in_features; k += 4) {
    const float scale = load_scale(tile, k / kGroup, row % kRows);
    const uint8_t* at = codes + (q4 ? k / 8 : k / 4) * 64;
    const int64_t count = std::min<int64_t>(4, in_features - k);
    for (int64_t i = 0; i < count; ++i) {
      const int nibble = (at[i] >> (k & 4)) & 15;
      const int code = q4 ? nibble - 8 : static_cast<int8_t>(at[i]);
      out[k + i] = static_cast<float>(code) * scale;
    }
  }
}

void dequantize(const DequantizeArgs& args, Team& team) {
  constexpr int64_t kBlock = 16;
  const bool serial = args.count * args.in_features < (int64_t{1} << 15);
  team.tiles((args.count + kBlock - 1) / kBlock, serial, [&](int64_t block) {
    const int64_t end = std::min(args.count, (block + 1) * kBlock);
    for (int64_t i = block * kBlock; i < end; ++i) {
      int64_t row = i;
      if (args.ids != nullptr) {
        row = args.id_type == IdType::kInt32 ? static_cast<const int32_t*>(args.ids)[i]
                                             : static_cast<const int64_t*>(args.ids)[i];
      }
      dequantize_row(args.format, args.quantized, args.in_features, row,
                     args.out + i * args.out_stride);
    }
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
