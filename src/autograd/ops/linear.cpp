// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/linear.h"

#include "autograd/op.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace ingot::ops {
namespace {

using kernels::Activation;
using kernels::GemmArgs;

// ---- matmul -------------------------------------------------------------------------------------

/// One operand of a batched product: the matrix as the kernel reads it.
struct Operand {
  Tensor tensor;
  int64_t rows, cols, ld, batch, batch_stride;
  bool trans;  // stored transposed
};

/// Reads x as [batch, rows, cols] (after `trans`), absorbing a transposed view.
Operand operand(const Tensor& x, bool trans) {
  const auto plain_rows = [](const Tensor& t, int row_axis, int col_axis) {
    return (t.dim(col_axis) == 1 || t.stride(col_axis) == 1) &&
           (t.dim(row_axis) == 1 || t.stride(row_axis) >= t.dim(col_axis));
  };
  Tensor t = x;
  bool is_packed_batch = true;  // leading axes behave as one
  for (int i = 0; i + 3 < x.rank(); ++i) {
    is_packed_batch &= x.stride(i) == x.stride(i + 1) * x.dim(i + 1);
  }
  bool swapped = false;
  if (!is_packed_batch || !plain_rows(t, -2, -1)) {
    swapped = is_packed_batch && plain_rows(t, -1, -2);
    if (!swapped) t = contiguous(t);
  }
  const int64_t stored_rows = swapped ? t.dim(-1) : t.dim(-2);
  const int64_t stored_cols = swapped ? t.dim(-2) : t.dim(-1);
  const int64_t row_stride = swapped ? t.stride(-1) : t.stride(-2);
  Operand o{t,
            trans ? t.dim(-1) : t.dim(-2),
            trans ? t.dim(-2) : t.dim(-1),
            stored_rows == 1 ? std::max<int64_t>(stored_cols, 1) : row_stride,
            t.shape().size(0, t.rank() - 2),
            t.rank() > 2 ? t.stride(-3) : 0,
            trans != swapped};
  return o;
}

struct MatmulAttrs {
  bool trans_a, trans_b;
};

/// Products in a batch whose operands have these; one of them may be repeated.
int64_t joint_batch(int64_t a, int64_t b) { return a == 1 ? b : a; }

/// c (+)= op(a)·op(b) for operands of one batch size (or batch 1, repeated).
void matmul_into(const char* name, const Operand& a, const Operand& b, const Tensor& c,
                 bool accumulate) {
  GemmArgs args;
  args.a = a.tensor.data<float>();
  args.b = b.tensor.data<float>();
  args.c = c.data<float>();
  args.m = a.rows;
  args.n = b.cols;
  args.k = a.cols;
  args.lda = a.ld;
  args.ldb = b.ld;
  args.ldc = args.n;
  args.batch = joint_batch(a.batch, b.batch);
  args.stride_a = a.batch == 1 ? 0 : a.batch_stride;
  args.stride_b = b.batch == 1 ? 0 : b.batch_stride;
  args.stride_c = args.m * args.n;
  args.trans_a = a.trans;
  args.trans_b = b.trans;
  args.accumulate = accumulate;
  launch_gemm(c.engine(), name, args);
}

/// dx (+)= product; when x was repeated over the batch its gradient sums over the batch.
void matmul_grad(Backward& b, int input, const Operand& left, const Operand& right,
                 int64_t own_batch) {
  const Backward::Target target = b.target(input);
  const int64_t batch = joint_batch(left.batch, right.batch);
  if (own_batch == batch) {
    matmul_into("matmul_grad", left, right, target.grad, target.accumulate);
    return;
  }
  Tensor full = Tensor::empty(b.engine(), {batch, left.rows, right.cols});
  matmul_into("matmul_grad", left, right, full, false);
  kernels::ReduceArgs args;
  const Tensor work = scratch(
      b.engine(),
      kernels::reduce_scratch_bytes(1, batch, target.grad.size(), b.engine().team().size()));
  args.x = full.data<float>();
  args.out = target.grad.data<float>();
  args.scratch = work.raw();
  args.reduce = batch;
  args.inner = target.grad.size();
  args.accumulate = target.accumulate;
  b.engine().launch("matmul_grad_sum", &kernels::reduce, args, full.size());
}

// y = A·B: dA = dY·Bᵀ, dB = Aᵀ·dY, each with the stored transposition on the outside.
void matmul_backward(Backward& b) {
  const auto attrs = b.attrs<MatmulAttrs>();
  const Tensor &a = b.saved(0), &c = b.saved(1);
  const Tensor& dy = b.grad();
  const auto batch_of = [](const Tensor& t) { return t.shape().size(0, t.rank() - 2); };
  if (b.needs(0)) {
    if (attrs.trans_a) {  // a stored [k, m]: d(a) = op(b)·dyᵀ
      matmul_grad(b, 0, operand(c, attrs.trans_b), operand(dy, true), batch_of(a));
    } else {
      matmul_grad(b, 0, operand(dy, false), operand(c, !attrs.trans_b), batch_of(a));
    }
  }
  if (b.needs(1)) {
    if (attrs.trans_b) {  // b stored [n, k]: d(b) = dyᵀ·op(a)
      matmul_grad(b, 1, operand(dy, true), operand(a, attrs.trans_a), batch_of(c));
    } else {
      matmul_grad(b, 1, operand(a, !attrs.trans_a), operand(dy, false), batch_of(c));
    }
  }
}

// ---- linear -------------------------------------------------------------------------------------

struct LinearAttrs {
  Activation activation;
};

void linear_backward(Backward& b) {
  const Tensor &x = b.saved(0), &weight = b.saved(1), &pre = b.saved(2);
  const auto activation = b.attrs<LinearAttrs>().activation;
  const int64_t in = weight.dim(1), out = weight.dim(0), rows = x.shape().size(0, x.rank() - 1);
  const Tensor dz = activation_gradient(b, pre, activation);
  if (b.needs(0)) {  // dx [rows, in] = dz [rows, out] · weight [out, in]
    const Backward::Target target = b.target(0);
    GemmArgs args;
    args.a = dz.data<float>();
    args.b = weight.data<float>();
    args.c = target.grad.data<float>();
    args.m = rows, args.n = in, args.k = out;
    args.lda = out, args.ldb = in, args.ldc = in;
    args.accumulate = target.accumulate;
    launch_gemm(b.engine(), "linear_dx", args);
  }
  if (b.needs(1)) {  // dweight [out, in] = dzᵀ [out, rows] · x [rows, in]
    const Backward::Target target = b.target(1);
    GemmArgs args;
    args.a = dz.data<float>();
    args.b = x.data<float>();
    args.c = target.grad.data<float>();
    args.m = out, args.n = in, args.k = rows;
    args.lda = out, args.ldb = in, args.ldc = in;
    args.trans_a = true;
    args.accumulate = target.accumulate;
    launch_gemm(b.engine(), "linear_dw", args);
  }
  if (b.needs(2)) bias_gradient(b, 2, dz, "linear_db");
}

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require_f32("linear", "x", x);
  require(weight.defined(), Code::kInvalidArgument, "linear: weight is empty (not initialised)");
  require(weight.dtype() == DType::kF32, Code::kDtypeMismatch,
          "linear: weight is {}, float32 is needed. Convert it with cast()",
          dtype_name(weight.dtype()));
  require(weight.layout() != Layout::kBlocks, Code::kUnsupported,
          "linear: weight has a packed layout that this op does not take");
  require(weight.rank() == 2, Code::kShapeMismatch,
          "linear: weight is {}, a matrix [out_features, in_features] is needed",
          weight.shape().text());
  require(x.rank() >= 1 && x.dim(-1) == weight.dim(1), Code::kShapeMismatch,
          "linear: input last axis is {} but in_features is {} (input {}, weight {})",
          x.rank() == 0 ? 0 : x.dim(-1), weight.dim(1), x.shape().text(), weight.shape().text());
  if (!bias.defined()) return;
  require_f32("linear", "bias", bias);
  require(bias.rank() == 1 && bias.dim(0) == weight.dim(0), Code::kShapeMismatch,
          "linear: bias is {} but out_features is {}", bias.shape().text(), weight.dim(0));
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, bool trans_a, bool trans_b) {
  require_f32("matmul", "a", a);
  require_f32("matmul", "b", b);
  require(a.rank() >= 2 && b.rank() >= 2, Code::kShapeMismatch,
          "matmul: shapes {} and {}, both need at least two axes", a.shape().text(),
          b.shape().text());
  const Operand left = operand(a, trans_a);
  const Operand right = operand(b, trans_b);
  require(left.cols == right.rows, Code::kShapeMismatch,
          "matmul: inner sizes {} and {} differ (shapes {}{} and {}{})", left.cols, right.rows,
          a.shape().text(), trans_a ? " transposed" : "", b.shape().text(),
          trans_b ? " transposed" : "");
  bool is_batch_equal = a.rank() == b.rank();
  for (int i = 0; is_batch_equal && i + 2 < a.rank(); ++i) is_batch_equal = a.dim(i) == b.dim(i);
  require(is_batch_equal || left.batch == 1 || right.batch == 1, Code::kShapeMismatch,
          "matmul: leading axes of {} and {} differ", a.shape().text(), b.shape().text());
  const bool is_a_lead = left.batch == right.batch ? a.rank() >= b.rank() : right.batch == 1;
  const Tensor& lead = is_a_lead ? a : b;
  Shape shape;
  for (int i = 0; i + 2 < lead.rank(); ++i) shape.push(lead.dim(i));
  shape.push(left.rows);
  shape.push(right.cols);
  Tensor y = Tensor::empty(a.engine(), shape);
  matmul_into("matmul", left, right, y, false);
  record_op("matmul", &matmul_backward, {&a, &b}, y, {&a, &b}, MatmulAttrs{trans_a, trans_b});
  return y;
}

