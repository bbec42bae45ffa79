// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/pool.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "autograd/op.h"
#include "kernels/pool.h"

namespace ingot::ops {
namespace {

using kernels::PoolAxis;
using kernels::PoolShape;

// ---- Shapes and checks --------------------------------------------------------------------------

void require_pooled(const char* op, const Tensor& x) {
  require_image(op, x);
  require(x.dim(1) <= std::numeric_limits<int32_t>::max() / x.dim(2), Code::kShapeMismatch,
          "{}: an image of {} x {} pixels is too large", op, x.dim(1), x.dim(2));
}

/// One axis of windows.
PoolAxis axis_of(int64_t in, int64_t kernel, int64_t stride, int64_t before, int64_t after,
                 bool is_ceil) {
  PoolAxis a;
  a.in = in, a.kernel = kernel, a.stride = stride, a.before = before, a.after = after;
  a.out = pool_outputs(in, kernel, stride, before, after, is_ceil);
  return a;
}

PoolShape shape_of(const char* op, const Tensor& x, const Pool2dOptions& o) {
  require_pooled(op, x);
  require(
      o.kernel_h >= 1 && o.kernel_w >= 1 && o.stride_h >= 0 && o.stride_w >= 0,
      Code::kInvalidArgument,
      "{}: kernel {} x {} and stride {} x {}: the kernel must be at least 1, the stride too, or "
      "0 for the kernel's size",
      op, o.kernel_h, o.kernel_w, o.stride_h, o.stride_w);
  const Padding2d& p = o.padding;
  const auto is_small = [](int64_t padding, int64_t kernel) {
    return padding >= 0 && 2 * padding <= kernel;
  };
  require(is_small(p.top, o.kernel_h) && is_small(p.bottom, o.kernel_h) &&
              is_small(p.left, o.kernel_w) && is_small(p.right, o.kernel_w),
          Code::kInvalidArgument,
          "{}: padding {}, {}, {}, {} (top, bottom, left, right) must be between 0 and half of the "
          "kernel ({} x {}). Use pad2d() before for more",
          op, p.top, p.bottom, p.left, p.right, o.kernel_h, o.kernel_w);
  PoolShape s;
  s.batch = x.dim(0), s.channels = x.dim(3);
  s.y = axis_of(x.dim(1), o.kernel_h, o.stride_h == 0 ? o.kernel_h : o.stride_h, p.top, p.bottom,
                o.is_ceil);
  s.x = axis_of(x.dim(2), o.kernel_w, o.stride_w == 0 ? o.kernel_w : o.stride_w, p.left, p.right,
                o.is_ceil);
  require(
      s.y.out > 0 && s.x.out > 0, Code::kShapeMismatch,
      "{}: a window of {} x {} does not fit into {} x {} pixels and their padding (x {}). Use a "
      "smaller window",
      op, o.kernel_h, o.kernel_w, x.dim(1), x.dim(2), x.shape().text());
  return s;
}

PoolShape adaptive_shape(const char* op, const Tensor& x, int64_t out_h, int64_t out_w) {
  require_pooled(op, x);
  require(out_h >= 1 && out_w >= 1, Code::kInvalidArgument,
          "{}: output is {} x {}, both must be at least 1", op, out_h, out_w);
  PoolShape s;
  s.batch = x.dim(0), s.channels = x.dim(3);
  s.y.in = x.dim(1), s.y.out = out_h, s.y.is_adaptive = true;
  s.x.in = x.dim(2), s.x.out = out_w, s.x.is_adaptive = true;
  return s;
}

Shape output_of(const PoolShape& s) { return {s.batch, s.y.out, s.x.out, s.channels}; }

// ---- What a record keeps ------------------------------------------------------------------------

/// A PoolShape without the sizes that the tensors have.
struct PoolAttrs {
  int32_t kernel_h, kernel_w, stride_h, stride_w, top, bottom, left, right;
  bool is_adaptive, counts_padding;
};

PoolAttrs attrs_of(const PoolShape& s, bool counts_padding) {
  const auto narrow = [](int64_t v) { return static_cast<int32_t>(v); };
  return {narrow(s.y.kernel), narrow(s.x.kernel), narrow(s.y.stride), narrow(s.x.stride),
          narrow(s.y.before), narrow(s.y.after),  narrow(s.x.before), narrow(s.x.after),
          s.y.is_adaptive,    counts_padding};
}

PoolShape shape_of(const Shape& x, const Shape& y, const PoolAttrs& a) {
  PoolShape s;
  s.batch = x[0], s.channels = x[3];
  s.y = {x[1], y[1], a.kernel_h, a.stride_h, a.top, a.bottom, a.is_adaptive};
  s.x = {x[2], y[2], a.kernel_w, a.stride_w, a.left, a.right, a.is_adaptive};
  return s;
}

// ---- Maximum ------------------------------------------------------------------------------------

void max_pool_backward(Backward& b) {
  const Backward::Target target = b.target(0);
  kernels::MaxPoolGradArgs args;
  args.dy = b.grad().data<float>();
  args.index = b.saved(0).data<int32_t>();
  args.dx = target.grad.data<float>();
  args.shape = shape_of(b.input_shape(0), b.grad().shape(), b.attrs<PoolAttrs>());
  args.accumulate = target.accumulate;
  b.engine().launch("max_pool2d_grad", &kernels::max_pool_grad, args, b.grad().size());
}

Tensor max_pool_of(const char* name, const Tensor& input, const PoolShape& shape) {
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), output_of(shape));
  const Tensor index =
      is_recorded({&x}) ? Tensor::empty(x.engine(), y.shape(), DType::kI32) : Tensor();
  kernels::MaxPoolArgs args;
  args.x = x.data<float>();
  args.y = y.data<float>();
  args.index = index.defined() ? index.data<int32_t>() : nullptr;
  args.shape = shape;
  x.engine().launch(name, &kernels::max_pool, args, x.size());
  record_op(name, &max_pool_backward, {&x}, y, {&index}, attrs_of(shape, false));
  return y;
}

