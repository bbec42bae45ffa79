// SPDX-License-Identifier: Apache-2.0
// Elementwise kernels on float32: one argument struct per class with an op inside, the switch is
// outside the loops. Every kernel streams at memory bandwidth; results do not depend on the team.
// NaN in gives NaN out. Relative error below 5e-7; gelu and its
// kin 4e-7 absolute. gelu and silu of -infinity are NaN (-inf * 0).
// Aliasing: `out`/`y`/`dx` may be exactly one of the contiguous inputs (in place), never a shifted
// overlap. Broadcast operands must not alias the output. Called by autograd/ops and optim.
// Not here: anything that reduces (reduce.h), moves (copy.h) or casts (convert.h).
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

enum class BinaryOp : int32_t { kAdd, kSub, kMul, kDiv };

/// out[i] = a[i] op b[i], or out[i] += ... when `accumulate`. out is contiguous of shape
/// shape[0..dims); strides are in elements, 0 on a broadcast axis. dims 0 means one element.
struct BinaryArgs {
  static constexpr int kPointers = 3;
  const float* a = nullptr;
  const float* b = nullptr;
  float* out = nullptr;
  int64_t dims = 0;
  int64_t shape[kMaxDims] = {};
  int64_t stride_a[kMaxDims] = {};
  int64_t stride_b[kMaxDims] = {};
  BinaryOp op = BinaryOp::kAdd;
  bool accumulate = false;
};
void binary(const BinaryArgs& args, Team& team);

/// Gradient of `binary` with respect to operand `wrt` (0 = a, 1 = b), before the reduction over
/// broadcast axes: dx (contiguous, full shape) (+)= dy * d(a op b)/d(wrt). dy is contiguous.
///   add: dy, dy;  sub: dy, -dy;  mul: dy b, dy a;  div: dy / b, -dy a / b^2.
/// Pointers that the formula does not name may be null. Sum over broadcast axes with sum_to.
struct BinaryGradArgs {
  static constexpr int kPointers = 4;
  const float* dy = nullptr;
  const float* a = nullptr;
  const float* b = nullptr;
  float* dx = nullptr;
  int64_t dims = 0;
  int64_t shape[kMaxDims] = {};
  int64_t stride_a[kMaxDims] = {};
  int64_t stride_b[kMaxDims] = {};
  BinaryOp op = BinaryOp::kAdd;
  int32_t wrt = 0;
  bool accumulate = false;
};
void binary_grad(const BinaryGradArgs& args, Team& team);

/// dst[i] = s x[i], or dst[i] += s x[i] when `accumulate`; s = alpha * (scale ? *scale : 1).
struct ScaleAddArgs {
  static constexpr int kPointers = 3;
  const float* x = nullptr;
  const float* scale = nullptr;  ///< one element, or null
  float* dst = nullptr;
  int64_t n = 0;
  float alpha = 1.0F;
  bool accumulate = false;
};
void scale_add(const ScaleAddArgs& args, Team& team);

/// p0, p1: leaky_relu slope = p0; pow exponent = p0; clamp lo = p0, hi = p1; the others ignore
/// them.
enum class UnaryOp : int32_t {
  kNeg,
  kExp,
  kLog,
  kSqrt,
  kAbs,
  kTanh,
  kSigmoid,
  kRelu,
  kLeakyRelu,
  kGelu,
  kGeluTanh,
  kSilu,
  kPow,
  kClamp,
};

/// y[i] = f(x[i]); contiguous, in place allowed. pow follows C pow for real results: a negative
/// base with an exponent that is no integer gives NaN; pow(x, 0) = 1.
struct UnaryArgs {
  static constexpr int kPointers = 2;
  const float* x = nullptr;
  float* y = nullptr;
  int64_t n = 0;
  float p0 = 0.0F;
  float p1 = 0.0F;
  UnaryOp op = UnaryOp::kNeg;
};
void unary(const UnaryArgs& args, Team& team);

/// True when unary_grad wants the output y as `saved` (exp, sqrt, tanh, sigmoid, relu), false when
/// it wants the input x. kNeg reads neither: saved may be null.
[[nodiscard]] constexpr bool unary_saves_output(UnaryOp op) {
  return op == UnaryOp::kExp || op == UnaryOp::kSqrt || op == UnaryOp::kTanh ||
         op == UnaryOp::kSigmoid || op == UnaryOp::kRelu;
}

/// dx[i] (+)= dy[i] f'(saved[i]). Subgradients: abs 0 at 0; relu and leaky_relu take the negative
/// side at 0; clamp passes dy for lo <= x <= hi. dx may be dy or saved.
struct UnaryGradArgs {
  static constexpr int kPointers = 3;
  const float* dy = nullptr;
  const float* saved = nullptr;
  float* dx = nullptr;
  int64_t n = 0;
  float p0 = 0.0F;
  float p1 = 0.0F;
  UnaryOp op = UnaryOp::kNeg;
  bool accumulate = false;
};
void unary_grad(const UnaryGradArgs& args, Team& team);

/// h[i] = act(gate[i]) up[i], the gated MLP (SwiGLU with kSilu); rows of gate and up may be strided
/// (halves of one fused projection), h is contiguous [rows, cols].
struct GatedArgs {
  static constexpr int kPointers = 3;
  const float* gate = nullptr;
  const float* up = nullptr;
  float* h = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t gate_stride = 0;  ///< elements between rows
  int64_t up_stride = 0;
  Activation activation = Activation::kSilu;
};
void gated(const GatedArgs& args, Team& team);

/// dgate (+)= dh up act'(gate), dup (+)= dh act(gate); strides of dgate and dup equal gate's, up's.
/// dgate may be gate and dup may be up when not accumulating.
struct GatedGradArgs {
  static constexpr int kPointers = 5;
  const float* dh = nullptr;
  const float* gate = nullptr;
  const float* up = nullptr;
  float* dgate = nullptr;
  float* dup = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t gate_stride = 0;
  int64_t up_stride = 0;
  Activation activation = Activation::kSilu;
  bool accumulate = false;
};
void gated_grad(const GatedGradArgs& args, Team& team);

/// out[i] = cond[i] != 0 ? a[i] : b[i], all three with broadcast strides, out contiguous.
struct WhereArgs {
  static constexpr int kPointers = 4;
  const uint8_t* cond = nullptr;
  const float* a = nullptr;
  const float* b = nullptr;
  float* out = nullptr;
  int64_t dims = 0;
  int64_t shape[kMaxDims] = {};
  int64_t stride_cond[kMaxDims] = {};
  int64_t stride_a[kMaxDims] = {};
  int64_t stride_b[kMaxDims] = {};
};
void where(const WhereArgs& args, Team& team);

/// dx (contiguous, full shape; reduce broadcast axes with sum_to afterwards) (+)= dy where the
/// condition selects operand `wrt` (0 = a, 1 = b), else 0.
struct WhereGradArgs {
  static constexpr int kPointers = 3;
  const uint8_t* cond = nullptr;
  const float* dy = nullptr;
  float* dx = nullptr;
  int64_t dims = 0;
  int64_t shape[kMaxDims] = {};
  int64_t stride_cond[kMaxDims] = {};
  int32_t wrt = 0;
  bool accumulate = false;
};
void where_grad(const WhereGradArgs& args, Team& team);

/// dst[i] = value.
struct FillArgs {
  static constexpr int kPointers = 1;
  float* dst = nullptr;
  int64_t n = 0;
  float value = 0.0F;
};
void fill(const FillArgs& args, Team& team);

}  // namespace ingot::kernels
