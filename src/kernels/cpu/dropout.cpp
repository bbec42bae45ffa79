// SPDX-License-Identifier: Apache-2.0
// Dropout with Philox evaluated in vectors: a lane holds one counter, and the four words of sixteen
// counters are the numbers of 64 consecutive elements. The group of 64 is the unit everywhere, so
// the mask does not depend on vector width, tiles or team. See dropout.h for the contract.
#include "kernels/dropout.h"

#include <algorithm>

#include "base/philox.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/dropout.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_DROPOUT_PLAN_
#define INGOT_KERNELS_CPU_DROPOUT_PLAN_
namespace ingot::kernels {
namespace {

constexpr int64_t kGroup = 64;  // elements that share sixteen counters

/// What is fixed for a call.
struct DropoutPlan {
  uint64_t step;
  uint64_t threshold;  // dropped when word < threshold, in [0, 2^32]
  float scale;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

/// factor[e] = scale or 0 for the 64 elements of the group.
HWY_INLINE void group_factors(const DropoutArgs& a, const DropoutPlan& plan, int64_t group,
                              float* factor) {
  for (int64_t k = 0; k < 16; ++k) {
    const auto words = philox4x32(
        philox_element_counter(static_cast<uint64_t>(group * 16 + k), a.op_id, plan.step),
        philox_key(a.seed));
    for (int64_t j = 0; j < 4; ++j) {
      factor[16 * j + k] = words[static_cast<size_t>(j)] < plan.threshold ? 0.0F : plan.scale;
    }
  }
}

#else

using Du = hn::CappedTag<uint32_t, 16>;
using Vu = hn::Vec<Du>;

/// High and low halves of the 64-bit products c * m.
HWY_INLINE void multiply(Vu c, Vu m, Vu& high, Vu& low) {
  const Du d;
  const hn::RepartitionToWide<Du> dw;
  const auto even = hn::MulEven(c, m);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(dw, c))), m);
  high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
}

/// factor[e] = scale or 0 for the 64 elements of the group.
HWY_INLINE void group_factors(const DropoutArgs& a, const DropoutPlan& plan, int64_t group,
                              float* factor) {
  const Du d;
  const hn::Rebind<float, Du> df;
  const auto first = static_cast<uint64_t>(group) * 16;
  const PhiloxCounter base = philox_element_counter(first, a.op_id, plan.step);
  const Vu m0 = hn::Set(d, kPhiloxMul0);
  const Vu m1 = hn::Set(d, kPhiloxMul1);
  // threshold 2^32 (p = 1) is settled by the caller, so it fits here.
  const Vu limit = hn::Set(d, static_cast<uint32_t>(plan.threshold));
  const auto scale = hn::Set(df, plan.scale);
  for (size_t k = 0; k < 16; k += hn::Lanes(d)) {
    Vu c0 = hn::Iota(d, base[0] + static_cast<uint32_t>(k));
    Vu c1 = hn::Set(d, base[1]);
    Vu c2 = hn::Set(d, base[2]);
    Vu c3 = hn::Set(d, base[3]);
    PhiloxKey key = philox_key(a.seed);
    for (int round = 0; round < kPhiloxRounds; ++round) {
      Vu high0, low0, high1, low1;
      multiply(c0, m0, high0, low0);
      multiply(c2, m1, high1, low1);
      c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(d, key[0]));
      c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, key[1]));
      c1 = low1;
      c3 = low0;
      key = {key[0] + kPhiloxWeyl0, key[1] + kPhiloxWeyl1};
    }
    const auto factor_of = [&](Vu word) HWY_ATTR {
      return hn::IfThenZeroElse(hn::RebindMask(df, hn::Lt(word, limit)), scale);
    };
    hn::StoreU(factor_of(c0), df, factor + k);
    hn::StoreU(factor_of(c1), df, factor + 16 + k);
    hn::StoreU(factor_of(c2), df, factor + 32 + k);
    hn::StoreU(factor_of(c3), df, factor + 48 + k);
  }
}

#endif

void dropout_groups(const DropoutArgs& a, const DropoutPlan& plan, int64_t begin, int64_t end) {
  HWY_ALIGN float factor[kGroup] = {};
  for (int64_t group = begin; group < end; ++group) {
    if (plan.scale != 0.0F) group_factors(a, plan, group, factor);
    const float* x = a.x + group * kGroup;
    float* y = a.y + group * kGroup;
    for_vectors(std::min(kGroup, a.n - group * kGroup), [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf f = load(static_cast<const float*>(factor) + i, lanes);
      write(hn::Mul(load(x + i, lanes), f), y + i, lanes, a.accumulate);
    });
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(dropout_groups);

void dropout(const DropoutArgs& args, Team& team) {
  // p is a float: p 2^32 is exact, and p = 1 gives a scale of 0 and needs no random numbers.
  const double p = static_cast<double>(args.p);
  const DropoutPlan plan{static_cast<uint64_t>(*args.step), static_cast<uint64_t>(p * 0x1.0p32),
                         p < 1.0 ? static_cast<float>(1.0 / (1.0 - p)) : 0.0F};
  row_tiles(team, ceil_div(args.n, kGroup), kGroup, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(dropout_groups)(args, plan, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
