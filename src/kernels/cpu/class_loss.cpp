// SPDX-License-Identifier: Apache-2.0
// Focal factors in double lanes, and margins of rows: the classes before and after the target are
// walked apart, so that the target's own term is never formed. See class_loss.h for the contract.
#include "kernels/class_loss.h"

#include <algorithm>

#include "kernels/cpu/target_at.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/class_loss.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// Loss and factor of up to a vector of rows whose -log p are `nll`, without alpha and weight.
/// 1 - e^-nll keeps nine digits even where p rounds to 1 in float32.
HWY_INLINE void focal_lanes(double gamma, Vd nll, Vd& loss, Vd& factor) {
  const Dd d;
  const Vd one = hn::Set(d, 1.0), zero = hn::Zero(d), far = hn::Set(d, 200.0);
  const Vd p = exp_double(hn::Neg(hn::IfThenElse(hn::Gt(nll, far), far, nll)));
  const Vd u = hn::Sub(one, p);
  const Vd fade = gamma == 0.0 ? one : pow_double(u, gamma, false, false);
  const Vd safe = hn::IfThenElse(hn::Eq(u, zero), one, u);
  const Vd per_u = hn::IfThenElse(hn::Eq(u, zero), one, hn::Div(nll, safe));  // -> 1 as u -> 0
  loss = hn::Mul(fade, nll);
  factor = hn::Mul(fade, hn::MulAdd(hn::Mul(hn::Set(d, gamma), p), per_u, one));
}

void focal_tile(const FocalRowsArgs& a, int64_t begin, int64_t end) {
  const Dd d;
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN double nll[HWY_MAX_BYTES / sizeof(double)] = {};
  HWY_ALIGN double loss[HWY_MAX_BYTES / sizeof(double)];
  HWY_ALIGN double factor[HWY_MAX_BYTES / sizeof(double)];
  for (int64_t at = begin; at < end; at += width) {
    const int64_t n = std::min(width, end - at);
    for (int64_t i = 0; i < n; ++i) nll[i] = static_cast<double>(a.row_nll[at + i]);
    Vd loss_lanes, factor_lanes;
    focal_lanes(a.gamma, hn::Load(d, nll), loss_lanes, factor_lanes);
    hn::Store(loss_lanes, d, loss);
    hn::Store(factor_lanes, d, factor);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t r = at + i, target = target_at(a.targets, a.target_type, r);
      const bool ignored = target == a.ignore_index;
      const double alpha = ignored              ? 0.0
                           : a.alpha == nullptr ? 1.0
                                                : static_cast<double>(a.alpha[target]);
      const double weight = a.row_weight == nullptr ? 1.0 : static_cast<double>(a.row_weight[r]);
      const bool counts = !ignored && weight != 0.0;
      if (a.row_loss != nullptr)
        a.row_loss[r] = ignored ? 0.0F : static_cast<float>(alpha * loss[i]);
      if (a.row_factor != nullptr) {
        a.row_factor[r] = counts ? static_cast<float>(weight * alpha * factor[i]) : 0.0F;
      }
    }
  }
}

/// max(0, margin - x_t + x_j); NaN stays NaN.
HWY_INLINE Vf gap_of(Vf x, Vf offset) {
  const Vf gap = hn::Add(x, offset), zero = hn::Zero(Df());
  return hn::IfThenElse(hn::Lt(gap, zero), zero, gap);
}

/// Sum over n classes from x on.
float gap_sum(const float* x, int64_t n, float offset, int32_t power) {
  const Vf shift = hn::Set(Df(), offset);
  return sum_lanes(sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf gap = gap_of(load(x + i, lanes), shift);
    return keep(power == 2 ? hn::Mul(gap, gap) : gap, lanes);
  }));
}

void margin_tile(const MarginArgs& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t target = target_at(a.targets, a.target_type, r);
    a.row_loss[r] = 0.0F;
    if (target == a.ignore_index) continue;
    const float* x = a.logits + r * a.classes;
    const float offset = a.margin - x[target];
    const float sum = gap_sum(x, target, offset, a.power) +
                      gap_sum(x + target + 1, a.classes - target - 1, offset, a.power);
    const float weight = a.class_weight == nullptr ? 1.0F : a.class_weight[target];
    a.row_loss[r] = weight * (sum / static_cast<float>(a.classes));
  }
}

/// Writes the gradient of n classes from x on; returns its sum.
float gap_grad(const MarginGradArgs& a, const float* x, float* dx, int64_t n, float offset,
               float factor) {
  const Df d;
  const Vf shift = hn::Set(d, offset), zero = hn::Zero(d);
  const Vf f = hn::Set(d, a.power == 2 ? 2.0F * factor : factor);
  return sum_lanes(sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf gap = gap_of(load(x + i, lanes), shift);
    const Vf step = a.power == 2 ? gap : hn::Div(gap, gap);  // 1, and NaN stays NaN
    const Vf g = hn::IfThenElse(hn::Eq(gap, zero), zero, hn::Mul(step, f));
    write(g, dx + i, lanes, a.accumulate);
    return keep(g, lanes);
  }));
}

void margin_grad_tile(const MarginGradArgs& a, int64_t begin, int64_t end) {
  const float scale = a.scale == nullptr ? 1.0F : *a.scale;
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.logits + r * a.classes;
    float* dx = a.dlogits + r * a.classes;
    const int64_t target = target_at(a.targets, a.target_type, r);
    const float row = a.row_scale == nullptr ? 1.0F : a.row_scale[r];
    if (target == a.ignore_index || row == 0.0F) {
      if (!a.accumulate) std::fill_n(dx, a.classes, 0.0F);
      continue;
    }
    const float weight = a.class_weight == nullptr ? 1.0F : a.class_weight[target];
    const float factor = scale * row * weight / static_cast<float>(a.classes);
    const float offset = a.margin - x[target];
    const float others =
        gap_grad(a, x, dx, target, offset, factor) +
        gap_grad(a, x + target + 1, dx + target + 1, a.classes - target - 1, offset, factor);
    dx[target] = (a.accumulate ? dx[target] : 0.0F) - others;
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(focal_tile);
HWY_EXPORT(margin_tile);
HWY_EXPORT(margin_grad_tile);

namespace {

constexpr double kFocalCost = 20.0;  // nanoseconds per row: two exponentials in double

}  // namespace

void focal_rows(const FocalRowsArgs& args, Team& team) {
  flat_tiles(team, args.rows, kFocalCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(focal_tile)(args, begin, end);
  });
}

void margin_rows(const MarginArgs& args, Team& team) {
  row_tiles(team, args.rows, args.classes, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(margin_tile)(args, begin, end);
  });
}

void margin_rows_grad(const MarginGradArgs& args, Team& team) {
  row_tiles(team, args.rows, args.classes, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(margin_grad_tile)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
