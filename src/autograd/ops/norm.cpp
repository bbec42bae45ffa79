// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/norm.h"

#include "autograd/op.h"
#include "autograd/ops/shape.h"
#include "kernels/dropout.h"
#include "kernels/norm.h"
#include "kernels/rope.h"
#include "kernels/softmax.h"

namespace ingot::ops {
namespace {

int64_t vectors_in(const Tensor& x) { return x.size() / std::max<int64_t>(x.dim(-1), 1); }

void require_axis(const char* op, const Tensor& x) {
  require(x.rank() >= 1 && x.dim(-1) >= 1, Code::kShapeMismatch,
          "{}: shape {} has no last axis with elements", op, x.shape().text());
}

void require_vector(const char* op, const char* name, const Tensor& v, int64_t size) {
  if (!v.defined()) return;
  require_f32(op, name, v);
  require(v.rank() == 1 && v.dim(0) == size && v.is_contiguous(), Code::kShapeMismatch,
          "{}: {} is {} but the last axis of x is {}", op, name, v.shape().text(), size);
}

// ---- softmax ------------------------------------------------------------------------------------

struct SoftmaxAttrs {
  bool is_log;
};

void softmax_backward(Backward& b) {
  const Backward::Target target = b.target_in_place(0);
  kernels::SoftmaxGradArgs args;
  args.dy = b.grad().data<float>();
  args.y = b.saved(0).data<float>();
  args.dx = target.grad.data<float>();
  args.cols = b.saved(0).dim(-1);
  args.rows = vectors_in(b.saved(0));
  args.log = b.attrs<SoftmaxAttrs>().is_log;
  args.accumulate = target.accumulate;
  b.engine().launch("softmax_grad", &kernels::softmax_grad, args, 3 * b.grad().size());
}

Tensor softmax_of(const char* name, const Tensor& input, bool is_log) {
  require_f32(name, "x", input);
  require_axis(name, input);
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), x.shape());
  kernels::SoftmaxArgs args;
  args.x = x.data<float>();
  args.y = y.data<float>();
  args.cols = x.dim(-1);
  args.rows = vectors_in(x);
  args.log = is_log;
  x.engine().launch(name, &kernels::softmax, args, 5 * x.size());
  record_op(name, &softmax_backward, {&x}, y, {&y}, SoftmaxAttrs{is_log});
  return y;
}

// ---- norms --------------------------------------------------------------------------------------

/// Where a norm's kernel writes the gradient of one input: its own place, a temporary, or nowhere.
Backward::Target norm_place(Backward& b, int input, bool is_direct) {
  if (!b.needs(input)) return {};
  if (is_direct) return b.target(input);
  return {Tensor::empty(b.engine(), b.input_shape(input)), false};
}

void add_places(Backward& b, std::initializer_list<const Backward::Target*> places) {
  int input = 0;
  for (const Backward::Target* place : places) {
    if (place->grad.defined()) b.add(input, place->grad);
    ++input;
  }
}

/// One kernel writes the gradients of x, weight and bias with one accumulate flag for the two
/// parameters; when theirs differ, or one tensor is two inputs, all are written apart and added.
void layer_norm_backward(Backward& b) {
  const Tensor& x = b.saved(0);
  const bool is_mixed = b.needs(1) && b.needs(2) && b.is_written(1) != b.is_written(2);
  const bool is_direct = !is_mixed && !b.is_same(0, 1) && !b.is_same(0, 2) && !b.is_same(1, 2);
  const Backward::Target dx = norm_place(b, 0, is_direct);
  const Backward::Target dw = norm_place(b, 1, is_direct);
  const Backward::Target db = norm_place(b, 2, is_direct);
  const Tensor work = scratch(b.engine(), kernels::norm_grad_scratch_bytes(
                                              vectors_in(x), x.dim(-1), b.engine().team().size()));
  kernels::LayerNormGradArgs args;
  args.dy = b.grad().data<float>();
  args.x = x.data<float>();
  args.weight = b.saved(1).data_or_null<float>();
  args.mean = b.saved(2).data<float>();
  args.rstd = b.saved(3).data<float>();
  args.dx = dx.grad.data_or_null<float>();
  args.dweight = dw.grad.data_or_null<float>();
  args.dbias = db.grad.data_or_null<float>();
  args.scratch = work.data<float>();
  args.rows = vectors_in(x);
  args.cols = x.dim(-1);
  args.accumulate_dx = dx.accumulate;
  args.accumulate_params = b.needs(1) ? dw.accumulate : db.accumulate;
  b.engine().launch("layer_norm_grad", &kernels::layer_norm_grad, args, 10 * x.size());
  if (!is_direct) add_places(b, {&dx, &dw, &db});
}

