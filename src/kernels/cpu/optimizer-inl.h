// SPDX-License-Identifier: Apache-2.0
// The gradient an optimiser's lanes see. Included once per instruction set by optimizer.cpp and
// adaptive.cpp.
// clang-format off
#if defined(INGOT_KERNELS_CPU_OPTIMIZER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_OPTIMIZER_INL_H_
#undef INGOT_KERNELS_CPU_OPTIMIZER_INL_H_
#else
#define INGOT_KERNELS_CPU_OPTIMIZER_INL_H_
#endif
// clang-format on

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

/// The scaled gradient: 0 * scale when there is none, so that a NaN factor reaches every row.
template <class Lanes>
HWY_INLINE Vf gradient(const float* grad, int64_t i, Lanes lanes, Vf scale) {
  return hn::Mul(grad == nullptr ? hn::Zero(Df()) : load(grad + i, lanes), scale);
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
