// SPDX-License-Identifier: Apache-2.0
// scale_add, fill and the gated activation of SwiGLU layers: the elementwise kernels that need no
// broadcasting. Unary ops are in unary.cpp, broadcasting in
// binary.cpp. See elementwise.h for the contract.
#include "kernels/elementwise.h"

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

void scale_add_tile(const ScaleAddArgs& a, int64_t begin, int64_t end) {
  const float* x = a.x + begin;
  float* dst = a.dst + begin;
  const Vf s = hn::Set(Df(), a.scale == nullptr ? a.alpha : a.alpha * *a.scale);
  if (a.accumulate) {
    for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR {
      store(hn::MulAdd(s, load(x + i, lanes), load(static_cast<const float*>(dst) + i, lanes)),
            dst + i, lanes);
    });
    return;
  }
  for_vectors(end - begin, [&](int64_t i, auto lanes)
                               HWY_ATTR { store(hn::Mul(s, load(x + i, lanes)), dst + i, lanes); });
}

void fill_tile(const FillArgs& a, int64_t begin, int64_t end) {
  float* dst = a.dst + begin;
  const Vf v = hn::Set(Df(), a.value);
  for_vectors(end - begin, [&](int64_t i, auto lanes) HWY_ATTR { store(v, dst + i, lanes); });
}

/// act(v) and act'(v) for the ops of a gate.
struct Identity {
  HWY_INLINE Vf value(Vf v) const { return v; }
  HWY_INLINE Vf slope(Vf) const { return hn::Set(Df(), 1.0F); }
};
struct ReluGate {
  HWY_INLINE Vf value(Vf v) const {
    return hn::IfThenElse(hn::Lt(v, hn::Zero(Df())), hn::Zero(Df()), v);
  }
  HWY_INLINE Vf slope(Vf v) const {
    return hn::IfThenElse(hn::Le(v, hn::Zero(Df())), hn::Zero(Df()), hn::Set(Df(), 1.0F));
  }
};
struct GeluGate {
  HWY_INLINE Vf value(Vf v) const { return Gelu(Df(), v); }
  HWY_INLINE Vf slope(Vf v) const { return GeluGrad(Df(), v); }
};
struct GeluTanhGate {
  HWY_INLINE Vf value(Vf v) const { return GeluTanh(Df(), v); }
  HWY_INLINE Vf slope(Vf v) const { return GeluTanhGrad(Df(), v); }
};
struct SiluGate {
  HWY_INLINE Vf value(Vf v) const { return Silu(Df(), v); }
  HWY_INLINE Vf slope(Vf v) const { return SiluGrad(Df(), v); }
};

template <class Run>
void with_gate(Activation activation, const Run& run) {
  switch (activation) {
    case Activation::kNone:
      return run(Identity());
    case Activation::kRelu:
      return run(ReluGate());
    case Activation::kGelu:
      return run(GeluGate());
    case Activation::kGeluTanh:
      return run(GeluTanhGate());
    case Activation::kSilu:
      return run(SiluGate());
  }
}

template <class Gate>
void gated_rows_of(const GatedArgs& a, int64_t begin, int64_t end, const Gate& act) {
  for (int64_t r = begin; r < end; ++r) {
    const float* gate = a.gate + r * a.gate_stride;
    const float* up = a.up + r * a.up_stride;
    float* h = a.h + r * a.cols;
    for_vectors(a.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      store(hn::Mul(act.value(load(gate + i, lanes)), load(up + i, lanes)), h + i, lanes);
    });
  }
}

template <class Gate>
void gated_grad_rows_of(const GatedGradArgs& a, int64_t begin, int64_t end, const Gate& act) {
  for (int64_t r = begin; r < end; ++r) {
    const float* gate = a.gate + r * a.gate_stride;
    const float* up = a.up + r * a.up_stride;
    const float* dh = a.dh + r * a.cols;
    float* dgate = a.dgate + r * a.gate_stride;
    float* dup = a.dup + r * a.up_stride;
    for_vectors(a.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf g = load(gate + i, lanes);
      const Vf d = load(dh + i, lanes);
      const Vf to_gate = hn::Mul(hn::Mul(d, load(up + i, lanes)), act.slope(g));
      write(to_gate, dgate + i, lanes, a.accumulate);
      write(hn::Mul(d, act.value(g)), dup + i, lanes, a.accumulate);
    });
  }
}

void gated_rows(const GatedArgs& a, int64_t begin, int64_t end) {
  with_gate(a.activation, [&](const auto& act) HWY_ATTR { gated_rows_of(a, begin, end, act); });
}

void gated_grad_rows(const GatedGradArgs& a, int64_t begin, int64_t end) {
  with_gate(a.activation,
            [&](const auto& act) HWY_ATTR { gated_grad_rows_of(a, begin, end, act); });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(scale_add_tile);
HWY_EXPORT(fill_tile);
HWY_EXPORT(gated_rows);
HWY_EXPORT(gated_grad_rows);

void scale_add(const ScaleAddArgs& args, Team& team) {
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(scale_add_tile)(args, begin, end);
  });
}

void fill(const FillArgs& args, Team& team) {
  flat_tiles(team, args.n, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(fill_tile)(args, begin, end);
  });
}

void gated(const GatedArgs& args, Team& team) {
  row_tiles(team, args.rows, args.cols, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(gated_rows)(args, begin, end);
  });
}

void gated_grad(const GatedGradArgs& args, Team& team) {
  row_tiles(team, args.rows, args.cols, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(gated_grad_rows)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