void rms_norm_backward(Backward& b) {
  const Tensor& x = b.saved(0);
  const bool is_direct = !b.is_same(0, 1);
  const Backward::Target dx = norm_place(b, 0, is_direct);
  const Backward::Target dw = norm_place(b, 1, is_direct);
  const Tensor work = scratch(b.engine(), kernels::norm_grad_scratch_bytes(
                                              vectors_in(x), x.dim(-1), b.engine().team().size()));
  kernels::RmsNormGradArgs args;
  args.dy = b.grad().data<float>();
  args.x = x.data<float>();
  args.weight = b.saved(1).data_or_null<float>();
  args.rstd = b.saved(2).data<float>();
  args.dx = dx.grad.data_or_null<float>();
  args.dweight = dw.grad.data_or_null<float>();
  args.scratch = work.data<float>();
  args.rows = vectors_in(x);
  args.cols = x.dim(-1);
  args.accumulate_dx = dx.accumulate;
  args.accumulate_params = dw.accumulate;
  b.engine().launch("rms_norm_grad", &kernels::rms_norm_grad, args, 8 * x.size());
  if (!is_direct) add_places(b, {&dx, &dw});
}

// ---- dropout ------------------------------------------------------------------------------------

struct DropoutAttrs {
  uint32_t op_id;
  float p;
};

void launch_dropout(Engine& engine, const float* x, float* y, int64_t n, DropoutAttrs attrs,
                    bool accumulate) {
  kernels::DropoutArgs args;
  args.x = x;
  args.step = engine.step_counter();
  args.y = y;
  args.n = n;
  args.seed = engine.seed();
  args.op_id = attrs.op_id;
  args.p = attrs.p;
  args.accumulate = accumulate;
  engine.launch("dropout", &kernels::dropout, args, n);
}

void dropout_backward(Backward& b) {
  const Backward::Target target = b.target_in_place(0);
  launch_dropout(b.engine(), b.grad().data<float>(), target.grad.data<float>(), b.grad().size(),
                 b.attrs<DropoutAttrs>(), target.accumulate);
}

// ---- rope ---------------------------------------------------------------------------------------

struct RopeAttrs {
  bool is_interleaved;
};

void launch_rope(const Tensor& x, const Tensor& y, const Tensor& cos, const Tensor& sin,
                 const Tensor& positions, kernels::RopeArgs args) {
  args.x = x.data<float>();
  args.cos = cos.data<float>();
  args.sin = sin.data<float>();
  args.positions = positions.defined() ? positions.data<int32_t>() : nullptr;
  args.y = y.data<float>();
  args.batch = x.dim(0), args.seq = x.dim(1), args.heads = x.dim(2), args.head_dim = x.dim(3);
  args.rotary_dim = 2 * cos.dim(1);
  for (int i = 0; i < 3; ++i) {
    args.x_stride[i] = x.stride(i);
    args.y_stride[i] = y.stride(i);
  }
  x.engine().launch("rope", &kernels::rope, args, 3 * x.size());
}

void rope_backward(Backward& b) {
  const Backward::Target target = b.target_in_place(0);
  kernels::RopeArgs args;
  args.style = b.attrs<RopeAttrs>().is_interleaved ? kernels::RopeStyle::kInterleaved
                                                   : kernels::RopeStyle::kHalf;
  args.inverse = true;
  args.accumulate = target.accumulate;
  launch_rope(b.grad(), target.grad, b.saved(0), b.saved(1), b.saved(2), args);
}

}  // namespace

Tensor softmax(const Tensor& x) { return softmax_of("softmax", x, false); }
Tensor log_softmax(const Tensor& x) { return softmax_of("log_softmax", x, true); }

Tensor layer_norm(const Tensor& input, const Tensor& weight, const Tensor& bias, float eps) {
  require_f32("layer_norm", "x", input);
  require_axis("layer_norm", input);
  const Tensor x = contiguous(input);
  require_vector("layer_norm", "weight", weight, x.dim(-1));
  require_vector("layer_norm", "bias", bias, x.dim(-1));
  Engine& engine = x.engine();
  const int64_t rows = vectors_in(x);
  Tensor y = Tensor::empty(engine, x.shape());
  const bool is_taped = is_recorded({&x, &weight, &bias});
  const Tensor mean = is_taped ? Tensor::empty(engine, {rows}) : Tensor();
  const Tensor rstd = is_taped ? Tensor::empty(engine, {rows}) : Tensor();
  kernels::LayerNormArgs args;
  args.x = x.data<float>();
  args.weight = weight.data_or_null<float>();
  args.bias = bias.data_or_null<float>();
  args.y = y.data<float>();
  args.mean = mean.data_or_null<float>();
  args.rstd = rstd.data_or_null<float>();
  args.rows = rows;
  args.cols = x.dim(-1);
  args.eps = eps;
  engine.launch("layer_norm", &kernels::layer_norm, args, 7 * x.size());
  record_op("layer_norm", &layer_norm_backward, {&x, &weight, &bias}, y,
            {&x, &weight, &mean, &rstd}, NoAttrs{});
  return y;
}

