// SPDX-License-Identifier: Apache-2.0
// Averages, look-ahead and penalties. Each call first decides from the step whether and how far to
// move; a first value is copied, so that it has the weights' bytes. See weight_passes.h.
#include "kernels/weight_passes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/weight_passes.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// to += share (from - to).
void approach_tile(float* to, const float* from, float share, int64_t begin, int64_t end) {
  const Vf f = hn::Set(Df(), share);
  const float* old_to = to;
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf old = load(old_to + begin + i, lanes);
    const Vf moved = hn::MulAdd(f, hn::Sub(load(from + begin + i, lanes), old), old);
    store(moved, to + begin + i, lanes);
  });
}

void penalty_tile(const PenaltyArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const Vf l1 = hn::Set(d, a.l1), twice_l2 = hn::Set(d, 2.0F * a.l2), zero = hn::Zero(d);
  const float* old = a.grad;
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const int64_t at = begin + i;
    const Vf p = load(a.param + at, lanes);
    const Vf sign = hn::IfThenElse(hn::Eq(p, zero), zero, hn::Div(p, hn::Abs(p)));
    const Vf g = hn::MulAdd(twice_l2, p, load(old + at, lanes));
    store(hn::MulAdd(l1, sign, g), a.grad + at, lanes);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(approach_tile);
HWY_EXPORT(penalty_tile);

namespace {

void copy(float* to, const float* from, int64_t n, Team& team) {
  flat_tiles(team, n, kStreamCost, [&](int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin) * sizeof(float));
  });
}

void approach(float* to, const float* from, float share, int64_t n, Team& team) {
  flat_tiles(team, n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(approach_tile)(to, from, share, begin, end);
  });
}

}  // namespace

void average_weights(const AverageArgs& a, Team& team) {
  const int64_t past = *a.step - a.start;
  if (a.kind == AverageKind::kNone) return;
  if (past <= 0) {
    copy(a.average, a.param, a.n, team);
    return;
  }
  const auto t = static_cast<double>(past);
  double share = 1.0 - a.decay;
  if (a.warm_up) share = 1.0 - std::min(a.decay, (1.0 + t) / (10.0 + t));
  if (a.kind == AverageKind::kSwa) {
    if (past % a.every != 0) return;
    share = 1.0 / (1.0 + static_cast<double>(past / a.every));
  }
  approach(a.average, a.param, static_cast<float>(share), a.n, team);
}

void lookahead(const LookaheadArgs& a, Team& team) {
  if (a.is_before) {
    if (*a.step == 1) copy(a.slow, a.param, a.n, team);
    return;
  }
  if (*a.step % a.every != 0) return;
  double share = a.alpha;
  if (a.ramp > 0.0 && *a.total > 0) {
    const double done = static_cast<double>(*a.step) / static_cast<double>(*a.total);
    share = 1.0 - (1.0 - a.alpha) * std::pow(std::min(done, 1.0), a.ramp);
  }
  approach(a.slow, a.param, static_cast<float>(share), a.n, team);
  copy(a.param, a.slow, a.n, team);
}

void penalty(const PenaltyArgs& args, Team& team) {
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(penalty_tile)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
