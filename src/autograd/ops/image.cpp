// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/image.h"

#include "autograd/op.h"
#include "autograd/ops/shape.h"
#include "kernels/image.h"

namespace ingot::ops {
namespace {

/// Sizes of x [batch, h, w, channels] and y into any of the kernels' arguments.
template <class Args>
Args args_of(const Shape& x, const Shape& y) {
  Args args;
  args.batch = x[0], args.in_h = x[1], args.in_w = x[2], args.channels = x[3];
  args.out_h = y[1], args.out_w = y[2];
  return args;
}

// ---- pad2d --------------------------------------------------------------------------------------

struct PadAttrs {
  int64_t top, left;
  bool is_reflect;
};

void pad2d_backward(Backward& b) {
  const auto attrs = b.attrs<PadAttrs>();
  const Backward::Target target = b.target(0);
  auto args = args_of<kernels::PadGradArgs>(b.input_shape(0), b.grad().shape());
  args.dy = b.grad().data<float>();
  args.dx = target.grad.data<float>();
  args.top = attrs.top, args.left = attrs.left;
  args.is_reflect = attrs.is_reflect;
  args.accumulate = target.accumulate;
  b.engine().launch("pad2d_grad", &kernels::pad_grad, args, b.grad().size());
}

// ---- upsample2d ---------------------------------------------------------------------------------

struct UpsampleAttrs {
  bool is_bilinear;
};

void upsample2d_backward(Backward& b) {
  const Backward::Target target = b.target(0);
  auto args = args_of<kernels::ResizeGradArgs>(b.input_shape(0), b.grad().shape());
  args.dy = b.grad().data<float>();
  args.dx = target.grad.data<float>();
  args.is_bilinear = b.attrs<UpsampleAttrs>().is_bilinear;
  args.accumulate = target.accumulate;
  b.engine().launch("upsample2d_grad", &kernels::resize_grad, args, 8 * b.grad().size());
}

}  // namespace

Tensor pad2d(const Tensor& input, const Padding2d& p, PadMode mode) {
  require_image("pad2d", input);
  require(p.top >= 0 && p.bottom >= 0 && p.left >= 0 && p.right >= 0, Code::kInvalidArgument,
          "pad2d: padding is {}, {}, {}, {} (top, bottom, left, right), none may be negative",
          p.top, p.bottom, p.left, p.right);
  const bool is_reflect = mode == PadMode::kReflect;
  require(!is_reflect || (p.top < input.dim(1) && p.bottom < input.dim(1) &&
                          p.left < input.dim(2) && p.right < input.dim(2)),
          Code::kInvalidArgument,
          "pad2d: reflecting {}, {}, {}, {} (top, bottom, left, right) needs more than as many "
          "pixels, x is {}",
          p.top, p.bottom, p.left, p.right, input.shape().text());
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(
      x.engine(), {x.dim(0), x.dim(1) + p.top + p.bottom, x.dim(2) + p.left + p.right, x.dim(3)});
  auto args = args_of<kernels::PadArgs>(x.shape(), y.shape());
  args.x = x.data<float>();
  args.y = y.data<float>();
  args.top = p.top, args.left = p.left;
  args.is_reflect = is_reflect;
  x.engine().launch("pad2d", &kernels::pad, args);
  record_op("pad2d", &pad2d_backward, {&x}, y, {}, PadAttrs{p.top, p.left, is_reflect});
  return y;
}

Tensor upsample2d(const Tensor& input, int64_t out_h, int64_t out_w, UpsampleMode mode) {
  require_image("upsample2d", input);
  require(out_h >= 1 && out_w >= 1, Code::kInvalidArgument,
          "upsample2d: output is {} x {}, both must be at least 1", out_h, out_w);
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), {x.dim(0), out_h, out_w, x.dim(3)});
  auto args = args_of<kernels::ResizeArgs>(x.shape(), y.shape());
  args.x = x.data<float>();
  args.y = y.data<float>();
  args.is_bilinear = mode == UpsampleMode::kBilinear;
  x.engine().launch("upsample2d", &kernels::resize, args, 8 * y.size());
  record_op("upsample2d", &upsample2d_backward, {&x}, y, {}, UpsampleAttrs{args.is_bilinear});
  return y;
}

Tensor one_hot(const Tensor& ids_in, int64_t classes) {
  require_ids("one_hot", "ids", ids_in);
  require(classes >= 1, Code::kInvalidArgument, "one_hot: classes is {}, it must be at least 1",
          classes);
  const Tensor ids = contiguous(ids_in);
  check_ids("one_hot", ids, classes);
  Shape shape = ids.shape();
  shape.push(classes);
  Tensor y = Tensor::empty(ids.engine(), shape);
  kernels::OneHotArgs args;
  args.ids = ids.raw();
  args.out = y.data<float>();
  args.count = ids.size();
  args.classes = classes;
  args.id_type = ids.dtype() == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
  ids.engine().launch("one_hot", &kernels::one_hot, args);
  return y;
}

}  // namespace ingot::ops
