// SPDX-License-Identifier: Apache-2.0
// Cross entropy by rows: maximum, then the sum of exponentials; the loss is assembled from
// differences to the maximum, so a large common offset costs no digits. See loss.h for the
// contract.
#include "kernels/loss.h"

#include <algorithm>
#include <limits>

#include "kernels/cpu/target_at.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/loss.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// The loss of a row with class weights: every term is w (lse - x), from differences to the
/// maximum.
float weighted_loss(const CrossEntropyArgs& a, const float* x, int64_t target, float top_value,
                    float log_sum) {
  const float s = a.label_smoothing;
  const float own = a.class_weight[target] * (log_sum - (x[target] - top_value));
  if (s == 0.0F) return own;
  const Vf top = hn::Set(Df(), top_value), all = hn::Set(Df(), log_sum);
  const Vf terms = sum_vectors(a.classes, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf loss = hn::Sub(all, hn::Sub(load(x + i, lanes), top));
    return hn::Mul(loss, load(a.class_weight + i, lanes));  // missing lanes have weight 0
  });
  return (1.0F - s) * own + s * (sum_lanes(terms) / static_cast<float>(a.classes));
}

void cross_entropy_rows(const CrossEntropyArgs& a, int64_t begin, int64_t end) {
  const Df d;
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.logits + r * a.classes;
    const int64_t target = target_at(a.targets, a.target_type, r);
    const bool ignored = target == a.ignore_index;
    if (ignored && a.row_loss != nullptr) a.row_loss[r] = 0.0F;
    if (ignored && a.lse == nullptr) continue;
    const float top_value = row_max(x, a.classes);
    const Vf top = hn::Set(d, top_value);
    const Vf sums = sum_vectors(a.classes, [&](int64_t i, auto lanes) HWY_ATTR {
      return keep(Exp(d, hn::Sub(load(x + i, lanes), top)), lanes);
    });
    const float log_sum = hn::GetLane(log_vector(d, hn::Set(d, sum_lanes(sums))));
    if (a.lse != nullptr) a.lse[r] = top_value + log_sum;
    if (ignored || a.row_loss == nullptr) continue;
    const float s = a.label_smoothing;
    if (a.class_weight != nullptr) {
      a.row_loss[r] = weighted_loss(a, x, target, top_value, log_sum);
      continue;
    }
    float loss = log_sum - (1.0F - s) * (x[target] - top_value);
    if (s != 0.0F) {
      const Vf offsets = sum_vectors(a.classes, [&](int64_t i, auto lanes) HWY_ATTR {
        return keep(hn::Sub(load(x + i, lanes), top), lanes);
      });
      loss -= s * (sum_lanes(offsets) / static_cast<float>(a.classes));
    }
    a.row_loss[r] = loss;
  }
}

float weight_sum(const CrossEntropyGradArgs& a) {
  return sum_lanes(sum_vectors(
      a.classes, [&](int64_t i, auto lanes) HWY_ATTR { return load(a.class_weight + i, lanes); }));
}

void cross_entropy_grad_rows(const CrossEntropyGradArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const float scale = a.scale == nullptr ? 1.0F : *a.scale;
  const float uniform = a.label_smoothing / static_cast<float>(a.classes);
  const float all_weights = a.class_weight == nullptr ? 0.0F : weight_sum(a);
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.logits + r * a.classes;
    float* dx = a.dlogits + r * a.classes;
    const int64_t target = target_at(a.targets, a.target_type, r);
    if (target == a.ignore_index || (a.row_scale != nullptr && a.row_scale[r] == 0.0F)) {
      if (!a.accumulate) std::fill_n(dx, a.classes, 0.0F);
      continue;
    }
    const float factor = a.row_scale == nullptr ? scale : scale * a.row_scale[r];
    const Vf lse = hn::Set(d, a.lse[r]);
    if (a.class_weight != nullptr) {
      const float own = (1.0F - a.label_smoothing) * a.class_weight[target];
      const Vf whole = hn::Set(d, (own + uniform * all_weights) * factor);
      const Vf each = hn::Set(d, uniform * factor);
      for_vectors(a.classes, [&](int64_t i, auto lanes) HWY_ATTR {
        const Vf p = Exp(d, hn::Sub(load(x + i, lanes), lse));
        const Vf wanted = hn::Mul(each, load(a.class_weight + i, lanes));
        write(hn::Sub(hn::Mul(p, whole), wanted), dx + i, lanes, a.accumulate);
      });
      dx[target] -= own * factor;
      continue;
    }
    const Vf f = hn::Set(d, factor);
    const Vf share = hn::Set(d, uniform);
    for_vectors(a.classes, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf p = Exp(d, hn::Sub(load(x + i, lanes), lse));
      write(hn::Mul(hn::Sub(p, share), f), dx + i, lanes, a.accumulate);
    });
    dx[target] -= (1.0F - a.label_smoothing) * factor;
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(cross_entropy_rows);
HWY_EXPORT(cross_entropy_grad_rows);

