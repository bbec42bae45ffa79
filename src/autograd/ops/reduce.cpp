// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/reduce.h"

#include <algorithm>
#include <array>

#include "autograd/op.h"
#include "autograd/ops/shape.h"
#include "kernels/reduce.h"

namespace ingot::ops {
namespace {

using kernels::ReduceOp;

/// x seen as [outer, reduce, inner], after moving the reduced axes together when they are apart.
struct Frame {
  Tensor x;
  int64_t outer = 1, reduce = 1, inner = 1;
  Shape out_shape;
};

Frame frame_of(const char* op, const Tensor& input, std::initializer_list<int> axes, bool keep) {
  std::array<bool, kMaxRank> is_reduced{};
  for (const int axis : axes) {
    const auto a = static_cast<size_t>(normal_axis(op, axis, input.rank()));
    require(!is_reduced[a], Code::kInvalidArgument, "{}: axis {} is named twice", op, axis);
    is_reduced[a] = true;
  }
  if (axes.size() == 0) is_reduced.fill(true);
  Frame f;
  int first = -1, last = -1, count = 0;
  for (int i = 0; i < input.rank(); ++i) {
    if (is_reduced[static_cast<size_t>(i)]) {
      if (first < 0) first = i;
      last = i;
      ++count;
      if (keep) f.out_shape.push(1);
    } else {
      f.out_shape.push(input.dim(i));
    }
  }
  if (count == 0) {  // rank 0
    f.x = contiguous(input);
    return f;
  }
  Tensor x = input;
  if (last - first + 1 != count) {  // [kept..., reduced...]
    std::array<int, kMaxRank> order{};
    int at = 0;
    for (const bool wanted : {false, true}) {
      for (int i = 0; i < input.rank(); ++i) {
        if (is_reduced[static_cast<size_t>(i)] == wanted) order[static_cast<size_t>(at++)] = i;
      }
    }
    x = permute(x, std::span(order.data(), static_cast<size_t>(input.rank())));
    first = input.rank() - count;
    last = input.rank() - 1;
  }
  f.x = contiguous(x);
  f.outer = f.x.shape().size(0, first);
  f.reduce = f.x.shape().size(first, last + 1);
  f.inner = f.x.shape().size(last + 1, f.x.rank());
  return f;
}

struct ReduceAttrs {
  int64_t outer, reduce, inner, correction;
  ReduceOp op;
};

void reduce_backward(Backward& b) {
  const auto attrs = b.attrs<ReduceAttrs>();
  const Backward::Target target = b.target(0);
  kernels::ReduceGradArgs args;
  args.dy = b.grad().data<float>();
  args.x = b.saved(0).defined() ? b.saved(0).data<float>() : nullptr;
  args.index = b.saved(1).defined() ? b.saved(1).data<int64_t>() : nullptr;
  args.dx = target.grad.data<float>();
  args.outer = attrs.outer, args.reduce = attrs.reduce, args.inner = attrs.inner;
  args.correction = attrs.correction;
  args.op = attrs.op;
  args.accumulate = target.accumulate;
  b.engine().launch("reduce_grad", &kernels::reduce_grad, args, target.grad.size());
}

void launch_argmax(const Frame& f, int64_t* index, float* value) {
  kernels::ArgmaxArgs args;
  args.x = f.x.data<float>();
  args.index = index;
  args.value = value;
  args.outer = f.outer, args.reduce = f.reduce, args.inner = f.inner;
  f.x.engine().launch("argmax", &kernels::argmax, args, f.x.size());
}

Tensor reduce(const char* name, ReduceOp op, const Tensor& input, std::initializer_list<int> axes,
              bool keep, int correction = 0) {
  require_f32(name, "x", input);
  const Frame f = frame_of(name, input, axes, keep);
  Engine& engine = input.engine();
  require(op != ReduceOp::kMax || f.reduce > 0, Code::kShapeMismatch,
          "{}: shape {} has no element to take", name, input.shape().text());
  Tensor y = Tensor::empty(engine, f.out_shape);
  Tensor index;
  if (op == ReduceOp::kMax) {
    index = Tensor::empty(engine, f.out_shape, DType::kI64);
    launch_argmax(f, index.data<int64_t>(), y.data<float>());
  } else {
    const Tensor work = scratch(
        engine, kernels::reduce_scratch_bytes(f.outer, f.reduce, f.inner, engine.team().size()));
    kernels::ReduceArgs args;
    args.x = f.x.data<float>();
    args.out = y.data<float>();
    args.scratch = work.raw();
    args.outer = f.outer, args.reduce = f.reduce, args.inner = f.inner;
    args.correction = correction;
    args.op = op;
    engine.launch(name, &kernels::reduce, args, f.x.size());
  }
  const Tensor* x = op == ReduceOp::kVariance ? &f.x : nullptr;
  record_op(name, &reduce_backward, {&f.x}, y, {x, &index},
            ReduceAttrs{f.outer, f.reduce, f.inner, correction, op});
  return y;
}

}  // namespace

Tensor sum(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return reduce("sum", ReduceOp::kSum, x, axes, keep);
}
Tensor mean(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return reduce("mean", ReduceOp::kMean, x, axes, keep);
}
Tensor max(const Tensor& x, std::initializer_list<int> axes, bool keep) {
  return reduce("max", ReduceOp::kMax, x, axes, keep);
}
Tensor variance(const Tensor& x, std::initializer_list<int> axes, int correction, bool keep) {
  return reduce("variance", ReduceOp::kVariance, x, axes, keep, correction);
}

Tensor argmax(const Tensor& x, int axis, bool keep) {
  require_f32("argmax", "x", x);
  const Frame f = frame_of("argmax", x.detach(), {axis}, keep);
  require(f.reduce > 0, Code::kShapeMismatch, "argmax: shape {} has no element to take",
          x.shape().text());
  Tensor index = Tensor::empty(x.engine(), f.out_shape, DType::kI64);
  launch_argmax(f, index.data<int64_t>(), nullptr);
  return index;
}

}  // namespace ingot::ops
