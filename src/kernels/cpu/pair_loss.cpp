// SPDX-License-Identifier: Apache-2.0
// Losses between two arrays of one shape: mean squared error, and binary cross entropy on logits.
// Sums go by blocks of fixed size in vector lanes, joined in double. See loss.h for the contract.
#include <algorithm>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pair_loss.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

HWY_INLINE Vf pair_value(PairLoss loss, Vf x, Vf t) {
  const Df d;
  if (loss == PairLoss::kMse) {
    const Vf difference = hn::Sub(x, t);
    return hn::Mul(difference, difference);
  }
  const Vf zero = hn::Zero(d);
  const Vf positive = hn::IfThenElse(hn::Lt(x, zero), zero, x);
  const Vf tail = log1p_unit(Exp(d, hn::Neg(hn::Abs(x))));
  return hn::Add(hn::NegMulAdd(x, t, positive), tail);
}

double pair_loss_sum(const PairLossArgs& a, int64_t begin, int64_t end) {
  const Vf sums = sum_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const int64_t at = begin + i;
    return keep(pair_value(a.loss, load(a.x + at, lanes), load(a.target + at, lanes)), lanes);
  });
  return sum_lanes_double(sums);
}

void pair_loss_each(const PairLossArgs& a, int64_t begin, int64_t end) {
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const int64_t at = begin + i;
    store(pair_value(a.loss, load(a.x + at, lanes), load(a.target + at, lanes)), a.out + at, lanes);
  });
}

void pair_loss_grad_tile(const PairLossGradArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const bool each = a.reduction == LossReduction::kNone;
  float factor = each ? 1.0F : *a.upstream;
  if (a.reduction == LossReduction::kMean) factor /= static_cast<float>(a.n);
  const Vf f = hn::Set(d, factor);
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
    const int64_t at = begin + i;
    const Vf x = load(a.x + at, lanes);
    const Vf t = load(a.target + at, lanes);
    Vf g = hn::Sub(a.loss == PairLoss::kMse ? x : Sigmoid(d, x), t);
    if (a.loss == PairLoss::kMse) g = hn::Add(g, g);
    const Vf scale = each ? load(a.upstream + at, lanes) : f;
    write(hn::Mul(g, scale), a.dx + at, lanes, a.accumulate);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(pair_loss_sum);
HWY_EXPORT(pair_loss_each);
HWY_EXPORT(pair_loss_grad_tile);

namespace {

constexpr int64_t kBlock = 4096;  // elements whose sum is one partial

}  // namespace

void pair_loss(const PairLossArgs& args, Team& team) {
  if (args.reduction == LossReduction::kNone) {
    flat_tiles(team, args.n, kMathCost, [&](int64_t begin, int64_t end) {
      HWY_DYNAMIC_DISPATCH(pair_loss_each)(args, begin, end);
    });
    return;
  }
  auto* sums = static_cast<double*>(args.scratch);
  const int64_t blocks = ceil_div(args.n, kBlock);
  team.tiles(blocks, is_serial(args.n, kMathCost), [&](int64_t b) {
    sums[b] =
        HWY_DYNAMIC_DISPATCH(pair_loss_sum)(args, b * kBlock, std::min(args.n, (b + 1) * kBlock));
  });
  double total = 0.0;
  for (int64_t b = 0; b < blocks; ++b) total += sums[b];
  if (args.reduction == LossReduction::kMean) total /= static_cast<double>(args.n);
  *args.out = static_cast<float>(total);
}

void pair_loss_grad(const PairLossGradArgs& args, Team& team) {
  flat_tiles(team, args.n, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(pair_loss_grad_tile)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
