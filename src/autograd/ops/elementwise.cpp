// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/elementwise.h"

#include "autograd/op.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"

namespace ingot::ops {
namespace {

using kernels::BinaryOp;
using kernels::UnaryOp;

/// Strides of x read with `shape`: 0 on broadcast and missing axes.
void broadcast_strides(const Tensor& x, const Shape& shape, int64_t* out) {
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = i - (shape.rank() - x.rank());
    out[i] = axis < 0 || x.dim(axis) == 1 ? 0 : x.stride(axis);
  }
}

template <class Args>
void set_shape(const Shape& shape, Args& args) {
  args.dims = shape.rank();
  for (int i = 0; i < shape.rank(); ++i) args.shape[i] = shape[i];
}

/// target (+)= sum of `full` over the axes that target broadcast.
void reduce_to(const Tensor& full, const Backward::Target& target) {
  Engine& engine = full.engine();
  kernels::SumToArgs args;
  set_shape(full.shape(), args);
  const int shift = full.rank() - target.grad.rank();
  for (int i = 0; i < full.rank(); ++i) {
    args.out_shape[i] = i < shift ? 1 : target.grad.dim(i - shift);
  }
  const Tensor work = scratch(
      engine,
      kernels::sum_to_scratch_bytes(args.dims, args.shape, args.out_shape, engine.team().size()));
  args.x = full.data<float>();
  args.out = target.grad.data<float>();
  args.scratch = work.data<float>();
  args.accumulate = target.accumulate;
  engine.launch("sum_to", &kernels::sum_to, args, full.size());
}

struct BinaryAttrs {
  BinaryOp op;
};

void binary_backward_one(Backward& b, int wrt) {
  const Tensor &a = b.saved(0), &c = b.saved(1), &dy = b.grad();
  const auto op = b.attrs<BinaryAttrs>().op;
  const bool is_same = b.input_shape(wrt) == dy.shape();
  if (op == BinaryOp::kAdd || (op == BinaryOp::kSub && wrt == 0)) {
    if (is_same) {
      b.pass(wrt, dy);
    } else {
      reduce_to(dy, b.target(wrt));
    }
    return;
  }
  Engine& engine = b.engine();
  Backward::Target target = is_same ? b.target(wrt) : Backward::Target{};
  Tensor full = is_same ? target.grad : Tensor::empty(engine, dy.shape());
  kernels::BinaryGradArgs args;
  args.dy = dy.data<float>();
  args.dx = full.data<float>();
  set_shape(dy.shape(), args);
  if (op != BinaryOp::kSub) {  // sub reads neither operand
    args.a = a.data<float>();
    args.b = c.data<float>();
    broadcast_strides(a, dy.shape(), args.stride_a);
    broadcast_strides(c, dy.shape(), args.stride_b);
  }
  args.op = op;
  args.wrt = wrt;
  args.accumulate = target.accumulate;
  engine.launch("binary_grad", &kernels::binary_grad, args, dy.size());
  if (!is_same) reduce_to(full, b.target(wrt));
}

void binary_backward(Backward& b) {
  if (b.needs(0)) binary_backward_one(b, 0);
  if (b.needs(1)) binary_backward_one(b, 1);
}

Tensor binary(const char* name, BinaryOp op, const Tensor& a, const Tensor& b) {
  require_f32(name, "a", a);
  require_f32(name, "b", b);
  const Shape shape = broadcast_shape(name, a.shape(), b.shape());
  Engine& engine = a.engine();
  Tensor y = Tensor::empty(engine, shape);
  kernels::BinaryArgs args;
  args.a = a.data<float>();
  args.b = b.data<float>();
  args.out = y.data<float>();
  set_shape(shape, args);
  broadcast_strides(a, shape, args.stride_a);
  broadcast_strides(b, shape, args.stride_b);
  args.op = op;
  engine.launch(name, &kernels::binary, args, y.size());
  const bool reads = op == BinaryOp::kMul || op == BinaryOp::kDiv;  // add and sub save nothing
  record_op(name, &binary_backward, {&a, &b}, y, {reads ? &a : nullptr, reads ? &b : nullptr},
            BinaryAttrs{op});
  return y;
}

struct UnaryAttrs {
  UnaryOp op;
  float p0, p1;
};

void unary_backward(Backward& b) {
  const auto attrs = b.attrs<UnaryAttrs>();
  const Backward::Target target = b.target_in_place(0);
  kernels::UnaryGradArgs args;
  args.dy = b.grad().data<float>();
  args.saved = b.saved(0).defined() ? b.saved(0).data<float>() : nullptr;
  args.dx = target.grad.data<float>();
  args.n = b.grad().size();
  args.p0 = attrs.p0;
  args.p1 = attrs.p1;
  args.op = attrs.op;
  args.accumulate = target.accumulate;
  b.engine().launch("unary_grad", &kernels::unary_grad, args, args.n);
}

Tensor unary(const char* name, UnaryOp op, const Tensor& input, float p0 = 0, float p1 = 0) {
  require_f32(name, "x", input);
  const Tensor x = contiguous(input);
  Engine& engine = x.engine();
  Tensor y = Tensor::empty(engine, x.shape());
  kernels::UnaryArgs args;
  args.x = x.data<float>();
  args.y = y.data<float>();
  args.n = x.size();
  args.p0 = p0;
  args.p1 = p1;
  args.op = op;
  engine.launch(name, &kernels::unary, args, args.n);
  const Tensor* saved = kernels::unary_saves_output(op) ? &y : &x;
  if (op == UnaryOp::kNeg) saved = nullptr;
  record_op(name, &unary_backward, {&x}, y, {saved}, UnaryAttrs{op, p0, p1});
  return y;
}

struct ScaleAttrs {
  float alpha;
};

void scale_backward(Backward& b) {
  const Backward::Target target = b.target_in_place(0);
  kernels::ScaleAddArgs args;
  args.x = b.grad().data<float>();
  args.dst = target.grad.data<float>();
  args.n = b.grad().size();
  args.alpha = b.attrs<ScaleAttrs>().alpha;
  args.accumulate = target.accumulate;
  b.engine().launch("scale_grad", &kernels::scale_add, args, args.n);
}

void where_backward(Backward& b) {
  const Tensor &cond = b.saved(0), &dy = b.grad();
  for (const int wrt : {0, 1}) {
    if (!b.needs(wrt + 1)) continue;
    Tensor full = Tensor::empty(b.engine(), dy.shape());
    kernels::WhereGradArgs args;
    args.cond = cond.data<uint8_t>();
    args.dy = dy.data<float>();
    args.dx = full.data<float>();
    set_shape(dy.shape(), args);
    broadcast_strides(cond, dy.shape(), args.stride_cond);
    args.wrt = wrt;
    b.engine().launch("where_grad", &kernels::where_grad, args, dy.size());
    reduce_to(full, b.target(wrt + 1));
  }
}

struct GatedAttrs {
  kernels::Activation activation;
};

void gated_backward(Backward& b) {
  const Tensor &gate = b.saved(0), &up = b.saved(1);
  const int64_t cols = gate.dim(-1);
  // The kernel writes both with one accumulate flag; an odd pair goes through temporaries.
  const bool is_direct =
      b.needs(0) && b.needs(1) && !b.is_same(0, 1) && b.is_written(0) == b.is_written(1);
  const auto place = [&](int input, const Tensor& like) {
    return is_direct ? b.target(input)
                     : Backward::Target{Tensor::empty(b.engine(), like.shape()), false};
  };
  const Backward::Target dgate = place(0, gate), dup = place(1, up);
  kernels::GatedGradArgs args;
  args.dh = b.grad().data<float>();
  args.gate = gate.data<float>();
  args.up = up.data<float>();
  args.dgate = dgate.grad.data<float>();
  args.dup = dup.grad.data<float>();
  args.rows = gate.size() / std::max<int64_t>(cols, 1);
  args.cols = args.gate_stride = args.up_stride = cols;
  args.activation = b.attrs<GatedAttrs>().activation;
  args.accumulate = dgate.accumulate;
  b.engine().launch("gated_grad", &kernels::gated_grad, args, gate.size());
  if (is_direct) return;
  if (b.needs(0)) b.add(0, dgate.grad);
  if (b.needs(1)) b.add(1, dup.grad);
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary("add", BinaryOp::kAdd, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary("sub", BinaryOp::kSub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary("mul", BinaryOp::kMul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary("div", BinaryOp::kDiv, a, b); }

Tensor scale(const Tensor& input, float alpha) {
  require_f32("scale", "x", input);
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), x.shape());
  kernels::ScaleAddArgs args;
  args.x = x.data<float>();
  args.dst = y.data<float>();
  args.n = x.size();
  args.alpha = alpha;
  x.engine().launch("scale", &kernels::scale_add, args, args.n);
  record_op("scale", &scale_backward, {&x}, y, {}, ScaleAttrs{alpha});
  return y;
}

Tensor neg(const Tensor& x) { return unary("neg", UnaryOp::kNeg, x); }
Tensor exp(const Tensor& x) { return unary("exp", UnaryOp::kExp, x); }
Tensor log(const Tensor& x) { return unary("log", UnaryOp::kLog, x); }
Tensor sqrt(const Tensor& x) { return unary("sqrt", UnaryOp::kSqrt, x); }
Tensor abs(const Tensor& x) { return unary("abs", UnaryOp::kAbs, x); }
Tensor tanh(const Tensor& x) { return unary("tanh", UnaryOp::kTanh, x); }
Tensor sigmoid(const Tensor& x) { return unary("sigmoid", UnaryOp::kSigmoid, x); }
Tensor relu(const Tensor& x) { return unary("relu", UnaryOp::kRelu, x); }
Tensor leaky_relu(const Tensor& x, float slope) {
  return unary("leaky_relu", UnaryOp::kLeakyRelu, x, slope);
}
Tensor gelu(const Tensor& x) { return unary("gelu", UnaryOp::kGelu, x); }
Tensor gelu_tanh(const Tensor& x) { return unary("gelu_tanh", UnaryOp::kGeluTanh, x); }
Tensor silu(const Tensor& x) { return unary("silu", UnaryOp::kSilu, x); }
Tensor pow(const Tensor& x, float exponent) { return unary("pow", UnaryOp::kPow, x, exponent); }
Tensor clamp(const Tensor& x, float lo, float hi) {
  require(lo <= hi, Code::kInvalidArgument, "clamp: lo {} is above hi {}", lo, hi);
  return unary("clamp", UnaryOp::kClamp, x, lo, hi);
}

Tensor where(const Tensor& cond, const Tensor& a, const Tensor& b) {
  require(cond.defined() && cond.dtype() == DType::kU8, Code::kDtypeMismatch,
          "where: cond must be uint8");
  require_f32("where", "a", a);
  require_f32("where", "b", b);
  const Shape shape =
      broadcast_shape("where", cond.shape(), broadcast_shape("where", a.shape(), b.shape()));
  Engine& engine = a.engine();
  Tensor y = Tensor::empty(engine, shape);
  kernels::WhereArgs args;
  args.cond = cond.data<uint8_t>();
  args.a = a.data<float>();
  args.b = b.data<float>();
  args.out = y.data<float>();
  set_shape(shape, args);
  broadcast_strides(cond, shape, args.stride_cond);
  broadcast_strides(a, shape, args.stride_a);
  broadcast_strides(b, shape, args.stride_b);
  engine.launch("where", &kernels::where, args, y.size());
  record_op("where", &where_backward, {nullptr, &a, &b}, y, {&cond}, NoAttrs{});
  return y;
}

Tensor gated(const Tensor& gate_in, const Tensor& up_in, kernels::Activation activation) {
  require_f32("gated", "gate", gate_in);
  require_f32("gated", "up", up_in);
  require(gate_in.shape() == up_in.shape() && gate_in.rank() > 0, Code::kShapeMismatch,
          "gated: gate is {} and up is {}, equal shapes of rank 1 or more are needed",
          gate_in.shape().text(), up_in.shape().text());
  const Tensor gate = contiguous(gate_in);
  const Tensor up = contiguous(up_in);
  Tensor h = Tensor::empty(gate.engine(), gate.shape());
  kernels::GatedArgs args;
  args.gate = gate.data<float>();
  args.up = up.data<float>();
  args.h = h.data<float>();
  args.cols = args.gate_stride = args.up_stride = gate.dim(-1);
  args.rows = gate.size() / std::max<int64_t>(args.cols, 1);
  args.activation = activation;
  gate.engine().launch("gated", &kernels::gated, args, gate.size());
  record_op("gated", &gated_backward, {&gate, &up}, h, {&gate, &up}, GatedAttrs{activation});
  return h;
}

}  // namespace ingot::ops
