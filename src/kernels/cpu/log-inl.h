// SPDX-License-Identifier: Apache-2.0
// log and pow for float32 vectors with the special cases of C. The logarithm is the series of
// 2 atanh on a reduced mantissa. pow with a general exponent works in double, because e log x needs
// more digits than float32 has.
// Included once per Highway target, after simd-inl.h. Beside math-inl.h, which has exp and tanh.
#include <cstdint>

// clang-format off
#if defined(INGOT_KERNELS_CPU_LOG_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_LOG_INL_H_
#undef INGOT_KERNELS_CPU_LOG_INL_H_
#else
#define INGOT_KERNELS_CPU_LOG_INL_H_
#endif
// clang-format on

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

/// The integer part k and mantissa m of x = 2^k m, m in [sqrt(1/2), sqrt(2)), for 0 < x < inf.
HWY_INLINE void split_exponent(Df d, Vf x, Vf& k, Vf& m) {
  const hn::RebindToSigned<Df> di;
  // Subtracting the bits of sqrt(1/2) first makes the exponent field change at sqrt(2) 2^k.
  const auto base = hn::Set(di, 0x3F3504F3);
  const auto shifted = hn::Sub(hn::BitCast(di, x), base);
  k = hn::ConvertTo(d, hn::ShiftRight<23>(shifted));
  m = hn::BitCast(d, hn::Add(hn::And(shifted, hn::Set(di, 0x007FFFFF)), base));
}

using Dd = hn::ScalableTag<double>;
using Vd = hn::Vec<Dd>;

HWY_INLINE void split_exponent(Dd d, Vd x, Vd& k, Vd& m) {
  const hn::RebindToUnsigned<Dd> du;
  const auto bits = hn::BitCast(du, x);
  const Vd two52 = hn::Set(d, 4503599627370496.0);
  // An integer below 2^52 placed under the exponent of 2^52 is that double's offset.
  const auto field = hn::Or(hn::ShiftRight<52>(bits), hn::BitCast(du, two52));
  const Vd raw = hn::Sub(hn::BitCast(d, field), hn::Set(d, 4503599627370496.0 + 1023.0));
  const auto one_bits = hn::Set(du, uint64_t{0x3FF0000000000000});
  const Vd raw_m =
      hn::BitCast(d, hn::Or(hn::And(bits, hn::Set(du, uint64_t{0x000FFFFFFFFFFFFF})), one_bits));
  const auto big = hn::Gt(raw_m, hn::Set(d, 1.4142135623730951));
  m = hn::IfThenElse(big, hn::Mul(raw_m, hn::Set(d, 0.5)), raw_m);
  k = hn::IfThenElse(big, hn::Add(raw, hn::Set(d, 1.0)), raw);
}

/// log m = 2 atanh(s) with s = (m - 1) / (m + 1): the series 2 s (1 + s^2/3 + s^4/5 + ...), whose
/// first omitted term is below 3e-9 (float32) and 3e-14 (double) of the result.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_positive(D d, V x) {
  using T = hn::TFromD<D>;
  V k, m;
  split_exponent(d, x, k, m);
  const V f = hn::Sub(m, hn::Set(d, T{1}));
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, T{2})));
  const V z = hn::Mul(s, s);
  constexpr int kTerms = sizeof(T) == 8 ? 8 : 4;
  V p = hn::Set(d, T{1} / T(2 * kTerms + 1));
  for (int i = kTerms - 1; i >= 1; --i) p = hn::MulAdd(p, z, hn::Set(d, T{1} / T(2 * i + 1)));
  const V twice = hn::Add(s, s);
  // k ln 2 in two parts: the first is exact.
  const V low =
      hn::MulAdd(hn::Mul(p, z), twice, hn::Mul(k, hn::Set(d, T(-2.12194440054690583e-4))));
  return hn::MulAdd(k, hn::Set(d, T(0.693359375)), hn::Add(twice, low));
}

/// Natural logarithm, relative error < 3e-7 in float32. log 0 = -inf, log of a negative is NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_vector(D d, V x) {
  const V zero = hn::Zero(d);
  const V at_zero = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(hn::Inf(d)), log_positive(d, x));
  const V negative = hn::IfThenElse(hn::Lt(x, zero), hn::NaN(d), at_zero);
  // inf + inf = inf, NaN + NaN = NaN: both are their own logarithm.
  return hn::IfThenElse(hn::Or(hn::Eq(x, hn::Inf(d)), hn::IsNaN(x)), hn::Add(x, x), negative);
}

/// log(1 + x) for x in [0, 1], relative error < 3e-7: the digits lost in 1 + x are put back.
HWY_INLINE Vf log1p_unit(Vf x) {
  const Df d;
  const Vf one = hn::Set(d, 1.0F);
  const Vf u = hn::Add(one, x);
  const Vf lost = hn::Sub(x, hn::Sub(u, one));
  return hn::Add(log_positive(d, u), hn::Div(lost, u));
}

