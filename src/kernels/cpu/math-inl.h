// SPDX-License-Identifier: Apache-2.0
// Vector mathematics shared by all kernels: exponentials, erf, tanh, activations and derivatives.
// Polynomials are weighted minimax fits made for this file (iteratively reweighted least squares
// on 4000 Chebyshev nodes). Every function works lane by lane, so a value's bytes do not depend on
// its neighbours. NaN propagates; results below 1.8e-38 are zero. Never uses scalar libm.
// Included once per Highway target inside kernels' .cpp files; needs hwy/highway.h before it.
// Names avoid Highway's own (hn::Exp ...): everything lives in ingot::kernels::HWY_NAMESPACE.

#include <cstdint>

#include "hwy/highway.h"

// Per-target include guard.
#if defined(INGOT_KERNELS_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_MATH_INL_H_
#undef INGOT_KERNELS_CPU_MATH_INL_H_
#else
#define INGOT_KERNELS_CPU_MATH_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace vmath {  // pieces of the functions below

namespace hn = hwy::HWY_NAMESPACE;

/// c0 + x (c1 + x (c2 + ...)), one FMA per coefficient.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V horner(D d, V, float c0) {
  return hn::Set(d, c0);
}
template <class D, class V = hn::Vec<D>, class... C>
HWY_INLINE V horner(D d, V x, float c0, C... rest) {
  return hn::MulAdd(horner(d, x, rest...), x, hn::Set(d, c0));
}

/// 2^(n - 1) from `shifted` = 1.5 * 2^23 + n: the low mantissa bits of that sum are n, and the
/// shift pushes all others out. n must lie in [-126, 128]; n = -126 gives 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V pow2_minus1(D d, V shifted) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(
      d, hn::Add(hn::ShiftLeft<23>(hn::BitCast(di, shifted)), hn::Set(di, int32_t{126} << 23)));
}

constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to the nearest integer

}  // namespace vmath

/// 2^x, relative error < 2e-7. +infinity from 128 on, 0 below -125.4.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Exp2(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V shifted = hn::Add(x, hn::Set(d, vmath::kRound));
  const V r = hn::Sub(x, hn::Sub(shifted, hn::Set(d, vmath::kRound)));
  // 2 * 2^r: the doubled coefficients cost nothing and keep 2^128 away from the exponent field.
  const V p = vmath::horner(d, r, 2.0F, 2 * 0.6931471824645996F, 2 * 0.24022650718688965F,
                            2 * 0.055503278970718384F, 2 * 0.009618005715310574F,
                            2 * 0.0013400283642113209F, 2 * 0.0001547589636174962F);
  const V y = hn::Mul(p, vmath::pow2_minus1(d, shifted));
  const V high = hn::IfThenElse(hn::Ge(x, hn::Set(d, 128.0F)), hn::Inf(d), y);
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, -125.4F)), hn::Zero(d), high);
}

/// e^x, relative error < 2e-7. +infinity above 88.7228, 0 below -86.9.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V round = hn::Set(d, vmath::kRound);
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.4426950408889634F), round);
  const V n = hn::Sub(shifted, round);
  // ln 2 in two parts, the first with few bits so that n * part is exact.
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F), r);
  const V p =
      vmath::horner(d, r, 2.0F, 2.0F, 2 * 0.5F, 2 * 0.166665181517601F, 2 * 0.04166620597243309F,
                    2 * 0.008368882350623608F, 2 * 0.001395047758705914F);
  const V y = hn::Mul(p, vmath::pow2_minus1(d, shifted));
  const V high = hn::IfThenElse(hn::Gt(x, hn::Set(d, 88.7228F)), hn::Inf(d), y);
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, -86.9F)), hn::Zero(d), high);
}

namespace vmath {

/// erfc(z) for z >= 0, absolute error < 1e-7, and < 1e-5 relative up to 4.5; 0 beyond. A
/// polynomial of log2 erfc, so that the tail keeps its leading digits.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V erfc_positive(D d, V z) {
  const V p = horner(d, z, -1.6279070377349854F, -0.9184492230415344F, -0.14825929701328278F,
                     0.027546213939785957F, 0.0004450881970115006F, -0.0027051125653088093F,
                     0.0011602165177464485F, -0.00028905499493703246F, 4.5468226744560525e-05F,
                     -4.1846142266876996e-06F, 1.7172082777960895e-07F);
  const V y = Exp2(d, hn::Mul(z, p));
  return hn::IfThenElse(hn::Gt(z, hn::Set(d, 4.5F)), hn::Zero(d), y);
}

