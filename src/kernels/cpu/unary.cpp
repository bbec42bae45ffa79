// SPDX-License-Identifier: Apache-2.0
// Unary elementwise kernels and their gradients: one vector loop, instantiated per op, behind a
// switch. Memory bound but for the exponentials. See elementwise.h for the contract.
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/unary.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

template <class Op>
void map(const float* x, float* y, int64_t n, const Op& op) {
  for_vectors(n,
              [&](int64_t i, auto lanes) HWY_ATTR { store(op(load(x + i, lanes)), y + i, lanes); });
}

HWY_INLINE Vf clamp_vector(Vf v, Vf lo, Vf hi) {
  return hn::IfThenElse(hn::Lt(v, lo), lo, hn::IfThenElse(hn::Gt(v, hi), hi, v));
}

void unary_tile(const UnaryArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const float* x = a.x + begin;
  float* y = a.y + begin;
  const int64_t n = end - begin;
  const Vf zero = hn::Zero(d);
  const Vf p0 = hn::Set(d, a.p0);
  const Vf p1 = hn::Set(d, a.p1);
  const PowPlan plan = plan_pow(a.p0);
  switch (a.op) {
    case UnaryOp::kNeg:
      return map(x, y, n, [](Vf v) HWY_ATTR { return hn::Neg(v); });
    case UnaryOp::kExp:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return Exp(d, v); });
    case UnaryOp::kLog:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return log_vector(d, v); });
    case UnaryOp::kSqrt:
      return map(x, y, n, [](Vf v) HWY_ATTR { return hn::Sqrt(v); });
    case UnaryOp::kAbs:
      return map(x, y, n, [](Vf v) HWY_ATTR { return hn::Abs(v); });
    case UnaryOp::kTanh:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return Tanh(d, v); });
    case UnaryOp::kSigmoid:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return Sigmoid(d, v); });
    case UnaryOp::kRelu:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return hn::IfThenElse(hn::Lt(v, zero), zero, v); });
    case UnaryOp::kLeakyRelu:
      return map(x, y, n,
                 [=](Vf v) HWY_ATTR { return hn::IfThenElse(hn::Gt(v, zero), v, hn::Mul(v, p0)); });
    case UnaryOp::kGelu:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return Gelu(d, v); });
    case UnaryOp::kGeluTanh:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return GeluTanh(d, v); });
    case UnaryOp::kSilu:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return Silu(d, v); });
    case UnaryOp::kPow:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return pow_vector(v, plan); });
    case UnaryOp::kClamp:
      return map(x, y, n, [=](Vf v) HWY_ATTR { return clamp_vector(v, p0, p1); });
  }
}

/// dx (+)= op(dy, saved).
template <class Op>
void map_grad(const UnaryGradArgs& a, int64_t begin, int64_t end, const Op& op) {
  const float* dy = a.dy + begin;
  const float* saved = a.saved == nullptr ? dy : a.saved + begin;
  float* dx = a.dx + begin;
  const bool accumulate = a.accumulate;
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    write(op(load(dy + i, lanes), load(saved + i, lanes)), dx + i, lanes, accumulate);
  });
}

HWY_INLINE Vf abs_grad(Vf g, Vf v) {
  const Vf zero = hn::Zero(Df());
  // At 0 the product is 0, at NaN it is NaN.
  const Vf below = hn::IfThenElse(hn::Lt(v, zero), hn::Neg(g), hn::Mul(g, v));
  return hn::IfThenElse(hn::Gt(v, zero), g, below);
}

HWY_INLINE Vf clamp_grad(Vf g, Vf v, Vf lo, Vf hi) {
  return hn::IfThenElseZero(hn::And(hn::Ge(v, lo), hn::Le(v, hi)), g);
}

void unary_grad_tile(const UnaryGradArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const Vf zero = hn::Zero(d);
  const Vf one = hn::Set(d, 1.0F);
  const Vf half = hn::Set(d, 0.5F);
  const Vf p0 = hn::Set(d, a.p0);
  const Vf p1 = hn::Set(d, a.p1);
  const PowPlan plan = plan_pow(a.p0 - 1.0F);
  const auto run = [&](const auto& op) HWY_ATTR { map_grad(a, begin, end, op); };
  switch (a.op) {
    case UnaryOp::kNeg:
      return run([](Vf g, Vf) HWY_ATTR { return hn::Neg(g); });
    case UnaryOp::kExp:
      return run([](Vf g, Vf y) HWY_ATTR { return hn::Mul(g, y); });
    case UnaryOp::kLog:
      return run([](Vf g, Vf v) HWY_ATTR { return hn::Div(g, v); });
    case UnaryOp::kSqrt:
      return run([=](Vf g, Vf y) HWY_ATTR { return hn::Div(hn::Mul(g, half), y); });
    case UnaryOp::kAbs:
      return run([](Vf g, Vf v) HWY_ATTR { return abs_grad(g, v); });
    case UnaryOp::kTanh:
      return run([=](Vf g, Vf y) HWY_ATTR { return hn::Mul(g, hn::NegMulAdd(y, y, one)); });
    case UnaryOp::kSigmoid:
      return run([=](Vf g, Vf y) HWY_ATTR { return hn::Mul(g, hn::Mul(y, hn::Sub(one, y))); });
    case UnaryOp::kRelu:
      return run([=](Vf g, Vf y) HWY_ATTR { return hn::IfThenElse(hn::Le(y, zero), zero, g); });
    case UnaryOp::kLeakyRelu:
      return run([=](Vf g, Vf v)
                     HWY_ATTR { return hn::IfThenElse(hn::Gt(v, zero), g, hn::Mul(g, p0)); });
    case UnaryOp::kGelu:
      return run([=](Vf g, Vf v) HWY_ATTR { return hn::Mul(g, GeluGrad(d, v)); });
    case UnaryOp::kGeluTanh:
      return run([=](Vf g, Vf v) HWY_ATTR { return hn::Mul(g, GeluTanhGrad(d, v)); });
    case UnaryOp::kSilu:
      return run([=](Vf g, Vf v) HWY_ATTR { return hn::Mul(g, SiluGrad(d, v)); });
    case UnaryOp::kPow:
      if (a.p0 == 0.0F) return run([=](Vf, Vf) HWY_ATTR { return zero; });
      return run([=](Vf g, Vf v) HWY_ATTR { return hn::Mul(g, hn::Mul(p0, pow_vector(v, plan))); });
    case UnaryOp::kClamp:
      return run([=](Vf g, Vf v) HWY_ATTR { return clamp_grad(g, v, p0, p1); });
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(unary_tile);
HWY_EXPORT(unary_grad_tile);

void unary(const UnaryArgs& args, Team& team) {
  flat_tiles(team, args.n, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(unary_tile)(args, begin, end);
  });
}

void unary_grad(const UnaryGradArgs& args, Team& team) {
  flat_tiles(team, args.n, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(unary_grad_tile)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
