// SPDX-License-Identifier: Apache-2.0
// What a product does to a finished tile of its result while it is in the first cache level: bias,
// keeping the value before the activation, activation. Included by gemm.cpp and conv.cpp, once per
// Highway target. Not a public interface.

#include <algorithm>
#include <cstdint>

#include "kernels/activation.h"

#if defined(INGOT_KERNELS_CPU_EPILOGUE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_CPU_EPILOGUE_INL_H_
#undef INGOT_KERNELS_CPU_EPILOGUE_INL_H_
#else
#define INGOT_KERNELS_CPU_EPILOGUE_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> activate(D d, hn::Vec<D> x, Activation activation) {
  switch (activation) {
    case Activation::kRelu:  // a NaN stays: it is not below zero
      return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
    case Activation::kGelu:
      return Gelu(d, x);
    case Activation::kGeluTanh:
      return GeluTanh(d, x);
    case Activation::kSilu:
      return Silu(d, x);
    case Activation::kNone:
      break;
  }
  return x;
}

/// One row of a tile: c += bias, pre = c, c = act(c); bias and pre may be null.
HWY_INLINE void finish_row(float* c, float* pre, const float* bias, int64_t columns,
                           Activation activation) {
  for_vectors(columns, [&](int64_t j, auto lanes) HWY_ATTR {
    Vf x = load(static_cast<const float*>(c + j), lanes);
    if (bias != nullptr) x = hn::Add(x, load(bias + j, lanes));
    if (pre != nullptr) store(x, pre + j, lanes);
    store(activate(Df(), x, activation), c + j, lanes);
  });
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