// ---- Mean ---------------------------------------------------------------------------------------

void avg_pool_backward(Backward& b) {
  const Backward::Target target = b.target(0);
  const auto attrs = b.attrs<PoolAttrs>();
  kernels::AvgPoolGradArgs args;
  args.dy = b.grad().data<float>();
  args.dx = target.grad.data<float>();
  args.shape = shape_of(b.input_shape(0), b.grad().shape(), attrs);
  args.counts_padding = attrs.counts_padding;
  args.accumulate = target.accumulate;
  b.engine().launch("avg_pool2d_grad", &kernels::avg_pool_grad, args, target.grad.size());
}

Tensor avg_pool_of(const char* name, const Tensor& input, const PoolShape& shape,
                   bool counts_padding) {
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), output_of(shape));
  kernels::AvgPoolArgs args;
  args.x = x.data<float>();
  args.y = y.data<float>();
  args.shape = shape;
  args.counts_padding = counts_padding;
  x.engine().launch(name, &kernels::avg_pool, args, x.size());
  record_op(name, &avg_pool_backward, {&x}, y, {}, attrs_of(shape, counts_padding));
  return y;
}

}  // namespace

/// The last window of is_ceil may hang over the padding, but not start in it.
int64_t pool_outputs(int64_t in, int64_t kernel, int64_t stride, int64_t before, int64_t after,
                     bool is_ceil) {
  const int64_t room = in + before + after - kernel;
  if (room < 0) return 0;
  const int64_t out = (is_ceil ? (room + stride - 1) / stride : room / stride) + 1;
  return is_ceil && (out - 1) * stride >= in + before ? out - 1 : out;
}

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  return max_pool_of("max_pool2d", x, shape_of("max_pool2d", x, options));
}

Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options) {
  return avg_pool_of("avg_pool2d", x, shape_of("avg_pool2d", x, options), options.counts_padding);
}

Tensor adaptive_max_pool2d(const Tensor& x, int64_t out_h, int64_t out_w) {
  const char* name = "adaptive_max_pool2d";
  return max_pool_of(name, x, adaptive_shape(name, x, out_h, out_w));
}

Tensor adaptive_avg_pool2d(const Tensor& x, int64_t out_h, int64_t out_w) {
  const char* name = "adaptive_avg_pool2d";
  return avg_pool_of(name, x, adaptive_shape(name, x, out_h, out_w), false);
}

}  // namespace ingot::ops
