// SPDX-License-Identifier: Apache-2.0
// RMSprop, Adagrad, Adadelta, NAdam and Lion: one pass over parameters, gradients and state.
// Scalars that depend on the step are worked out in double once per call. See adaptive.h for the
// contract.
#include "kernels/adaptive.h"

#include <cmath>

#include "kernels/cpu/optimizer_span.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/adaptive.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/optimizer-inl.h"
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_ADAPTIVE_PLAN_
#define INGOT_KERNELS_CPU_ADAPTIVE_PLAN_
namespace ingot::kernels {
namespace {

struct NadamPlan {
  float by_gradient;   // lr (1 - mu) / (1 - product)
  float by_momentum;   // lr mu_next / (1 - next product)
  float inverse_root;  // 1 / sqrt(1 - beta2^step)
};

inline float narrow(double x) { return static_cast<float>(x); }

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

template <class Args>
HWY_INLINE Vf scale_of(const Args& a) {
  return hn::Set(Df(), a.grad_scale == nullptr ? 1.0F : *a.grad_scale);
}

/// old and g mixed: weight old + rest g, with the two weights given.
HWY_INLINE Vf mix(Vf old, Vf weight, Vf g, Vf rest) {
  return hn::MulAdd(g, rest, hn::Mul(old, weight));
}

template <class Lanes>
HWY_INLINE Vf load_state(float* p, int64_t i, Lanes lanes) {
  return load(static_cast<const float*>(p) + i, lanes);
}

void rmsprop_span(const RmspropArgs& a, const Span& span) {
  const Df d;
  float* param = a.param + span.at;
  float* square = a.square + span.at;
  float* mean = a.mean == nullptr ? nullptr : a.mean + span.at;
  float* buffer = a.momentum_buffer == nullptr ? nullptr : a.momentum_buffer + span.at;
  const Vf scale = scale_of(a), decay = hn::Set(d, narrow(a.weight_decay));
  const Vf alpha = hn::Set(d, narrow(a.alpha)), rest = hn::Set(d, narrow(1.0 - a.alpha));
  const Vf eps = hn::Set(d, narrow(a.eps)), lr = hn::Set(d, *a.lr);
  const Vf momentum = hn::Set(d, narrow(a.momentum)), zero = hn::Zero(d);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf p = load_state(param, i, lanes);
    const Vf g = hn::MulAdd(decay, p, gradient(span.grad, i, lanes, scale));
    Vf v = mix(load_state(square, i, lanes), alpha, hn::Mul(g, g), rest);
    store(v, square + i, lanes);
    if (mean != nullptr) {
      const Vf m = mix(load_state(mean, i, lanes), alpha, g, rest);
      store(m, mean + i, lanes);
      v = hn::NegMulAdd(m, m, v);
      v = hn::IfThenElse(hn::Lt(v, zero), zero, v);  // rounding; NaN stays
    }
    const Vf denominator = a.eps_inside ? hn::Sqrt(hn::Add(v, eps)) : hn::Add(hn::Sqrt(v), eps);
    Vf step = hn::Div(g, denominator);
    if (buffer != nullptr) {
      step = hn::MulAdd(momentum, load_state(buffer, i, lanes), step);
      store(step, buffer + i, lanes);
    }
    store(hn::NegMulAdd(lr, step, p), param + i, lanes);
  });
}

void adagrad_span(const AdagradArgs& a, float rate, const Span& span) {
  const Df d;
  if (span.grad == nullptr && a.weight_decay == 0.0) return;  // nothing would change
  float* param = a.param + span.at;
  float* sum = a.sum + span.at;
  const Vf scale = scale_of(a), decay = hn::Set(d, narrow(a.weight_decay));
  const Vf eps = hn::Set(d, narrow(a.eps)), lr = hn::Set(d, rate);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf p = load_state(param, i, lanes);
    const Vf g = hn::MulAdd(decay, p, gradient(span.grad, i, lanes, scale));
    const Vf v = hn::MulAdd(g, g, load_state(sum, i, lanes));
    store(v, sum + i, lanes);
    const Vf step = hn::Div(g, hn::Add(hn::Sqrt(v), eps));
    store(hn::NegMulAdd(lr, step, p), param + i, lanes);
  });
}

void adadelta_span(const AdadeltaArgs& a, const Span& span) {
  const Df d;
  float* param = a.param + span.at;
  float* square = a.square + span.at;
  float* change = a.change + span.at;
  const Vf scale = scale_of(a), decay = hn::Set(d, narrow(a.weight_decay));
  const Vf rho = hn::Set(d, narrow(a.rho)), rest = hn::Set(d, narrow(1.0 - a.rho));
  const Vf eps = hn::Set(d, narrow(a.eps)), lr = hn::Set(d, *a.lr);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf p = load_state(param, i, lanes), u = load_state(change, i, lanes);
    const Vf g = hn::MulAdd(decay, p, gradient(span.grad, i, lanes, scale));
    const Vf v = mix(load_state(square, i, lanes), rho, hn::Mul(g, g), rest);
    const Vf ratio = hn::Div(hn::Sqrt(hn::Add(u, eps)), hn::Sqrt(hn::Add(v, eps)));
    const Vf step = hn::Mul(ratio, g);
    store(v, square + i, lanes);
    store(mix(u, rho, hn::Mul(step, step), rest), change + i, lanes);
    store(hn::NegMulAdd(lr, step, p), param + i, lanes);
  });
}

