// SPDX-License-Identifier: Apache-2.0
// Binary arithmetic with broadcasting, its gradient, and the selection `where`. The index space is
// merged (nd.h) until only segments along the last axis remain, where each operand is contiguous or
// constant; other strides are gathered into a small buffer first. See elementwise.h.
#include "kernels/cpu/nd.h"
#include "kernels/cpu/targets.h"
#include "kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/binary.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_BINARY_SEGMENT_
#define INGOT_KERNELS_CPU_BINARY_SEGMENT_
namespace ingot::kernels {
namespace {

/// One run along the last axis: operand k at p[k] with stride s[k]; out is contiguous.
struct Segment {
  const float* p[3];
  int64_t s[3];
  float* out;
  int64_t n;
  bool accumulate;
};

constexpr int64_t kGather = 512;  // elements gathered at a time from a strided operand

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// An operand that is contiguous (kStep 1) or constant along the segment (kStep 0).
template <int kStep>
struct Operand {
  const float* p;
  Vf constant;
  HWY_INLINE explicit Operand(const float* from) : p(from), constant(hn::Zero(Df())) {
    if (kStep == 0) constant = hn::Set(Df(), *from);
  }
  template <class Lanes>
  HWY_INLINE Vf at(int64_t i, Lanes lanes) const {
    if constexpr (kStep == 0) {
      return constant;
    } else {
      return load(p + i, lanes);
    }
  }
};

template <int kA, int kB, class Op>
void map_pair(const Segment& s, const Op& op) {
  const Operand<kA> a(s.p[0]);
  const Operand<kB> b(s.p[1]);
  float* out = s.out;
  const bool accumulate = s.accumulate;
  for_vectors(s.n, [&](int64_t i, auto lanes) HWY_ATTR {
    write(op(a.at(i, lanes), b.at(i, lanes)), out + i, lanes, accumulate);
  });
}

template <class Op>
void map_unit(const Segment& s, const Op& op) {
  if (s.s[0] == 0 && s.s[1] == 0) return map_pair<0, 0>(s, op);
  if (s.s[0] == 0) return map_pair<0, 1>(s, op);
  if (s.s[1] == 0) return map_pair<1, 0>(s, op);
  map_pair<1, 1>(s, op);
}

void binary_unit(const Segment& s, BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return map_unit(s, [](Vf a, Vf b) HWY_ATTR { return hn::Add(a, b); });
    case BinaryOp::kSub:
      return map_unit(s, [](Vf a, Vf b) HWY_ATTR { return hn::Sub(a, b); });
    case BinaryOp::kMul:
      return map_unit(s, [](Vf a, Vf b) HWY_ATTR { return hn::Mul(a, b); });
    case BinaryOp::kDiv:
      return map_unit(s, [](Vf a, Vf b) HWY_ATTR { return hn::Div(a, b); });
  }
}

/// dx (+)= dy b or dy / b: b is operand 1. Division by b^2 for the divisor reads a as operand 2.
void div_grad_unit(const Segment& s) {
  const bool fixed_a = s.s[2] == 0;
  const bool fixed_b = s.s[1] == 0;
  const Vf first_a = hn::Set(Df(), *s.p[2]);
  const Vf first_b = hn::Set(Df(), *s.p[1]);
  for_vectors(s.n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf a = fixed_a ? first_a : load(s.p[2] + i, lanes);
    const Vf b = fixed_b ? first_b : load(s.p[1] + i, lanes);
    const Vf y = hn::Div(hn::Div(a, b), b);
    write(hn::Neg(hn::Mul(load(s.p[0] + i, lanes), y)), s.out + i, lanes, s.accumulate);
  });
}

void where_unit(const Segment& s, const uint8_t* cond, int64_t cond_stride) {
  const bool fixed_a = s.s[0] == 0;
  const bool fixed_b = s.s[1] == 0;
  const Vf first_a = hn::Set(Df(), *s.p[0]);
  const Vf first_b = hn::Set(Df(), *s.p[1]);
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  for_vectors(s.n, [&](int64_t i, auto lanes) HWY_ATTR {
    HWY_ALIGN float flag[HWY_MAX_BYTES / sizeof(float)];
    const int64_t count = s.n - i < width ? s.n - i : width;
    for (int64_t j = 0; j < count; ++j) flag[j] = cond[(i + j) * cond_stride] != 0 ? 1.0F : 0.0F;
    for (int64_t j = count; j < width; ++j) flag[j] = 0.0F;
    const Mf chosen = hn::Gt(hn::Load(Df(), flag), hn::Zero(Df()));
    const Vf a = fixed_a ? first_a : load(s.p[0] + i, lanes);
    const Vf b = fixed_b ? first_b : load(s.p[1] + i, lanes);
    write(hn::IfThenElse(chosen, a, b), s.out + i, lanes, s.accumulate);
  });
}

/// unit(segment, start) over pieces of `s` in which every operand has stride 0 or 1.
template <class Unit>
void gathered(const Segment& s, int operands, const Unit& unit) {
  bool plain = true;
  for (int k = 0; k < operands; ++k) plain = plain && (s.s[k] == 0 || s.s[k] == 1);
  if (plain) return unit(s, int64_t{0});
  float buffer[3][kGather];
  for (int64_t start = 0; start < s.n; start += kGather) {
    Segment piece = s;
    piece.n = s.n - start < kGather ? s.n - start : kGather;
    piece.out += start;
    for (int k = 0; k < operands; ++k) {
      piece.p[k] += start * s.s[k];
      if (s.s[k] == 0 || s.s[k] == 1) continue;
      for (int64_t i = 0; i < piece.n; ++i) buffer[k][i] = piece.p[k][i * s.s[k]];
      piece.p[k] = buffer[k];
      piece.s[k] = 1;
    }
    unit(piece, start);
  }
}

