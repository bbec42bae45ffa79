// SPDX-License-Identifier: Apache-2.0
// What every op does around its kernel: check, allocate, launch, record. Included by autograd/ops.
#pragma once

#include <initializer_list>

#include "autograd/tape.h"
#include "kernels/activation.h"

namespace ingot::kernels {
struct GemmArgs;
}

namespace ingot::ops {

/// Throws kInvalidArgument for a tensor without storage, kUnsupported unless its layout is plain.
void require_plain(const char* op, const char* name, const Tensor& x);
/// require_plain, and kDtypeMismatch unless x is float32.
void require_f32(const char* op, const char* name, const Tensor& x);
/// require_f32, and kShapeMismatch unless x is [batch, height, width, channels] with pixels.
void require_image(const char* op, const Tensor& x);
/// require_plain, and kDtypeMismatch unless x is int32 or int64.
void require_ids(const char* op, const char* name, const Tensor& x);

/// x itself when its elements are dense in row-major order, else a copy (counted in
/// Counters::conversions and recorded for the gradient).
[[nodiscard]] Tensor contiguous(const Tensor& x);

/// Scratch memory of `bytes` (at least 1), released when the caller's step is planned.
[[nodiscard]] Tensor scratch(Engine& engine, int64_t bytes);

/// The product of kernels/gemm.h, with its scratch.
void launch_gemm(Engine& engine, const char* name, const kernels::GemmArgs& args);

/// dst = value; contiguous float32.
void fill(const Tensor& dst, float value);
/// dst = x, or dst += x when `accumulate`; equal sizes, contiguous.
void add_gradient(const Tensor& x, const Tensor& dst, bool accumulate);

/// dz = dy·f'(z) of an op with a fused activation, in the gradient's own buffer when nobody else
/// holds it; dy itself without one. `saved`: the result for relu, else the value before f.
[[nodiscard]] Tensor activation_gradient(Backward& b, const Tensor& saved,
                                         kernels::Activation activation);
/// The gradient of input `input`, a bias added to every row: sum of dz [..., size] over its rows.
void bias_gradient(Backward& b, int input, const Tensor& dz, const char* name);

/// True when a tape is recording and one of the tensors carries a gradient.
[[nodiscard]] bool is_recorded(std::initializer_list<const Tensor*> inputs);

/// Throws kNumeric naming the op and the engine's scope when a float32 tensor holds NaN or
/// infinity.
void require_finite(const char* op, const char* what, const Tensor& x);

/// Appends the record of an op: inputs in order (null: none), tensors its backward reads,
/// attributes. Does nothing unless is_recorded(inputs).
template <class Attrs>
void record_op(const char* name, void (*backward)(Backward&),
               std::initializer_list<const Tensor*> inputs, Tensor& output,
               std::initializer_list<const Tensor*> saved, const Attrs& attrs) {
  static_assert(sizeof(Attrs) <= sizeof(Record::attrs));
  static_assert(std::is_trivially_copyable_v<Attrs>);
  if (output.engine().check_finite) require_finite(name, "result", output);
  if (!is_recorded(inputs)) return;
  Tape& tape = *Tape::of(output.engine());
  for (const Tensor* t : inputs) {
    if (t != nullptr && t->defined()) tape.require_present(name, *t);
  }
  Record& record = tape.append(name, backward, output);
  size_t i = 0;
  for (const Tensor* t : inputs) record.in[i++] = t != nullptr && t->defined() ? t->slot : -1;
  i = 0;
  for (const Tensor* t : saved) {
    if (t != nullptr && t->defined()) {
      record.saved[i] = t->detach();
      record.versions[i] = t->storage().version;
    }
    ++i;
  }
  std::memcpy(record.attrs.data(), &attrs, sizeof(Attrs));
}

struct NoAttrs {};

}  // namespace ingot::ops