void nadam_span(const NadamArgs& a, const NadamPlan& plan, const Span& span) {
  const Df d;
  float* param = a.param + span.at;
  float* first = a.m + span.at;
  float* second = a.v + span.at;
  const double coupled = a.decoupled ? 0.0 : a.weight_decay;
  const double kept = a.decoupled ? 1.0 - static_cast<double>(*a.lr) * a.weight_decay : 1.0;
  const Vf scale = scale_of(a), decay = hn::Set(d, narrow(coupled));
  const Vf keep_share = hn::Set(d, narrow(kept)), eps = hn::Set(d, narrow(a.eps));
  const Vf beta1_rest = hn::Set(d, narrow(1.0 - a.beta1));
  const Vf beta2 = hn::Set(d, narrow(a.beta2)), beta2_rest = hn::Set(d, narrow(1.0 - a.beta2));
  const Vf by_gradient = hn::Set(d, plan.by_gradient), by_momentum = hn::Set(d, plan.by_momentum);
  const Vf inverse_root = hn::Set(d, plan.inverse_root);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf before = load_state(param, i, lanes);
    const Vf g = hn::MulAdd(decay, before, gradient(span.grad, i, lanes, scale));
    const Vf old_m = load_state(first, i, lanes);
    const Vf m = hn::MulAdd(beta1_rest, hn::Sub(g, old_m), old_m);
    const Vf v = mix(load_state(second, i, lanes), beta2, hn::Mul(g, g), beta2_rest);
    store(m, first + i, lanes);
    store(v, second + i, lanes);
    const Vf denominator = hn::MulAdd(hn::Sqrt(v), inverse_root, eps);
    const Vf direction = hn::MulAdd(by_gradient, g, hn::Mul(by_momentum, m));
    const Vf p = hn::Mul(before, keep_share);
    store(hn::Sub(p, hn::Div(direction, denominator)), param + i, lanes);
  });
}

void lion_span(const LionArgs& a, const Span& span) {
  const Df d;
  float* param = a.param + span.at;
  float* mean = a.m + span.at;
  const double kept = 1.0 - static_cast<double>(*a.lr) * a.weight_decay;
  const Vf scale = scale_of(a), keep_share = hn::Set(d, narrow(kept)), lr = hn::Set(d, *a.lr);
  const Vf beta1 = hn::Set(d, narrow(a.beta1)), beta1_rest = hn::Set(d, narrow(1.0 - a.beta1));
  const Vf beta2 = hn::Set(d, narrow(a.beta2)), beta2_rest = hn::Set(d, narrow(1.0 - a.beta2));
  const Vf zero = hn::Zero(d);
  for_vectors(span.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf g = gradient(span.grad, i, lanes, scale);
    const Vf m = load_state(mean, i, lanes);
    const Vf blend = mix(m, beta1, g, beta1_rest);
    // Zero has no sign, and NaN stays NaN.
    const Vf sign = hn::IfThenElse(hn::Eq(blend, zero), zero, hn::Div(blend, hn::Abs(blend)));
    store(mix(m, beta2, g, beta2_rest), mean + i, lanes);
    const Vf p = hn::Mul(load_state(param, i, lanes), keep_share);
    store(hn::NegMulAdd(lr, sign, p), param + i, lanes);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(rmsprop_span);
HWY_EXPORT(adagrad_span);
HWY_EXPORT(adadelta_span);
HWY_EXPORT(nadam_span);
HWY_EXPORT(lion_span);

namespace {

double nadam_mu(const NadamArgs& a, double step) {
  return a.beta1 * (1.0 - 0.5 * std::pow(0.96, step * a.momentum_decay));
}

NadamPlan plan_nadam(const NadamArgs& a) {
  const int64_t step = *a.step;
  const bool is_next = a.product[0] == static_cast<double>(step - 1) && step > 1;
  const bool is_same = a.product[0] == static_cast<double>(step);
  if (!is_same) {
    double product = is_next ? a.product[1] : 1.0;
    for (int64_t t = is_next ? step : 1; t <= step; ++t) {
      product *= nadam_mu(a, static_cast<double>(t));
    }
    a.product[0] = static_cast<double>(step);
    a.product[1] = product;
  }
  const auto t = static_cast<double>(step);
  const double lr = static_cast<double>(*a.lr), product = a.product[1];
  const double mu = nadam_mu(a, t), next = nadam_mu(a, t + 1.0);
  return {narrow(lr * (1.0 - mu) / (1.0 - product)), narrow(lr * next / (1.0 - product * next)),
          narrow(1.0 / std::sqrt(1.0 - std::pow(a.beta2, t)))};
}

}  // namespace

void rmsprop(const RmspropArgs& args, Team& team) {
  for_spans(args, team, [&](const Span& span) { HWY_DYNAMIC_DISPATCH(rmsprop_span)(args, span); });
}

void adagrad(const AdagradArgs& args, Team& team) {
  const double past = static_cast<double>(*args.step - 1);
  const float rate = narrow(static_cast<double>(*args.lr) / (1.0 + past * args.lr_decay));
  for_spans(args, team, [&](const Span& span) {
    HWY_DYNAMIC_DISPATCH(adagrad_span)(args, rate, span);
  });
}

void adadelta(const AdadeltaArgs& args, Team& team) {
  for_spans(args, team, [&](const Span& span) { HWY_DYNAMIC_DISPATCH(adadelta_span)(args, span); });
}

void nadam(const NadamArgs& args, Team& team) {
  const NadamPlan plan = plan_nadam(args);
  for_spans(args, team, [&](const Span& span) {
    HWY_DYNAMIC_DISPATCH(nadam_span)(args, plan, span);
  });
}

void lion(const LionArgs& args, Team& team) {
  for_spans(args, team, [&](const Span& span) { HWY_DYNAMIC_DISPATCH(lion_span)(args, span); });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