Tensor linear(const Tensor& input, const Tensor& weight_in, const Tensor& bias_in,
              Activation activation) {
  check_linear(input, weight_in, bias_in);
  const Tensor x = contiguous(input);
  const Tensor weight = weight_in.layout() == Layout::kPacked ? weight_in : contiguous(weight_in);
  const Tensor bias = bias_in.defined() ? contiguous(bias_in) : bias_in;
  Engine& engine = x.engine();
  const int64_t in = weight.dim(1), out = weight.dim(0);
  Shape shape;
  for (int i = 0; i + 1 < x.rank(); ++i) shape.push(x.dim(i));
  shape.push(out);
  Tensor y = Tensor::empty(engine, shape);
  const bool is_taped = is_recorded({&x, &weight, &bias});
  require(!is_taped || weight.layout() == Layout::kPlain, Code::kUnsupported,
          "linear: a packed weight has no gradient; train with the plain one");
  // relu's gradient reads its output; the smooth ones need the value before the activation.
  Tensor pre = activation == Activation::kRelu ? y : Tensor();
  if (is_taped && activation != Activation::kNone && activation != Activation::kRelu) {
    pre = Tensor::empty(engine, shape);
  }
  GemmArgs args;
  args.a = x.data<float>();
  args.b = weight.data<float>();
  args.c = y.data<float>();
  args.bias = bias.defined() ? bias.data<float>() : nullptr;
  args.pre = pre.defined() && !pre.shares_storage(y) ? pre.data<float>() : nullptr;
  args.m = x.shape().size(0, x.rank() - 1);
  args.n = out, args.k = in;
  args.lda = in, args.ldb = in, args.ldc = out;
  args.trans_b = true;
  args.b_packed = weight.layout() == Layout::kPacked;
  args.activation = activation;
  launch_gemm(engine, "linear", args);
  record_op("linear", &linear_backward, {&x, &weight, &bias}, y, {&x, &weight, &pre},
            LinearAttrs{activation});
  return y;
}

Tensor pack_weight(const Tensor& weight) {
  require_f32("pack_weight", "weight", weight);
  require(weight.rank() == 2, Code::kShapeMismatch, "pack_weight: weight is {}, a matrix is needed",
          weight.shape().text());
  const Tensor w = contiguous(weight);
  const int64_t out = w.dim(0), in = w.dim(1);
  Tensor packed = Tensor::opaque(w.engine(), w.shape(), DType::kF32, Layout::kPacked,
                                 kernels::gemm_packed_bytes(out, in));
  kernels::GemmPackArgs args;
  args.b = w.data<float>();
  args.packed = packed.data<float>();
  args.n = out, args.k = in, args.ldb = in;
  args.trans_b = true;
  w.engine().launch("pack_weight", &kernels::gemm_pack_b, args);
  return packed;
}

}  // namespace ingot::ops
