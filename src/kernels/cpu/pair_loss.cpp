// SPDX-License-Identifier: Apache-2.0
// Losses between two arrays of one shape. A tile is cut into runs that share a row weight and lie
// within one period of pos_weight; without them a tile is one run. Sums go by blocks of fixed size
// in vector lanes, joined in double. See pair_loss.h for the contract.
#include "kernels/pair_loss.h"

#include <algorithm>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pair_loss.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_PAIR_LOSS_RUNS_
#define INGOT_KERNELS_CPU_PAIR_LOSS_RUNS_
namespace ingot::kernels {
namespace {

/// Elements [at, at + n) of one row weight; pos_weight is read from `pos` on.
struct Run {
  int64_t at;
  int64_t n;
  float weight;
  int64_t pos;
};

/// body(run) over [begin, end). With one column per row the weights are a vector of their own.
template <class Args, class Body>
void for_runs(const Args& a, int64_t begin, int64_t end, const Body& body) {
  const bool by_row = a.row_weight != nullptr && a.cols > 1;
  const bool by_period = a.pos_weight != nullptr && a.period > 1;
  for (int64_t at = begin; at < end;) {
    int64_t stop = end;
    if (by_row) stop = std::min(stop, (at / a.cols + 1) * a.cols);
    if (by_period) stop = std::min(stop, (at / a.period + 1) * a.period);
    body(Run{at, stop - at, by_row ? a.row_weight[at / a.cols] : 1.0F, at % a.period});
    at = stop;
  }
}

template <class Args>
bool has_weight_per_element(const Args& a) {
  return a.row_weight != nullptr && a.cols == 1;
}

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

HWY_INLINE Vf positive_part(Vf x) {
  const Vf zero = hn::Zero(Df());
  return hn::IfThenElse(hn::Lt(x, zero), zero, x);  // keeps NaN
}

/// -log(1 - p) and -log p of p = sigmoid(x).
struct LogPair {
  Vf of_no;
  Vf of_yes;
};
HWY_INLINE LogPair log_pair(Vf x) {
  const Df d;
  const Vf tail = log1p_unit(Exp(d, hn::Neg(hn::Abs(x))));
  return {hn::Add(positive_part(x), tail), hn::Add(positive_part(hn::Neg(x)), tail)};
}

/// The factors of t = 1 and t = 0 in the focal loss: t a and (1 - t) (1 - a).
HWY_INLINE LogPair focal_shares(const PairRule& rule, Vf t) {
  const Df d;
  const Vf rest = hn::Sub(hn::Set(d, 1.0F), t);
  if (rule.second < 0.0F) return {rest, t};
  return {hn::Mul(rest, hn::Set(d, 1.0F - rule.second)), hn::Mul(t, hn::Set(d, rule.second))};
}

HWY_INLINE Vf focal_value(const PairRule& rule, Vf x, Vf t) {
  const Df d;
  const LogPair logs = log_pair(x), shares = focal_shares(rule, t);
  const Vf g = hn::Set(d, -rule.first);
  const Vf yes = hn::Mul(hn::Mul(shares.of_yes, logs.of_yes), Exp(d, hn::Mul(g, logs.of_no)));
  const Vf no = hn::Mul(hn::Mul(shares.of_no, logs.of_no), Exp(d, hn::Mul(g, logs.of_yes)));
  return hn::Add(yes, no);
}

HWY_INLINE Vf focal_slope(const PairRule& rule, Vf x, Vf t) {
  const Df d;
  const LogPair logs = log_pair(x), shares = focal_shares(rule, t);
  const Vf g = hn::Set(d, rule.first);
  const Vf p = Sigmoid(d, x), q = Sigmoid(d, hn::Neg(x));
  const Vf yes = hn::MulAdd(hn::Mul(g, p), logs.of_yes, q);
  const Vf no = hn::MulAdd(hn::Mul(g, q), logs.of_no, p);
  const Vf fade_yes = Exp(d, hn::Neg(hn::Mul(g, logs.of_no)));
  const Vf fade_no = Exp(d, hn::Neg(hn::Mul(g, logs.of_yes)));
  return hn::Sub(hn::Mul(hn::Mul(shares.of_no, fade_no), no),
                 hn::Mul(hn::Mul(shares.of_yes, fade_yes), yes));
}

HWY_INLINE Vf huber_value(float delta, Vf difference) {
  const Df d;
  const Vf size = hn::Abs(difference), limit = hn::Set(d, delta), half = hn::Set(d, 0.5F);
  const Vf inner = hn::Mul(hn::Mul(half, size), size);
  const Vf outer = hn::Mul(limit, hn::Sub(size, hn::Mul(half, limit)));
  return hn::IfThenElse(hn::Le(size, limit), inner, outer);
}

HWY_INLINE Vf huber_slope(float delta, Vf difference) {
  const Vf high = hn::Set(Df(), delta), low = hn::Neg(high);
  const Vf capped = hn::IfThenElse(hn::Gt(difference, high), high, difference);
  return hn::IfThenElse(hn::Lt(capped, low), low, capped);
}

HWY_INLINE Vf bce_value(Vf x, Vf t) {
  const Vf tail = log1p_unit(Exp(Df(), hn::Neg(hn::Abs(x))));
  return hn::Add(hn::NegMulAdd(x, t, positive_part(x)), tail);
}

/// 1 + (w - 1) t: the weight of -log p.
HWY_INLINE Vf yes_weight(Vf w, Vf t) {
  const Vf one = hn::Set(Df(), 1.0F);
  return hn::MulAdd(hn::Sub(w, one), t, one);
}

HWY_INLINE Vf hinge_value(const PairRule& rule, Vf x, Vf t) {
  const Vf gap = positive_part(hn::NegMulAdd(t, x, hn::Set(Df(), rule.first)));
  return rule.second == 2.0F ? hn::Mul(gap, gap) : gap;
}

HWY_INLINE Vf hinge_slope(const PairRule& rule, Vf x, Vf t) {
  const Vf zero = hn::Zero(Df());
  const Vf gap = positive_part(hn::NegMulAdd(t, x, hn::Set(Df(), rule.first)));
  const Vf step = rule.second == 2.0F ? hn::Add(gap, gap) : hn::Div(gap, gap);  // NaN stays NaN
  return hn::IfThenElse(hn::Eq(gap, zero), zero, hn::Neg(hn::Mul(t, step)));
}

HWY_INLINE Vf pair_value(const PairRule& rule, Vf x, Vf t) {
  const Df d;
  const Vf difference = hn::Sub(x, t), zero = hn::Zero(d);
  switch (rule.loss) {
    case PairLoss::kMse:
      return hn::Mul(difference, difference);
    case PairLoss::kBceWithLogits:
      return bce_value(x, t);
    case PairLoss::kMae:
      return hn::Abs(difference);
    case PairLoss::kHuber:
      return huber_value(rule.first, difference);
    case PairLoss::kFocal:
      return focal_value(rule, x, t);
    case PairLoss::kKl:
      return hn::IfThenElse(hn::Eq(t, zero), zero, hn::Mul(t, hn::Sub(log_vector(d, t), x)));
    case PairLoss::kHinge:
      return hinge_value(rule, x, t);
  }
  return zero;
}

HWY_INLINE Vf pair_slope(const PairRule& rule, Vf x, Vf t) {
  const Df d;
  const Vf difference = hn::Sub(x, t), zero = hn::Zero(d);
  switch (rule.loss) {
    case PairLoss::kMse:
      return hn::Add(difference, difference);
    case PairLoss::kBceWithLogits:
      return hn::Sub(Sigmoid(d, x), t);
    case PairLoss::kMae:  // NaN stays NaN
      return hn::IfThenElse(hn::Eq(difference, zero), zero,
                            hn::Div(difference, hn::Abs(difference)));
    case PairLoss::kHuber:
      return huber_slope(rule.first, difference);
    case PairLoss::kFocal:
      return focal_slope(rule, x, t);
    case PairLoss::kKl:
      return hn::Neg(t);
    case PairLoss::kHinge:
      return hinge_slope(rule, x, t);
  }
  return zero;
}

/// Stands for any loss, with weights: decided element by element.
constexpr int kAny = -1;

/// What an element's value and slope need beside x and t. With a loss of its own there are no
/// weights and the compiler sees which formula it is.
template <int kLoss, class Args>
struct Element {
  const Args& a;
  const Run& run;

