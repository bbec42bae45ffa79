// SPDX-License-Identifier: Apache-2.0
// SGD, Adam and AdamW: one pass over parameters, gradients and moments. Scalars that depend on the
// step are worked out in double once per call. See optimizer.h for the contract; norms and checks
// are in optimizer_stats.cpp, the other rules in adaptive.cpp.
#include "kernels/optimizer.h"

#include <cmath>

#include "kernels/cpu/optimizer_span.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimizer.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/optimizer-inl.h"
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_OPTIMIZER_PLAN_
#define INGOT_KERNELS_CPU_OPTIMIZER_PLAN_
namespace ingot::kernels {
namespace {

struct AdamPlan {
  float beta1_rest;  // 1 - beta1
  float beta2;
  float beta2_rest;
  float step_size;     // lr / (1 - beta1^step)
  float inverse_root;  // 1 / sqrt(1 - beta2^step)
  float eps;
  float keep;   // 1 - lr weight_decay when decoupled, else 1
  float decay;  // weight_decay when coupled, else 0
  float grad_scale;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

void sgd_span(const SgdArgs& a, const Span& span) {
  const Df d;
  float* param = a.param + span.at;
  float* buffer = a.momentum_buffer == nullptr ? nullptr : a.momentum_buffer + span.at;
  const Vf scale = hn::Set(d, a.grad_scale == nullptr ? 1.0F : *a.grad_scale);
  const Vf decay = hn::Set(d, a.weight_decay);
  const Vf momentum = hn::Set(d, a.momentum);
  const Vf lr = hn::Set(d, *a.lr);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf p = load(static_cast<const float*>(param) + i, lanes);
    Vf g = hn::MulAdd(decay, p, gradient(span.grad, i, lanes, scale));
    if (buffer != nullptr) {
      const Vf b = hn::MulAdd(momentum, load(static_cast<const float*>(buffer) + i, lanes), g);
      store(b, buffer + i, lanes);
      g = a.nesterov ? hn::MulAdd(momentum, b, g) : b;
    }
    store(hn::NegMulAdd(lr, g, p), param + i, lanes);
  });
}

void adam_span(const AdamArgs& a, const AdamPlan& plan, const Span& span) {
  const Df d;
  float* param = a.param + span.at;
  float* first = a.m + span.at;
  float* second = a.v + span.at;
  const Vf scale = hn::Set(d, plan.grad_scale);
  const Vf keep_share = hn::Set(d, plan.keep);
  const Vf decay = hn::Set(d, plan.decay);
  const Vf beta1_rest = hn::Set(d, plan.beta1_rest);
  const Vf beta2 = hn::Set(d, plan.beta2);
  const Vf beta2_rest = hn::Set(d, plan.beta2_rest);
  const Vf step_size = hn::Set(d, plan.step_size);
  const Vf inverse_root = hn::Set(d, plan.inverse_root);
  const Vf eps = hn::Set(d, plan.eps);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf before = load(static_cast<const float*>(param) + i, lanes);
    const Vf g = hn::MulAdd(decay, before, gradient(span.grad, i, lanes, scale));
    const Vf old_m = load(static_cast<const float*>(first) + i, lanes);
    const Vf m = hn::MulAdd(beta1_rest, hn::Sub(g, old_m), old_m);
    const Vf old_v = load(static_cast<const float*>(second) + i, lanes);
    const Vf v = hn::MulAdd(hn::Mul(g, g), beta2_rest, hn::Mul(old_v, beta2));
    store(m, first + i, lanes);
    store(v, second + i, lanes);
    const Vf denominator = hn::MulAdd(hn::Sqrt(v), inverse_root, eps);
    const Vf p = hn::Mul(before, keep_share);
    store(hn::NegMulAdd(step_size, hn::Div(m, denominator), p), param + i, lanes);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(sgd_span);
HWY_EXPORT(adam_span);

namespace {

AdamPlan plan_adam(const AdamArgs& a) {
  const double lr = static_cast<double>(*a.lr);
  const auto step = static_cast<double>(*a.step);
  const double c1 = a.bias_correction ? 1.0 - std::pow(a.beta1, step) : 1.0;
  const double c2 = a.bias_correction ? 1.0 - std::pow(a.beta2, step) : 1.0;
  AdamPlan plan{};
  plan.beta1_rest = static_cast<float>(1.0 - a.beta1);
  plan.beta2 = static_cast<float>(a.beta2);
  plan.beta2_rest = static_cast<float>(1.0 - a.beta2);
  plan.step_size = static_cast<float>(lr / c1);
  plan.inverse_root = static_cast<float>(1.0 / std::sqrt(c2));
  plan.eps = static_cast<float>(a.eps_hat ? a.eps / std::sqrt(c2) : a.eps);
  plan.keep = a.decoupled ? static_cast<float>(1.0 - lr * a.weight_decay) : 1.0F;
  plan.decay = a.decoupled ? 0.0F : static_cast<float>(a.weight_decay);
  plan.grad_scale = a.grad_scale == nullptr ? 1.0F : *a.grad_scale;
  return plan;
}

}  // namespace

void sgd(const SgdArgs& args, Team& team) {
  for_spans(args, team, [&](const Span& span) { HWY_DYNAMIC_DISPATCH(sgd_span)(args, span); });
}

void adam(const AdamArgs& args, Team& team) {
  const AdamPlan plan = plan_adam(args);
  for_spans(args, team, [&](const Span& span) {
    HWY_DYNAMIC_DISPATCH(adam_span)(args, plan, span);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