/// The standard normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V normal_cdf(D d, V x) {
  const V half = hn::Set(d, 0.5F);
  const V tail =
      hn::Mul(half, erfc_positive(d, hn::Mul(hn::Abs(x), hn::Set(d, 0.7071067811865476F))));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0F), tail));
}

}  // namespace vmath

/// erf(x), relative error < 3e-7.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V z = hn::Abs(x);
  const V one = hn::Set(d, 1.0F);
  const V near =
      hn::Mul(x, vmath::horner(d, hn::Mul(x, x), 1.1283791065216064F, -0.3761262595653534F,
                               0.1128358542919159F, -0.026853812858462334F, 0.005188327748328447F,
                               -0.0008010193123482168F, 7.853857823647559e-05F));
  const V far = hn::CopySign(hn::Sub(one, vmath::erfc_positive(d, z)), x);
  return hn::IfThenElse(hn::Lt(z, one), near, far);
}

/// tanh(x), relative error < 3e-7.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V one = hn::Set(d, 1.0F);
  const V z = hn::Abs(x);
  const V u = hn::Mul(x, x);
  const V poly =
      vmath::horner(d, u, -0.3333333283662796F, 0.13331501185894012F, -0.05374442785978317F,
                    0.020653795450925827F, -0.005720808170735836F);
  const V near = hn::MulAdd(hn::Mul(poly, u), x, x);
  const V e = Exp(d, hn::Mul(z, hn::Set(d, -2.0F)));
  const V far = hn::CopySign(hn::Div(hn::Sub(one, e), hn::Add(one, e)), x);
  return hn::IfThenElse(hn::Lt(z, hn::Set(d, 0.62F)), near, far);
}

/// 1 / (1 + e^-x), relative error < 4e-7 above -86.9, 0 far below.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V one = hn::Set(d, 1.0F);
  return hn::Div(one, hn::Add(one, Exp(d, hn::Neg(x))));
}

/// x Phi(x), absolute error < 2e-7 * max(1, |x|). Gelu(-infinity) is NaN (0 * inf).
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Gelu(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::Mul(x, vmath::normal_cdf(d, x));
}

/// d/dx: Phi(x) + x phi(x), phi the normal density.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V GeluGrad(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V density =
      hn::Mul(hn::Set(d, 0.3989422804014327F), Exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5F))));
  return hn::MulAdd(x, density, vmath::normal_cdf(d, x));
}

namespace vmath {

/// 2 u of GeluTanh, u = sqrt(2/pi) (x + 0.044715 x^3). x (1 + tanh u) / 2 = x sigmoid(2 u).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V gelu_tanh_inner(D d, V x) {
  return hn::Mul(x, horner(d, hn::Mul(x, x), 1.5957691216057308F, 0.07135481627159336F));
}

}  // namespace vmath

/// x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, absolute error < 2e-7 * max(1, |x|).
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V GeluTanh(D d, V x) {
  return hwy::HWY_NAMESPACE::Mul(x, Sigmoid(d, vmath::gelu_tanh_inner(d, x)));
}

/// With s = sigmoid(2u): s + x s (1 - s) (2u)'.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V GeluTanhGrad(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V s = Sigmoid(d, vmath::gelu_tanh_inner(d, x));
  const V slope = vmath::horner(d, hn::Mul(x, x), 1.5957691216057308F, 3 * 0.07135481627159336F);
  return hn::MulAdd(hn::Mul(x, s), hn::Mul(hn::Sub(hn::Set(d, 1.0F), s), slope), s);
}

/// x sigmoid(x).
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V Silu(D d, V x) {
  return hwy::HWY_NAMESPACE::Mul(x, Sigmoid(d, x));
}

/// s + x s (1 - s), s = sigmoid(x).
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V SiluGrad(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V s = Sigmoid(d, x);
  return hn::MulAdd(hn::Mul(x, s), hn::Sub(hn::Set(d, 1.0F), s), s);
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