void binary_segment(const Segment& s, BinaryOp op) {
  gathered(s, 2, [&](const Segment& piece, int64_t) HWY_ATTR { binary_unit(piece, op); });
}

void div_grad_segment(const Segment& s) {
  gathered(s, 3, [](const Segment& piece, int64_t) HWY_ATTR { div_grad_unit(piece); });
}

void where_segment(const Segment& s, const uint8_t* cond, int64_t cond_stride) {
  gathered(s, 2, [&](const Segment& piece, int64_t start) HWY_ATTR {
    where_unit(piece, cond + start * cond_stride, cond_stride);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/copy.h"

namespace ingot::kernels {

HWY_EXPORT(binary_segment);
HWY_EXPORT(div_grad_segment);
HWY_EXPORT(where_segment);

void binary(const BinaryArgs& args, Team& team) {
  int64_t out_stride[kMaxDims];
  contiguous_strides(args.dims, args.shape, out_stride);
  const auto nd = merge_axes<3>(args.dims, args.shape, {args.stride_a, args.stride_b, out_stride});
  const int64_t last = nd.dims - 1;
  nd_tiles(team, nd, kStreamCost, [&](const Offsets<3>& at, int64_t n) {
    const Segment segment{{args.a + at[0], args.b + at[1], nullptr},
                          {nd.stride[0][last], nd.stride[1][last], 0},
                          args.out + at[2],
                          n,
                          args.accumulate};
    HWY_DYNAMIC_DISPATCH(binary_segment)(segment, args.op);
  });
}

namespace {

/// dx (+)= dy op other, by way of `binary`.
void grad_by_binary(const BinaryGradArgs& args, BinaryOp op, const float* other,
                    const int64_t* stride, Team& team) {
  BinaryArgs b;
  b.a = args.dy;
  b.b = other;
  b.out = args.dx;
  b.dims = args.dims;
  std::copy_n(args.shape, kMaxDims, b.shape);
  contiguous_strides(args.dims, args.shape, b.stride_a);
  std::copy_n(stride, kMaxDims, b.stride_b);
  b.op = op;
  b.accumulate = args.accumulate;
  binary(b, team);
}

void grad_of_divisor(const BinaryGradArgs& args, Team& team) {
  int64_t dense[kMaxDims];
  contiguous_strides(args.dims, args.shape, dense);
  const auto nd =
      merge_axes<4>(args.dims, args.shape, {dense, args.stride_b, args.stride_a, dense});
  const int64_t last = nd.dims - 1;
  nd_tiles(team, nd, kStreamCost, [&](const Offsets<4>& at, int64_t n) {
    const Segment segment{{args.dy + at[0], args.b + at[1], args.a + at[2]},
                          {nd.stride[0][last], nd.stride[1][last], nd.stride[2][last]},
                          args.dx + at[3],
                          n,
                          args.accumulate};
    HWY_DYNAMIC_DISPATCH(div_grad_segment)(segment);
  });
}

}  // namespace

void binary_grad(const BinaryGradArgs& args, Team& team) {
  ScaleAddArgs scaled;
  scaled.x = args.dy;
  scaled.dst = args.dx;
  scaled.n = 1;
  for (int64_t i = 0; i < args.dims; ++i) scaled.n *= args.shape[i];
  scaled.accumulate = args.accumulate;
  switch (args.op) {
    case BinaryOp::kAdd:
      return scale_add(scaled, team);
    case BinaryOp::kSub:
      scaled.alpha = args.wrt == 0 ? 1.0F : -1.0F;
      return scale_add(scaled, team);
    case BinaryOp::kMul:
      if (args.wrt == 0) return grad_by_binary(args, BinaryOp::kMul, args.b, args.stride_b, team);
      return grad_by_binary(args, BinaryOp::kMul, args.a, args.stride_a, team);
    case BinaryOp::kDiv:
      if (args.wrt == 0) return grad_by_binary(args, BinaryOp::kDiv, args.b, args.stride_b, team);
      return grad_of_divisor(args, team);
  }
}

namespace {

/// The shared body of where and its gradient.
void select(const WhereArgs& args, bool accumulate, Team& team) {
  int64_t out_stride[kMaxDims];
  contiguous_strides(args.dims, args.shape, out_stride);
  const auto nd = merge_axes<4>(args.dims, args.shape,
                                {args.stride_cond, args.stride_a, args.stride_b, out_stride});
  const int64_t last = nd.dims - 1;
  nd_tiles(team, nd, kStreamCost, [&](const Offsets<4>& at, int64_t n) {
    const Segment segment{{args.a + at[1], args.b + at[2], nullptr},
                          {nd.stride[1][last], nd.stride[2][last], 0},
                          args.out + at[3],
                          n,
                          accumulate};
    HWY_DYNAMIC_DISPATCH(where_segment)(segment, args.cond + at[0], nd.stride[0][last]);
  });
}

}  // namespace

void where(const WhereArgs& args, Team& team) { select(args, false, team); }

void where_grad(const WhereGradArgs& args, Team& team) {
  const float zero = 0.0F;
  WhereArgs w;
  w.cond = args.cond;
  w.a = args.wrt == 0 ? args.dy : &zero;
  w.b = args.wrt == 0 ? &zero : args.dy;
  w.out = args.dx;
  w.dims = args.dims;
  std::copy_n(args.shape, kMaxDims, w.shape);
  std::copy_n(args.stride_cond, kMaxDims, w.stride_cond);
  contiguous_strides(args.dims, args.shape, args.wrt == 0 ? w.stride_a : w.stride_b);
  select(w, args.accumulate, team);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
