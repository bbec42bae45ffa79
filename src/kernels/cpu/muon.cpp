// SPDX-License-Identifier: Apache-2.0
// The elementwise parts of Muon. See muon.h for the contract.
#include "kernels/muon.h"

#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/muon.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

void momentum_tile(const MuonMomentumArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const Vf scale = hn::Set(d, a.grad_scale == nullptr ? 1.0F : *a.grad_scale);
  const Vf momentum = hn::Set(d, a.momentum), rest = hn::Set(d, 1.0F - a.momentum);
  const float* old = a.momentum_buffer;
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const int64_t at = begin + i;
    const Vf g = hn::Mul(hn::Mul(load(a.grad + at, lanes), scale), rest);
    const Vf buffer = hn::MulAdd(momentum, load(old + at, lanes), g);
    store(buffer, a.momentum_buffer + at, lanes);
    store(a.nesterov ? hn::MulAdd(momentum, buffer, g) : buffer, a.out + at, lanes);
  });
}

void scale_tile(float* x, float factor, int64_t begin, int64_t end) {
  const Vf f = hn::Set(Df(), factor);
  const float* from = x;
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    store(hn::Mul(load(from + begin + i, lanes), f), x + begin + i, lanes);
  });
}

/// dst = alpha x + beta dst.
void blend_tile(const BlendArgs& a, int64_t begin, int64_t end) {
  const Vf alpha = hn::Set(Df(), a.alpha), beta = hn::Set(Df(), a.beta);
  const float* old = a.dst;
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const int64_t at = begin + i;
    const Vf kept = hn::Mul(beta, load(old + at, lanes));
    store(hn::MulAdd(alpha, load(a.x + at, lanes), kept), a.dst + at, lanes);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(momentum_tile);
HWY_EXPORT(scale_tile);
HWY_EXPORT(blend_tile);

void muon_momentum(const MuonMomentumArgs& args, Team& team) {
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(momentum_tile)(args, begin, end);
  });
}

void muon_normalize(const MuonNormalizeArgs& args, Team& team) {
  const double norm = std::sqrt(*args.sum_squares);
  const auto factor = static_cast<float>(1.0 / (norm < args.eps ? args.eps : norm));
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(scale_tile)(args.x, factor, begin, end);
  });
}

void blend(const BlendArgs& args, Team& team) {
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(blend_tile)(args, begin, end);
  });
}

void muon_apply(const MuonApplyArgs& args, Team& team) {
  const double lr = static_cast<double>(*args.lr);
  BlendArgs step;
  step.x = args.direction;
  step.dst = args.param;
  step.n = args.n;
  step.alpha = static_cast<float>(-lr * args.scale);
  step.beta = static_cast<float>(1.0 - lr * args.weight_decay);
  blend(step, team);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