void cross_entropy(const CrossEntropyArgs& args, Team& team) {
  row_tiles(team, args.rows, args.classes, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_rows)(args, begin, end);
  });
}

void cross_entropy_grad(const CrossEntropyGradArgs& args, Team& team) {
  row_tiles(team, args.rows, args.classes, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_grad_rows)(args, begin, end);
  });
}

namespace {

constexpr int64_t kBlock = 4096;  // rows or elements whose sum is one partial

struct Partial {
  double sum;
  double weight;
  int64_t count;
};

Partial reduce_block(const LossReduceArgs& a, int64_t begin, int64_t end) {
  Partial partial{0.0, 0.0, 0};
  for (int64_t r = begin; r < end; ++r) {
    const int64_t target = a.targets == nullptr ? 0 : target_at(a.targets, a.target_type, r);
    if (a.targets != nullptr && target == a.ignore_index) continue;
    ++partial.count;
    const double weight = a.row_weight == nullptr ? 1.0 : static_cast<double>(a.row_weight[r]);
    if (weight == 0.0) continue;
    const double of_class =
        a.class_weight == nullptr ? 1.0 : static_cast<double>(a.class_weight[target]);
    partial.weight += weight * of_class;
    if (a.row_loss != nullptr) partial.sum += weight * static_cast<double>(a.row_loss[r]);
  }
  return partial;
}

float added(const float* before, double value, bool accumulate) {
  return static_cast<float>(accumulate ? static_cast<double>(*before) + value : value);
}

}  // namespace

int64_t loss_scratch_bytes(int64_t n) {
  return std::max<int64_t>(1, ceil_div(n, kBlock)) * static_cast<int64_t>(sizeof(Partial));
}

void loss_reduce(const LossReduceArgs& args, Team& team) {
  auto* partials = static_cast<Partial*>(args.scratch);
  const int64_t blocks = ceil_div(args.rows, kBlock);
  team.tiles(blocks, is_serial(args.rows, 4 * kStreamCost), [&](int64_t b) {
    partials[b] = reduce_block(args, b * kBlock, std::min(args.rows, (b + 1) * kBlock));
  });
  Partial total{0.0, 0.0, 0};
  for (int64_t b = 0; b < blocks; ++b) {
    total.sum += partials[b].sum;
    total.weight += partials[b].weight;
    total.count += partials[b].count;
  }
  if (args.out != nullptr) {
    double value = total.sum;
    if (args.reduction == LossReduction::kMean) value /= static_cast<double>(total.count);
    *args.out = added(args.out, value, args.accumulate);
  }
  if (args.weight != nullptr) *args.weight = added(args.weight, total.weight, args.accumulate);
  if (args.count != nullptr) {
    *args.count = args.accumulate ? *args.count + total.count : total.count;
  }
}

void loss_scale(const LossScaleArgs& args, Team&) {
  const float upstream = args.upstream == nullptr ? 1.0F : *args.upstream;
  double count = 1.0;
  if (args.count != nullptr) {
    count = args.float_count ? static_cast<double>(*static_cast<const float*>(args.count))
                             : static_cast<double>(*static_cast<const int64_t*>(args.count));
  }
  if (count == 0.0) count = 1.0;
  *args.out =
      static_cast<float>(static_cast<double>(args.alpha) * static_cast<double>(upstream) / count);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
