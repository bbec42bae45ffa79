// SPDX-License-Identifier: Apache-2.0
// What every vector kernel here shares: loops over vectors whose tail is a masked vector, and
// horizontal sums of fixed order. Included once per instruction set, inside foreach_target.
// A loop body is a generic lambda f(i, lanes): `lanes` is All or First{n}, and load/store/keep
// accept either, so one body serves full vectors and the tail.
#include <cmath>
#include <cstdint>
#include <cstring>

// clang-format off
#if defined(INGOT_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_SIMD_INL_H_
#undef INGOT_KERNELS_CPU_SIMD_INL_H_
#else
#define INGOT_KERNELS_CPU_SIMD_INL_H_
#endif
// clang-format on

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Df = hn::ScalableTag<float>;
using Vf = hn::Vec<Df>;
using Mf = hn::Mask<Df>;

struct All {};
struct First {
  size_t n;
};

template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> load(const T* p, All) {
  return hn::LoadU(hn::ScalableTag<T>(), p);
}

/// The first lanes.n elements, then zeros. Never touches memory behind them.
template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> load(const T* p, First lanes) {
  const hn::ScalableTag<T> d;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (sizeof(T) >= 4) return hn::MaskedLoad(hn::FirstN(d, lanes.n), d, p);
#endif
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)] = {};
  std::memcpy(buffer, p, lanes.n * sizeof(T));
  return hn::Load(d, buffer);
}

template <class T, class V>
HWY_INLINE void store(V v, T* p, All) {
  hn::StoreU(v, hn::ScalableTag<T>(), p);
}

template <class T, class V>
HWY_INLINE void store(V v, T* p, First lanes) {
  const hn::ScalableTag<T> d;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (sizeof(T) >= 4) {
    hn::BlendedStore(v, hn::FirstN(d, lanes.n), d, p);
    return;
  }
#endif
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, buffer);
  std::memcpy(p, buffer, lanes.n * sizeof(T));
}

/// v, with zeros in the lanes that are not there.
template <class V>
HWY_INLINE V keep(V v, All) {
  return v;
}
template <class V>
HWY_INLINE V keep(V v, First lanes) {
  const hn::DFromV<V> d;
  return hn::IfThenElseZero(hn::FirstN(d, lanes.n), v);
}

/// v, with `other` in the lanes that are not there.
template <class V>
HWY_INLINE V keep_or(V v, V, All) {
  return v;
}
template <class V>
HWY_INLINE V keep_or(V v, V other, First lanes) {
  const hn::DFromV<V> d;
  return hn::IfThenElse(hn::FirstN(d, lanes.n), v, other);
}

/// dst = v, or dst += v.
template <class Lanes>
HWY_INLINE void write(Vf v, float* dst, Lanes lanes, bool accumulate) {
  store(accumulate ? hn::Add(load(static_cast<const float*>(dst), lanes), v) : v, dst, lanes);
}

/// f(i, lanes) over [0, n).
template <class F>
HWY_INLINE void for_vectors(int64_t n, const F& f) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  int64_t i = 0;
  for (; i + width <= n; i += width) f(i, All());
  if (i < n) f(i, First{static_cast<size_t>(n - i)});
}

/// Sum over [0, n) of the vectors f(i, lanes), whose missing lanes must be zero; four chains.
template <class F>
HWY_INLINE Vf sum_vectors(int64_t n, const F& f) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  Vf s0 = hn::Zero(Df()), s1 = s0, s2 = s0, s3 = s0;
  int64_t i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    s0 = hn::Add(s0, f(i, All()));
    s1 = hn::Add(s1, f(i + width, All()));
    s2 = hn::Add(s2, f(i + 2 * width, All()));
    s3 = hn::Add(s3, f(i + 3 * width, All()));
  }
  for (; i + width <= n; i += width) s0 = hn::Add(s0, f(i, All()));
  if (i < n) s1 = hn::Add(s1, f(i, First{static_cast<size_t>(n - i)}));
  return hn::Add(hn::Add(s0, s1), hn::Add(s2, s3));
}

/// All lanes added; the order is a fixed tree.
HWY_INLINE float sum_lanes(Vf v) { return hn::GetLane(hn::SumOfLanes(Df(), v)); }

/// All lanes of v and of w added in double.
HWY_INLINE double sum_lanes_double(Vf v) {
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, Df(), lanes);
  double sum = 0.0;
  for (size_t i = 0; i < hn::Lanes(Df()); ++i) sum += static_cast<double>(lanes[i]);
  return sum;
}

/// The larger of each lane; NaN if either is.
HWY_INLINE Vf max_nan(Vf a, Vf b) {
  return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
}

/// The largest of x[0, n), -inf for none. A NaN may be lost: for callers whose later sum keeps it.
HWY_INLINE float row_max(const float* x, int64_t n) {
  const Df d;
  const Vf low = hn::Set(d, -HUGE_VALF);
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  Vf m0 = low, m1 = low;
  int64_t i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    m0 = hn::Max(m0, hn::LoadU(d, x + i));
    m1 = hn::Max(m1, hn::LoadU(d, x + i + width));
  }
  for (; i + width <= n; i += width) m0 = hn::Max(m0, hn::LoadU(d, x + i));
  if (i < n) {
    const First lanes{static_cast<size_t>(n - i)};
    m1 = hn::Max(m1, keep_or(load(x + i, lanes), low, lanes));
  }
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(m0, m1)));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
