// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/recurrent.h"

#include "autograd/op.h"
#include "autograd/ops/linear.h"
#include "kernels/gemm.h"
#include "kernels/recurrent.h"
#include "kernels/reduce.h"

namespace ingot::ops {
namespace {

using kernels::gate_count;
using kernels::RecurrentKind;

struct RecurrentAttrs {
  RecurrentKind kind;
  bool is_reverse;
};

/// A run of the gates' gradients: dz [steps, rows of the weight], each step `stride` floats apart.
struct GateGradient {
  const float* dz;
  int64_t stride, first, count;
};

/// dweight [count, hidden] = dzᵀ · prev, for the weight's rows from `first`.
void weight_gradient(Backward& b, const GateGradient& g, const Tensor& prev,
                     const Backward::Target& to) {
  const int64_t hidden = prev.dim(-1);
  kernels::GemmArgs args;
  args.a = g.dz;
  args.b = prev.data<float>();
  args.c = to.grad.data<float>() + g.first * hidden;
  args.m = g.count, args.n = hidden, args.k = prev.dim(0) * prev.dim(1);
  args.lda = g.stride, args.ldb = hidden, args.ldc = hidden;
  args.trans_a = true;
  args.accumulate = to.accumulate;
  launch_gemm(b.engine(), "recurrent_dw", args);
}

void bias_gradient(Backward& b, const GateGradient& g, int64_t steps, const Backward::Target& to) {
  const Tensor work = scratch(
      b.engine(), kernels::column_sum_scratch_bytes(steps, g.count, b.engine().team().size()));
  kernels::ColumnSumArgs args;
  args.x = g.dz;
  args.out = to.grad.data<float>() + g.first;
  args.scratch = work.data<float>();
  args.rows = steps, args.cols = g.count, args.row_stride = g.stride;
  args.accumulate = to.accumulate;
  b.engine().launch("recurrent_db", &kernels::column_sum, args, steps * g.count);
}

// The kernel turns activations into gradients where they lie: nobody else reads what is saved.
void recurrent_backward(Backward& b) {
  const Tensor &gates = b.saved(0), &inner = b.saved(1), &prev = b.saved(2), &weight = b.saved(3);
  const Tensor &ids = b.saved(4), &dropout = b.saved(5), &y = b.saved(6);
  const auto attrs = b.attrs<RecurrentAttrs>();
  const int64_t batch = prev.dim(0), seq = prev.dim(1), hidden = prev.dim(2);
  const Tensor work =
      scratch(b.engine(), kernels::recurrent_grad_scratch_bytes(attrs.kind, batch, hidden));
  kernels::RecurrentGradArgs args;
  args.dy = b.grad().data<float>();
  args.gates = gates.data<float>();
  args.weight = weight.data<float>();
  args.ids = ids.data_or_null<int32_t>();
  args.dropout = dropout.data_or_null<float>();
  args.y = y.data_or_null<float>();
  args.inner = inner.data<float>();
  args.scratch = work.data<float>();
  args.batch = batch, args.seq = seq, args.hidden = hidden;
  args.kind = attrs.kind;
  args.is_reverse = attrs.is_reverse;
  b.engine().launch("recurrent_grad", &kernels::recurrent_grad, args, 2 * gates.size() * hidden);
  const bool is_lstm = attrs.kind == RecurrentKind::kLstm;
  const int64_t width = gates.dim(-1), summed = is_lstm ? width : 2 * hidden;
  const GateGradient parts[] = {{gates.data<float>(), width, 0, summed},
                                {inner.data<float>(), hidden, summed, hidden}};
  const auto each_part = std::span(parts).first(is_lstm ? 1 : 2);
  if (b.needs(1)) {
    const Backward::Target to = b.target(1);
    for (const GateGradient& part : each_part) weight_gradient(b, part, prev, to);
  }
  if (b.needs(2)) {
    const Backward::Target to = b.target(2);
    for (const GateGradient& part : each_part) bias_gradient(b, part, batch * seq, to);
  }
  if (b.needs(0)) b.pass(0, gates);
}

void check_gates(const char* op, const char* name, const Tensor& v, int64_t gates) {
  if (!v.defined()) return;
  require_f32(op, name, v);
  require(v.rank() == 1 && v.dim(0) == gates, Code::kShapeMismatch,
          "{}: {} is {}, [{}] is needed (gates times hidden)", op, name, v.shape().text(), gates);
}

void check_recurrent(const char* op, int64_t gates, const Tensor& x, const RecurrentWeights& w,
                     const RecurrentOptions& options) {
  require_f32(op, "x", x);
  require(x.rank() == 3, Code::kShapeMismatch, "{}: x is {}, [batch, seq, in_features] is needed",
          op, x.shape().text());
  require_f32(op, "input weight", w.input);
  require_f32(op, "recurrent weight", w.recurrent);
  require(w.recurrent.rank() == 2 && w.recurrent.dim(1) >= 1 &&
              w.recurrent.dim(0) == gates * w.recurrent.dim(1),
          Code::kShapeMismatch, "{}: recurrent weight is {}, [{} hidden, hidden] is needed", op,
          w.recurrent.shape().text(), gates);
  const int64_t hidden = w.recurrent.dim(1);
  require(w.input.rank() == 2 && w.input.dim(0) == gates * hidden && w.input.dim(1) == x.dim(2),
          Code::kShapeMismatch, "{}: input weight is {} but x is {} and hidden is {}", op,
          w.input.shape().text(), x.shape().text(), hidden);
  check_gates(op, "bias", w.bias, gates * hidden);
  check_gates(op, "recurrent bias", w.recurrent_bias, gates * hidden);
  if (options.ids.defined()) {
    require_plain(op, "ids", options.ids);
    require(options.ids.dtype() == DType::kI32, Code::kDtypeMismatch,
            "{}: ids are {}, int32 is needed", op, dtype_name(options.ids.dtype()));
    require(
        options.ids.rank() == 2 && options.ids.dim(0) == x.dim(0) && options.ids.dim(1) == x.dim(1),
        Code::kShapeMismatch, "{}: ids are {} but x is {}", op, options.ids.shape().text(),
        x.shape().text());
  }
  if (options.dropout.defined()) {
    require_f32(op, "dropout", options.dropout);
    require(options.dropout.rank() == 2 && options.dropout.dim(0) == x.dim(0) &&
                options.dropout.dim(1) == hidden,
            Code::kShapeMismatch, "{}: dropout is {}, [{}, {}] is needed (batch, hidden)", op,
            options.dropout.shape().text(), x.dim(0), hidden);
  }
}

Tensor contiguous_or_empty(const Tensor& t) { return t.defined() ? contiguous(t) : t; }

Tensor run_recurrent(const char* op, RecurrentKind kind, const Tensor& x,
                     const RecurrentWeights& weights, const RecurrentOptions& options) {
  check_recurrent(op, gate_count(kind), x, weights, options);
  const Tensor gates = linear(x, weights.input, weights.bias);  // [batch, seq, G·hidden]
  const Tensor weight = contiguous(weights.recurrent);
  const Tensor bias = contiguous_or_empty(weights.recurrent_bias);
  const Tensor ids = contiguous_or_empty(options.ids);
  const Tensor dropout = contiguous_or_empty(options.dropout).detach();
  Engine& engine = x.engine();
  const Shape shape{x.dim(0), x.dim(1), weight.dim(1)};
  Tensor y = Tensor::empty(engine, shape);
  const Tensor inner = Tensor::empty(engine, shape);
  const bool is_taped = is_recorded({&gates, &weight, &bias});
  const Tensor prev = is_taped || dropout.defined() ? Tensor::empty(engine, shape) : Tensor();
  const Tensor work = scratch(engine, kernels::recurrent_scratch_bytes(kind, weight.dim(1)));
  kernels::RecurrentArgs args;
  args.gates = gates.data<float>();
  args.weight = weight.data<float>();
  args.bias = bias.data_or_null<float>();
  args.ids = ids.data_or_null<int32_t>();
  args.dropout = dropout.data_or_null<float>();
  args.y = y.data<float>();
  args.inner = inner.data<float>();
  args.prev = prev.data_or_null<float>();
  args.scratch = work.data<float>();
  args.batch = shape[0], args.seq = shape[1], args.hidden = shape[2];
  args.kind = kind;
  args.is_reverse = options.is_reverse;
  engine.launch(op, &kernels::recurrent, args, 2 * gates.size() * shape[2]);
  const Tensor states = kind == RecurrentKind::kGru ? y : Tensor();
  record_op(op, &recurrent_backward, {&gates, &weight, &bias}, y,
            {&gates, &inner, &prev, &weight, &ids, &dropout, &states},
            RecurrentAttrs{kind, options.is_reverse});
  return y;
}

}  // namespace

Tensor lstm(const Tensor& x, const RecurrentWeights& weights, const RecurrentOptions& options) {
  return run_recurrent("lstm", RecurrentKind::kLstm, x, weights, options);
}

Tensor gru(const Tensor& x, const RecurrentWeights& weights, const RecurrentOptions& options) {
  return run_recurrent("gru", RecurrentKind::kGru, x, weights, options);
}

}  // namespace ingot::ops