  HWY_INLINE PairRule rule() const {
    PairRule fixed = a.rule;
    if constexpr (kLoss != kAny) fixed.loss = static_cast<PairLoss>(kLoss);
    return fixed;
  }
  template <class Lanes>
  HWY_INLINE Vf pos_weight(int64_t i, Lanes lanes) const {
    if (a.period == 1) return hn::Set(Df(), a.pos_weight[0]);
    return load(a.pos_weight + run.pos + i, lanes);
  }
  template <class Lanes>
  HWY_INLINE Vf value(int64_t i, Lanes lanes) const {
    const Vf x = load(a.x + run.at + i, lanes), t = load(a.target + run.at + i, lanes);
    if (kLoss != kAny || a.pos_weight == nullptr) return pair_value(rule(), x, t);
    const Vf rest = hn::Sub(hn::Set(Df(), 1.0F), t);
    return hn::MulAdd(rest, x, hn::Mul(yes_weight(pos_weight(i, lanes), t), log_pair(x).of_yes));
  }
  template <class Lanes>
  HWY_INLINE Vf slope(int64_t i, Lanes lanes) const {
    const Vf x = load(a.x + run.at + i, lanes), t = load(a.target + run.at + i, lanes);
    if (kLoss != kAny || a.pos_weight == nullptr) return pair_slope(rule(), x, t);
    const Vf rest = hn::Sub(hn::Set(Df(), 1.0F), t);
    return hn::NegMulAdd(yes_weight(pos_weight(i, lanes), t), Sigmoid(Df(), hn::Neg(x)), rest);
  }
  /// v times the element's weight, 0 where that is 0.
  template <class Lanes>
  HWY_INLINE Vf weighted(Vf v, int64_t i, Lanes lanes) const {
    if (kLoss != kAny || !has_weight_per_element(a)) return v;
    const Vf w = load(a.row_weight + run.at + i, lanes);
    const Vf zero = hn::Zero(Df());
    return hn::IfThenElse(hn::Eq(w, zero), zero, hn::Mul(w, v));
  }
};

template <int kLoss>
double sum_of(const PairLossArgs& a, int64_t begin, int64_t end) {
  double total = 0.0;
  for_runs(a, begin, end, [&](const Run& run) HWY_ATTR {
    if (run.weight == 0.0F) return;
    const Element<kLoss, PairLossArgs> element{a, run};
    const Vf sums = sum_vectors(run.n, [&](int64_t i, auto lanes) HWY_ATTR {
      return keep(element.weighted(element.value(i, lanes), i, lanes), lanes);
    });
    total += static_cast<double>(run.weight) * sum_lanes_double(sums);
  });
  return total;
}

template <int kLoss>
void grad_of(const PairLossGradArgs& a, int64_t begin, int64_t end) {
  const bool each = a.reduction == LossReduction::kNone;
  float factor = each ? 1.0F : *a.upstream;
  if (a.reduction == LossReduction::kMean) factor /= static_cast<float>(a.n);
  for_runs(a, begin, end, [&](const Run& run) HWY_ATTR {
    const Element<kLoss, PairLossGradArgs> element{a, run};
    const Vf f = hn::Set(Df(), factor * run.weight);
    for_vectors(run.n, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf scale = each ? hn::Mul(f, load(a.upstream + run.at + i, lanes)) : f;
      const Vf g = element.weighted(element.slope(i, lanes), i, lanes);
      const Vf out = run.weight == 0.0F ? hn::Zero(Df()) : hn::Mul(g, scale);
      write(out, a.dx + run.at + i, lanes, a.accumulate);
    });
  });
}

template <class Args>
bool is_weighted(const Args& a) {
  return a.row_weight != nullptr || a.pos_weight != nullptr;
}

double pair_loss_sum(const PairLossArgs& a, int64_t begin, int64_t end) {
  if (is_weighted(a)) return sum_of<kAny>(a, begin, end);
  switch (a.rule.loss) {
    case PairLoss::kMse:
      return sum_of<static_cast<int>(PairLoss::kMse)>(a, begin, end);
    case PairLoss::kBceWithLogits:
      return sum_of<static_cast<int>(PairLoss::kBceWithLogits)>(a, begin, end);
    case PairLoss::kHuber:
      return sum_of<static_cast<int>(PairLoss::kHuber)>(a, begin, end);
    default:
      return sum_of<kAny>(a, begin, end);
  }
}

void pair_loss_each(const PairLossArgs& a, int64_t begin, int64_t end) {
  for_runs(a, begin, end, [&](const Run& run) HWY_ATTR {
    const Element<kAny, PairLossArgs> element{a, run};
    const Vf weight = hn::Set(Df(), run.weight);
    for_vectors(run.n, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf v = element.weighted(element.value(i, lanes), i, lanes);
      const Vf out = run.weight == 0.0F ? hn::Zero(Df()) : hn::Mul(v, weight);
      store(out, a.out + run.at + i, lanes);
    });
  });
}

void pair_loss_grad_tile(const PairLossGradArgs& a, int64_t begin, int64_t end) {
  if (is_weighted(a)) return grad_of<kAny>(a, begin, end);
  switch (a.rule.loss) {
    case PairLoss::kMse:
      return grad_of<static_cast<int>(PairLoss::kMse)>(a, begin, end);
    case PairLoss::kBceWithLogits:
      return grad_of<static_cast<int>(PairLoss::kBceWithLogits)>(a, begin, end);
    case PairLoss::kHuber:
      return grad_of<static_cast<int>(PairLoss::kHuber)>(a, begin, end);
    default:
      return grad_of<kAny>(a, begin, end);
  }
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

int64_t pair_loss_scratch_bytes(int64_t n) {
  return std::max<int64_t>(1, ceil_div(n, kBlock)) * static_cast<int64_t>(sizeof(double));
}

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
