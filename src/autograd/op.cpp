// SPDX-License-Identifier: Apache-2.0
#include "autograd/op.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/copy.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace ingot::ops {
namespace {

void contiguous_backward(Backward& b) { b.pass(0, b.grad()); }

kernels::UnaryOp unary_of(kernels::Activation activation) {
  switch (activation) {
    case kernels::Activation::kGelu:
      return kernels::UnaryOp::kGelu;
    case kernels::Activation::kGeluTanh:
      return kernels::UnaryOp::kGeluTanh;
    case kernels::Activation::kSilu:
      return kernels::UnaryOp::kSilu;
    default:
      return kernels::UnaryOp::kRelu;
  }
}

}  // namespace

void require_plain(const char* op, const char* name, const Tensor& x) {
  require(x.defined(), Code::kInvalidArgument, "{}: {} is empty (not initialised)", op, name);
  require(x.layout() == Layout::kPlain, Code::kUnsupported,
          "{}: {} has a packed layout that this op does not take", op, name);
}

void require_f32(const char* op, const char* name, const Tensor& x) {
  require_plain(op, name, x);
  require(x.dtype() == DType::kF32, Code::kDtypeMismatch,
          "{}: {} is {}, float32 is needed. Convert it with cast()", op, name,
          dtype_name(x.dtype()));
}

void require_image(const char* op, const Tensor& x) {
  require_f32(op, "x", x);
  require(x.rank() == 4 && x.dim(1) > 0 && x.dim(2) > 0, Code::kShapeMismatch,
          "{}: x is {}, [batch, height, width, channels] with pixels is needed", op,
          x.shape().text());
}

void require_ids(const char* op, const char* name, const Tensor& x) {
  require_plain(op, name, x);
  require(x.dtype() == DType::kI32 || x.dtype() == DType::kI64, Code::kDtypeMismatch,
          "{}: {} is {}, int32 or int64 is needed", op, name, dtype_name(x.dtype()));
}

Tensor contiguous(const Tensor& x) {
  require_plain("contiguous", "x", x);
  if (x.is_contiguous()) return x;
  Engine& engine = x.engine();
  ++engine.counters.conversions;
  Tensor y = Tensor::empty(engine, x.shape(), x.dtype());
  kernels::CopyArgs args;
  args.src = x.raw();
  args.dst = y.raw();
  args.dims = x.rank();
  args.element_bytes = dtype_size(x.dtype());
  for (int i = 0; i < x.rank(); ++i) {
    args.shape[i] = x.dim(i);
    args.src_stride[i] = x.stride(i);
    args.dst_stride[i] = y.stride(i);
  }
  engine.launch("contiguous", &kernels::strided_copy, args);
  record_op("contiguous", &contiguous_backward, {&x}, y, {}, NoAttrs{});
  return y;
}

Tensor scratch(Engine& engine, int64_t bytes) {
  return Tensor::empty(engine, {std::max<int64_t>(bytes, 1)}, DType::kU8);
}

void launch_gemm(Engine& engine, const char* name, const kernels::GemmArgs& args) {
  const Tensor work = scratch(engine, kernels::gemm_scratch_bytes(args, engine.team().size()));
  kernels::GemmArgs product = args;
  product.scratch = work.data<float>();
  engine.launch(name, &kernels::gemm, product, 2 * args.batch * args.m * args.n * args.k);
}

void fill(const Tensor& dst, float value) {
  kernels::FillArgs args;
  args.dst = dst.data<float>();
  args.n = dst.size();
  args.value = value;
  dst.engine().launch("fill", &kernels::fill, args);
}

void add_gradient(const Tensor& x, const Tensor& dst, bool accumulate) {
  kernels::ScaleAddArgs args;
  args.x = x.data<float>();
  args.dst = dst.data<float>();
  args.n = x.size();
  args.accumulate = accumulate;
  x.engine().launch("add_grad", &kernels::scale_add, args, accumulate ? x.size() : 0);
}

Tensor activation_gradient(Backward& b, const Tensor& saved, kernels::Activation activation) {
  if (activation == kernels::Activation::kNone) return b.grad();
  Tensor dz = b.grad().sole_owner() ? b.grad() : Tensor::empty(b.engine(), b.grad().shape());
  kernels::UnaryGradArgs args;
  args.dy = b.grad().data<float>();
  args.saved = saved.data<float>();
  args.dx = dz.data<float>();
  args.n = dz.size();
  args.op = unary_of(activation);
  b.engine().launch("activation_grad", &kernels::unary_grad, args, args.n);
  return dz;
}

void bias_gradient(Backward& b, int input, const Tensor& dz, const char* name) {
  const int64_t cols = dz.dim(-1), rows = dz.shape().size(0, dz.rank() - 1);
  const Backward::Target target = b.target(input);
  const Tensor work =
      scratch(b.engine(), kernels::column_sum_scratch_bytes(rows, cols, b.engine().team().size()));
  kernels::ColumnSumArgs args;
  args.x = dz.data<float>();
  args.out = target.grad.data<float>();
  args.scratch = work.data<float>();
  args.rows = rows, args.cols = cols, args.row_stride = cols;
  args.accumulate = target.accumulate;
  b.engine().launch(name, &kernels::column_sum, args, dz.size());
}

void require_finite(const char* op, const char* what, const Tensor& x) {
  if (x.dtype() != DType::kF32 || x.layout() != Layout::kPlain) return;
  int64_t at = 0;
  for (const float v : x.to_vector<float>()) {
    const ScopeName& scope = x.engine().scope;
    require(std::isfinite(v), Code::kNumeric, "the {} of {} in {}{} is {} at element {}", what, op,
            scope.kind == nullptr ? "the model" : scope.kind,
            scope.index < 0 ? "" : " " + std::to_string(scope.index), v, at);
    ++at;
  }
}

bool is_recorded(std::initializer_list<const Tensor*> inputs) {
  for (const Tensor* t : inputs) {
    if (t != nullptr && t->defined() && t->slot >= 0) return t->engine().tape != nullptr;
  }
  return false;
}

}  // namespace ingot::ops