Tensor rms_norm(const Tensor& input, const Tensor& weight, float eps) {
  require_f32("rms_norm", "x", input);
  require_axis("rms_norm", input);
  const Tensor x = contiguous(input);
  require_vector("rms_norm", "weight", weight, x.dim(-1));
  Engine& engine = x.engine();
  Tensor y = Tensor::empty(engine, x.shape());
  const Tensor rstd =
      is_recorded({&x, &weight}) ? Tensor::empty(engine, {vectors_in(x)}) : Tensor();
  kernels::RmsNormArgs args;
  args.x = x.data<float>();
  args.weight = weight.data_or_null<float>();
  args.y = y.data<float>();
  args.rstd = rstd.data_or_null<float>();
  args.rows = vectors_in(x);
  args.cols = x.dim(-1);
  args.eps = eps;
  engine.launch("rms_norm", &kernels::rms_norm, args, 4 * x.size());
  record_op("rms_norm", &rms_norm_backward, {&x, &weight}, y, {&x, &weight, &rstd}, NoAttrs{});
  return y;
}

Tensor dropout(const Tensor& input, float p) {
  require_f32("dropout", "x", input);
  require(p >= 0.0F && p < 1.0F, Code::kInvalidArgument,
          "dropout: p is {}, it must be at least 0 and below 1", p);
  if (p == 0.0F) return input;
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), x.shape());
  const DropoutAttrs attrs{static_cast<uint32_t>(x.engine().next_op_id()), p};
  launch_dropout(x.engine(), x.data<float>(), y.data<float>(), x.size(), attrs, false);
  record_op("dropout", &dropout_backward, {&x}, y, {}, attrs);
  return y;
}

Tensor rope(const Tensor& x, const Tensor& cos, const Tensor& sin, const Tensor& positions,
            bool is_interleaved) {
  require_f32("rope", "x", x);
  require_f32("rope", "cos", cos);
  require_f32("rope", "sin", sin);
  require(x.rank() == 4 && x.stride(3) == 1, Code::kShapeMismatch,
          "rope: x is {}, [batch, seq, heads, head_dim] with dense rows is needed",
          x.shape().text());
  require(cos.rank() == 2 && cos.shape() == sin.shape() && 2 * cos.dim(1) <= x.dim(3) &&
              cos.is_contiguous() && sin.is_contiguous(),
          Code::kShapeMismatch, "rope: tables {} and {} do not fit head_dim {}", cos.shape().text(),
          sin.shape().text(), x.dim(3));
  require(positions.defined() || x.dim(1) <= cos.dim(0), Code::kInvalidArgument,
          "rope: a sequence of {} tokens is longer than the tables' {}", x.dim(1), cos.dim(0));
  if (positions.defined()) {
    require(positions.dtype() == DType::kI32 && positions.size() == x.dim(0) * x.dim(1) &&
                positions.is_contiguous(),
            Code::kShapeMismatch, "rope: positions are {} {}, int32 with {} elements are needed",
            dtype_name(positions.dtype()), positions.shape().text(), x.dim(0) * x.dim(1));
    check_ids("rope", positions, cos.dim(0));
  }
  Tensor y = Tensor::empty(x.engine(), x.shape());
  kernels::RopeArgs args;
  args.style = is_interleaved ? kernels::RopeStyle::kInterleaved : kernels::RopeStyle::kHalf;
  launch_rope(x, y, cos, sin, positions, args);
  record_op("rope", &rope_backward, {&x}, y, {&cos, &sin, &positions}, RopeAttrs{is_interleaved});
  return y;
}

RopeTables rope_tables(Engine& engine, int64_t max_pos, int64_t rotary_dim, double theta) {
  require(rotary_dim > 0 && rotary_dim % 2 == 0, Code::kInvalidArgument,
          "rope: rotary_dim is {}, a positive even number is needed", rotary_dim);
  RopeTables t{Tensor::zeros(engine, {max_pos, rotary_dim / 2}),
               Tensor::zeros(engine, {max_pos, rotary_dim / 2})};
  kernels::rope_tables(max_pos, rotary_dim, theta, t.cos.data<float>(), t.sin.data<float>());
  return t;
}

}  // namespace ingot::ops
