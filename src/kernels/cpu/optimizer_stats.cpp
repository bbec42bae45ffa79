// SPDX-License-Identifier: Apache-2.0
// What training asks of a gradient slab: its sum of squares (in double), the clipping coefficient
// that follows, and the first element that is not finite. Blocks of fixed size, joined in order.
// See optimizer.h for the contract.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"
#include "kernels/optimizer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimizer_stats.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

double square_block(const float* x, int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d);
  auto s1 = s0;
  const auto square = [&](const float* p, hn::Vec<decltype(d)> sum) HWY_ATTR {
    const auto v = hn::PromoteTo(d, hn::LoadU(half, p));
    return hn::MulAdd(v, v, sum);
  };
  int64_t i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    s0 = square(x + i, s0);
    s1 = square(x + i + width, s1);
  }
  HWY_ALIGN float rest[2 * HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(rest, x + i, static_cast<size_t>(n - i) * sizeof(float));
  s0 = square(rest, s0);
  s1 = square(rest + width, s1);
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
}

/// Index of the first element that is NaN or infinite, or -1.
int64_t find_bad(const float* x, int64_t n) {
  const Vf zero = hn::Zero(Df());
  const Vf sums = sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    return hn::Mul(load(x + i, lanes), zero);  // NaN for NaN and for infinities, else 0
  });
  if (sum_lanes(sums) == 0.0F) return -1;
  for (int64_t i = 0; i < n; ++i) {
    if (!std::isfinite(x[i])) return i;
  }
  return -1;
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(square_block);
HWY_EXPORT(find_bad);

namespace {

constexpr int64_t kBlock = 4096;  // elements whose result is one partial

}  // namespace

int64_t block_scratch_bytes(int64_t elements) {
  return std::max<int64_t>(1, ceil_div(elements, kBlock)) * int64_t{8};
}

void sum_squares(const SumSquaresArgs& args, Team& team) {
  const int64_t n = args.n * (args.count == nullptr ? 1 : *args.count);
  auto* sums = static_cast<double*>(args.scratch);
  const int64_t blocks = ceil_div(n, kBlock);
  team.tiles(blocks, is_serial(n, kStreamCost), [&](int64_t b) {
    sums[b] =
        HWY_DYNAMIC_DISPATCH(square_block)(args.x + b * kBlock, std::min(kBlock, n - b * kBlock));
  });
  double total = 0.0;
  for (int64_t b = 0; b < blocks; ++b) total += sums[b];
  *args.out = args.accumulate ? *args.out + total : total;
}

void clip_coefficient(const ClipArgs& args, Team&) {
  const double norm = std::sqrt(*args.sum_squares);
  const double limit = static_cast<double>(args.max_norm);
  double coefficient = 1.0;
  if (limit > 0.0) {
    const double wanted = limit / (norm + 1e-6);
    coefficient = wanted > 1.0 ? 1.0 : wanted;  // NaN stays NaN
  }
  *args.coefficient = static_cast<float>(coefficient);
  if (args.norm != nullptr) *args.norm = static_cast<float>(norm);
}

void finite_check(const FiniteCheckArgs& args, Team& team) {
  const int64_t n = args.n * (args.count == nullptr ? 1 : *args.count);
  auto* bad = static_cast<int64_t*>(args.scratch);
  const int64_t blocks = ceil_div(n, kBlock);
  team.tiles(blocks, is_serial(n, kStreamCost), [&](int64_t b) {
    const int64_t at =
        HWY_DYNAMIC_DISPATCH(find_bad)(args.x + b * kBlock, std::min(kBlock, n - b * kBlock));
    bad[b] = at < 0 ? -1 : b * kBlock + at;
  });
  const int64_t* hit = std::find_if(bad, bad + blocks, [](int64_t at) { return at >= 0; });
  *args.first = hit == bad + blocks ? -1 : *hit;
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
