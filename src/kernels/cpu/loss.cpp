// SPDX-License-Identifier: Apache-2.0
// Cross entropy by rows: maximum, then the sum of exponentials; the loss is assembled from
// differences to the maximum, so a large common offset costs no digits. See loss.h for the
// contract; mse and bce are in pair_loss.cpp.
#include "kernels/loss.h"

#include <algorithm>
#include <limits>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/loss.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_LOSS_PARTS_
#define INGOT_KERNELS_CPU_LOSS_PARTS_
namespace ingot::kernels {
namespace {

inline int64_t target_at(const void* targets, IdType type, int64_t i) {
  if (type == IdType::kInt32) return static_cast<const int32_t*>(targets)[i];
  return static_cast<const int64_t*>(targets)[i];
}

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

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

void cross_entropy_grad_rows(const CrossEntropyGradArgs& a, int64_t begin, int64_t end) {
  const Df d;
  const float scale = a.scale == nullptr ? 1.0F : *a.scale;
  const float uniform = a.label_smoothing / static_cast<float>(a.classes);
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.logits + r * a.classes;
    float* dx = a.dlogits + r * a.classes;
    const int64_t target = target_at(a.targets, a.target_type, r);
    if (target == a.ignore_index) {
      if (!a.accumulate) std::fill_n(dx, a.classes, 0.0F);
      continue;
    }
    const float factor = a.row_scale == nullptr ? scale : scale * a.row_scale[r];
    const Vf f = hn::Set(d, factor);
    const Vf lse = hn::Set(d, a.lse[r]);
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
  int64_t count;
};

Partial reduce_block(const LossReduceArgs& a, int64_t begin, int64_t end) {
  Partial partial{0.0, 0};
  for (int64_t r = begin; r < end; ++r) {
    const bool counts =
        a.targets == nullptr || target_at(a.targets, a.target_type, r) != a.ignore_index;
    if (!counts) continue;
    ++partial.count;
    if (a.row_loss != nullptr) partial.sum += static_cast<double>(a.row_loss[r]);
  }
  return partial;
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
  Partial total{0.0, 0};
  for (int64_t b = 0; b < blocks; ++b) {
    total.sum += partials[b].sum;
    total.count += partials[b].count;
  }
  if (args.out != nullptr) {
    double value = total.sum;
    if (args.reduction == LossReduction::kMean) value /= static_cast<double>(total.count);
    *args.out =
        static_cast<float>(args.accumulate ? static_cast<double>(*args.out) + value : value);
  }
  if (args.count != nullptr) {
    *args.count = args.accumulate ? *args.count + total.count : total.count;
  }
}

void loss_scale(const LossScaleArgs& args, Team&) {
  const float upstream = args.upstream == nullptr ? 1.0F : *args.upstream;
  const int64_t count = std::max<int64_t>(*args.count, 1);
  *args.out = static_cast<float>(static_cast<double>(args.alpha) * static_cast<double>(upstream) /
                                 static_cast<double>(count));
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
