// SPDX-License-Identifier: Apache-2.0
// Casts in vectors of one float32 width; tails go through a zeroed buffer. bf16 rounding is integer
// arithmetic on the bits; f16 uses the processor's conversion where there is one and the same
// rounding in integers elsewhere. See convert.h for the contract.
#include "kernels/convert.h"

#include <bit>

#include "base/error.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/convert.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_CONVERT_HALF_
#define INGOT_KERNELS_CPU_CONVERT_HALF_
namespace ingot::kernels {
namespace {

/// float32 to float16 in integers: nearest even, quiet NaN, float32 subnormals to zero.
[[maybe_unused]] uint16_t half_bits(uint32_t bits) {
  const uint32_t sign = bits >> 16 & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return static_cast<uint16_t>(sign | 0x7E00U | (magnitude >> 13 & 0x3FFU));
  }
  if (magnitude >= 0x47800000U) return static_cast<uint16_t>(sign | 0x7C00U);  // 2^16 and above
  if (magnitude < 0x33000000U) return static_cast<uint16_t>(sign);             // below 2^-25
  const uint32_t exponent = magnitude >> 23;
  const uint32_t mantissa = (magnitude & 0x7FFFFFU) | 0x800000U;
  // Normal results drop 13 bits; below 2^-14 one more for each power of two.
  const uint32_t drop = exponent >= 113 ? 13 : 126 - exponent;
  const uint32_t base = exponent >= 113 ? (exponent - 113) << 10 : 0;
  const uint32_t kept = mantissa >> drop;
  const uint32_t rest = mantissa & ((1U << drop) - 1);
  const uint32_t half = 1U << (drop - 1);
  const uint32_t up = rest > half || (rest == half && (kept & 1U) != 0) ? 1 : 0;
  return static_cast<uint16_t>(sign | (base + kept + up));
}

/// float16 to float32 bits, exact; NaN becomes quiet.
[[maybe_unused]] uint32_t float_bits(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000U} << 16;
  const uint32_t exponent = half >> 10 & 31U;
  const uint32_t mantissa = half & 0x3FFU;
  if (exponent == 31) {
    return sign | 0x7F800000U | mantissa << 13 | (mantissa != 0 ? 0x400000U : 0U);
  }
  if (exponent != 0) return sign | (exponent + 112) << 23 | mantissa << 13;
  if (mantissa == 0) return sign;
  const auto shift = static_cast<uint32_t>(std::countl_zero(mantissa)) - 21;  // to bit 10
  return sign | (113 - shift) << 23 | (mantissa << shift & 0x3FFU) << 13;
}

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

using D16 = hn::Rebind<uint16_t, Df>;
using D32 = hn::Rebind<uint32_t, Df>;

/// step(src, dst) converts Lanes(Df) elements.
template <class From, class To, class Step>
HWY_INLINE void convert_by(const From* src, To* dst, int64_t n, const Step& step) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  int64_t i = 0;
  for (; i + width <= n; i += width) step(src + i, dst + i);
  if (i >= n) return;
  HWY_ALIGN From in[HWY_MAX_BYTES / 4] = {};
  HWY_ALIGN To out[HWY_MAX_BYTES / 4];
  std::memcpy(in, src + i, static_cast<size_t>(n - i) * sizeof(From));
  step(in, out);
  std::memcpy(dst + i, out, static_cast<size_t>(n - i) * sizeof(To));
}

HWY_INLINE void to_bf16(const float* src, uint16_t* dst) {
  const D32 d;
  const Vf v = hn::LoadU(Df(), src);
  const auto bits = hn::BitCast(d, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1U));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, hn::Set(d, 0x7FFFU)), odd));
  const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(d, 0x40U));
  const auto out = hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(v)), quiet, rounded);
  const hn::Rebind<int32_t, Df> di;
  hn::StoreU(hn::DemoteTo(D16(), hn::BitCast(di, out)), D16(), dst);
}

HWY_INLINE void from_bf16(const uint16_t* src, float* dst) {
  const auto bits = hn::PromoteTo(D32(), hn::LoadU(D16(), src));
  hn::StoreU(hn::BitCast(Df(), hn::ShiftLeft<16>(bits)), Df(), dst);
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2

using Dh = hn::Rebind<hwy::float16_t, Df>;

HWY_INLINE void to_f16(const float* src, uint16_t* dst) {
  const auto h = hn::DemoteTo(Dh(), hn::LoadU(Df(), src));
  hn::StoreU(hn::BitCast(D16(), h), D16(), dst);
}

HWY_INLINE void from_f16(const uint16_t* src, float* dst) {
  const auto h = hn::BitCast(Dh(), hn::LoadU(D16(), src));
  hn::StoreU(hn::PromoteTo(Df(), h), Df(), dst);
}

#else

HWY_INLINE void to_f16(const float* src, uint16_t* dst) {
  for (size_t i = 0; i < hn::Lanes(Df()); ++i) dst[i] = half_bits(std::bit_cast<uint32_t>(src[i]));
}

HWY_INLINE void from_f16(const uint16_t* src, float* dst) {
  for (size_t i = 0; i < hn::Lanes(Df()); ++i) {
    const uint32_t bits = float_bits(src[i]);
    std::memcpy(dst + i, &bits, sizeof(bits));
  }
}

#endif

HWY_INLINE void from_u8(const uint8_t* src, float* dst) {
  const hn::Rebind<int32_t, Df> di;
  const hn::Rebind<uint8_t, Df> d8;
  hn::StoreU(hn::ConvertTo(Df(), hn::PromoteTo(di, hn::LoadU(d8, src))), Df(), dst);
}

HWY_INLINE void from_i32(const int32_t* src, float* dst) {
  const hn::Rebind<int32_t, Df> di;
  hn::StoreU(hn::ConvertTo(Df(), hn::LoadU(di, src)), Df(), dst);
}

template <class From, class To, class Step>
void run(const ConvertArgs& a, int64_t begin, int64_t end, const Step& step) {
  convert_by(static_cast<const From*>(a.src) + begin, static_cast<To*>(a.dst) + begin, end - begin,
             step);
}

void convert_tile(const ConvertArgs& a, int64_t begin, int64_t end) {
  using F = float;
  using H = uint16_t;
  const bool half = a.to == Element::kFloat16;
  switch (a.from) {
    case Element::kFloat32:
      if (half) return run<F, H>(a, begin, end, [](const F* s, H* d) HWY_ATTR { to_f16(s, d); });
      return run<F, H>(a, begin, end, [](const F* s, H* d) HWY_ATTR { to_bf16(s, d); });
    case Element::kBFloat16:
      return run<H, F>(a, begin, end, [](const H* s, F* d) HWY_ATTR { from_bf16(s, d); });
    case Element::kFloat16:
      return run<H, F>(a, begin, end, [](const H* s, F* d) HWY_ATTR { from_f16(s, d); });
    case Element::kUInt8:
      return run<uint8_t, F>(a, begin, end, [](const uint8_t* s, F* d) HWY_ATTR { from_u8(s, d); });
    case Element::kInt32:
      return run<int32_t, F>(a, begin, end,
                             [](const int32_t* s, F* d) HWY_ATTR { from_i32(s, d); });
    case Element::kInt64:
      for (int64_t i = begin; i < end; ++i) {
        static_cast<float*>(a.dst)[i] = static_cast<float>(static_cast<const int64_t*>(a.src)[i]);
      }
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(convert_tile);

void convert(const ConvertArgs& args, Team& team) {
  INGOT_ASSERT(convert_supported(args.from, args.to));
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(convert_tile)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