/// e^x in double for |x| <= 200, relative error < 1e-12.
HWY_INLINE Vd exp_double(Vd x) {
  const Dd d;
  const hn::RebindToSigned<Dd> di;
  const Vd round = hn::Set(d, 6755399441055744.0);  // 1.5 * 2^52
  const Vd shifted = hn::MulAdd(x, hn::Set(d, 1.4426950408889634), round);
  const Vd n = hn::Sub(shifted, round);
  Vd r = hn::NegMulAdd(n, hn::Set(d, 0.693359375), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440054690583e-4), r);
  Vd p = hn::Set(d, 1.0);
  for (int i = 11; i >= 1; --i) {  // Taylor, as 1 + r/1 (1 + r/2 (1 + r/3 ...
    p = hn::MulAdd(hn::Mul(p, r), hn::Set(d, 1.0 / i), hn::Set(d, 1.0));
  }
  const auto scale =
      hn::Add(hn::ShiftLeft<52>(hn::BitCast(di, shifted)), hn::Set(di, int64_t{1023} << 52));
  return hn::Mul(p, hn::BitCast(d, scale));
}

/// x^e in double, one vector. `odd` and `integer` describe e.
HWY_INLINE Vd pow_double(Vd x, double e, bool integer, bool odd) {
  const Dd d;
  const Vd size = hn::Abs(x);
  // Beyond +-200 the float32 result is infinite or zero anyway. Comparisons keep NaN.
  const Vd high = hn::Set(d, 200.0);
  const Vd low = hn::Set(d, -200.0);
  Vd power = hn::Mul(log_vector(d, size), hn::Set(d, e));
  const auto nan = hn::IsNaN(power);
  power = hn::IfThenElse(hn::Gt(power, high), high, power);
  power = hn::IfThenElse(hn::Lt(power, low), low, power);
  const Vd y = hn::IfThenElse(nan, power, exp_double(power));
  if (odd) return hn::CopySign(y, x);
  if (integer) return y;
  return hn::IfThenElse(hn::And(hn::Lt(x, hn::Zero(d)), hn::Lt(size, hn::Inf(d))), hn::NaN(d), y);
}

/// x^e for |e| <= 16 and integer, by repeated squaring: relative error < 1e-6.
HWY_INLINE Vf pow_integer(Vf x, int e) {
  const Df d;
  Vf result = hn::Set(d, 1.0F);
  Vf square = x;
  for (int left = e < 0 ? -e : e; left != 0; left >>= 1) {
    if ((left & 1) != 0) result = hn::Mul(result, square);
    square = hn::Mul(square, square);
  }
  return e < 0 ? hn::Div(hn::Set(d, 1.0F), result) : result;
}

/// What pow needs to know about its exponent, found once per call of a kernel.
struct PowPlan {
  float e;
  int whole;  // valid when small_integer
  bool small_integer;
  bool integer;
  bool odd;
};

HWY_INLINE PowPlan plan_pow(float e) {
  const bool in_range = e >= -9.0e15F && e <= 9.0e15F;
  const int64_t whole = in_range ? static_cast<int64_t>(e) : 0;
  const bool integer = in_range && static_cast<float>(whole) == e;
  const bool small = integer && whole >= -16 && whole <= 16;
  return {e, small ? static_cast<int>(whole) : 0, small, integer, integer && (whole & 1) != 0};
}

HWY_INLINE Vf pow_vector(Vf x, const PowPlan& plan) {
  if (plan.small_integer) return pow_integer(x, plan.whole);
  const Df d;
  if (plan.e == 0.5F) {  // C: the root of -infinity is +infinity here, and of -0 is +0
    const Vf inf = hn::Inf(d);
    return hn::Sqrt(hn::Add(hn::IfThenElse(hn::Eq(x, hn::Neg(inf)), inf, x), hn::Zero(d)));
  }
  const Dd dd;
  const hn::Rebind<float, decltype(dd)> dh;
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(x, d, buffer);
  for (size_t i = 0; i < hn::Lanes(d); i += hn::Lanes(dd)) {
    const auto wide = hn::PromoteTo(dd, hn::LoadU(dh, buffer + i));
    const auto y = pow_double(wide, static_cast<double>(plan.e), plan.integer, plan.odd);
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
    // The emulated DemoteTo turns infinity into the largest number.
    HWY_ALIGN double wide_y[HWY_MAX_BYTES / sizeof(double) + 1];
    hn::Store(y, dd, wide_y);
    for (size_t k = 0; k < hn::Lanes(dd); ++k) buffer[i + k] = static_cast<float>(wide_y[k]);
#else
    hn::StoreU(hn::DemoteTo(dh, y), dh, buffer + i);
#endif
  }
  return hn::Load(d, buffer);
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
