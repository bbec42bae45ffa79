// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/conv.h"

#include "autograd/op.h"
#include "kernels/conv.h"

namespace ingot::ops {
namespace {

using kernels::Activation;
using kernels::ConvArgs;
using kernels::ConvGeometry;
using kernels::ConvWeightGradArgs;

int64_t flops_of(const ConvGeometry& s) {
  return 2 * s.batch * s.out_h * s.out_w * s.out_channels * s.kernel_h * s.kernel_w *
         (s.in_channels / s.groups);
}

// ---- Launches -----------------------------------------------------------------------------------

/// What backward needs beside tensors: the geometry follows from their shapes and this.
struct ConvAttrs {
  int32_t stride_h, stride_w, top, left, dilation_h, dilation_w, groups;
  Activation activation;
};

ConvAttrs attrs_of(const Conv2dOptions& o, Activation activation) {
  const auto narrow = [](int64_t x) { return static_cast<int32_t>(x); };
  return {narrow(o.stride_h),   narrow(o.stride_w),   narrow(o.padding.top), narrow(o.padding.left),
          narrow(o.dilation_h), narrow(o.dilation_w), narrow(o.groups),      activation};
}

/// The convolution from image `in` to image `out` with `weight`.
ConvGeometry geometry_of(const Shape& in, const Shape& weight, const Shape& out,
                         const ConvAttrs& a) {
  ConvGeometry s;
  s.batch = in[0], s.in_h = in[1], s.in_w = in[2], s.in_channels = in[3];
  s.out_h = out[1], s.out_w = out[2], s.out_channels = out[3];
  s.kernel_h = weight[1], s.kernel_w = weight[2];
  s.stride_h = a.stride_h, s.stride_w = a.stride_w;
  s.pad_top = a.top, s.pad_left = a.left;
  s.dilation_h = a.dilation_h, s.dilation_w = a.dilation_w;
  s.groups = a.groups;
  return s;
}

/// Bias, activation and whether to add: what happens to a product's result.
struct Epilogue {
  Tensor bias, pre;
  Activation activation = Activation::kNone;
  bool accumulate = false;
};

enum class Direction { kForward, kTransposed };

void launch_conv(const char* name, Direction direction, const ConvGeometry& shape,
                 const Tensor& source, const Tensor& weight, const Tensor& result,
                 const Epilogue& epilogue) {
  Engine& engine = result.engine();
  const int workers = engine.team().size();
  const bool is_forward = direction == Direction::kForward;
  const Tensor work =
      scratch(engine, is_forward ? kernels::conv_scratch_bytes(shape, workers)
                                 : kernels::conv_transposed_scratch_bytes(shape, workers));
  ConvArgs args;
  args.source = source.data<float>();
  args.weight = weight.data<float>();
  args.result = result.data<float>();
  args.bias = epilogue.bias.defined() ? epilogue.bias.data<float>() : nullptr;
  args.pre = epilogue.pre.defined() ? epilogue.pre.data<float>() : nullptr;
  args.scratch = work.data<float>();
  args.shape = shape;
  args.accumulate = epilogue.accumulate;
  args.activation = epilogue.activation;
  engine.launch(name, is_forward ? &kernels::conv : &kernels::conv_transposed, args,
                flops_of(shape));
}

/// Adds the gradient of the weight that took `in` to an image with gradient `dout`.
void weight_gradient(Backward& b, const char* name, const ConvGeometry& shape, const Tensor& in,
                     const Tensor& dout) {
  const Backward::Target target = b.target(1);
  const Tensor work =
      scratch(b.engine(), kernels::conv_weight_grad_scratch_bytes(shape, b.engine().team().size()));
  ConvWeightGradArgs args;
  args.in = in.data<float>();
  args.dout = dout.data<float>();
  args.dweight = target.grad.data<float>();
  args.scratch = work.data<float>();
  args.shape = shape;
  args.accumulate = target.accumulate;
  b.engine().launch(name, &kernels::conv_weight_grad, args, flops_of(shape));
}

/// The tensor that keeps what the activation's gradient reads: the result for relu, a value of its
/// own for the smooth ones while recording.
Tensor kept_for(Activation activation, const Tensor& y, bool is_taped) {
  if (activation == Activation::kRelu) return y;
  if (!is_taped || activation == Activation::kNone) return {};
  return Tensor::empty(y.engine(), y.shape());
}

Epilogue epilogue_of(const Tensor& bias, const Tensor& kept, const Tensor& y,
                     Activation activation) {
  return {bias, kept.defined() && !kept.shares_storage(y) ? kept : Tensor(), activation, false};
}

// ---- Checks -------------------------------------------------------------------------------------

void require_options(const char* op, const Conv2dOptions& o) {
  require(o.stride_h >= 1 && o.stride_w >= 1, Code::kInvalidArgument,
          "{}: stride is {} x {}, both must be at least 1", op, o.stride_h, o.stride_w);
  require(o.dilation_h >= 1 && o.dilation_w >= 1, Code::kInvalidArgument,
          "{}: dilation is {} x {}, both must be at least 1", op, o.dilation_h, o.dilation_w);
  const Padding2d& p = o.padding;
  require(p.top >= 0 && p.bottom >= 0 && p.left >= 0 && p.right >= 0, Code::kInvalidArgument,
          "{}: padding is {}, {}, {}, {} (top, bottom, left, right), none may be negative", op,
          p.top, p.bottom, p.left, p.right);
  require(o.groups >= 1, Code::kInvalidArgument, "{}: groups is {}, it must be at least 1", op,
          o.groups);
}

/// x an image batch and weight [first, kernel_h, kernel_w, last].
void require_operands(const char* op, const char* weight_axes, const Tensor& x,
                      const Tensor& weight) {
  require_f32(op, "x", x);
  require_f32(op, "weight", weight);
  require(x.rank() == 4, Code::kShapeMismatch,
          "{}: x is {}, [batch, height, width, channels] is needed", op, x.shape().text());
  require(weight.rank() == 4 && weight.dim(1) >= 1 && weight.dim(2) >= 1, Code::kShapeMismatch,
          "{}: weight is {}, {} is needed", op, weight.shape().text(), weight_axes);
}

void require_bias(const char* op, const Tensor& bias, int64_t channels) {
  if (!bias.defined()) return;
  require_f32(op, "bias", bias);
  require(bias.rank() == 1 && bias.dim(0) == channels, Code::kShapeMismatch,
          "{}: bias is {} but there are {} output channels", op, bias.shape().text(), channels);
}

// ---- conv2d -------------------------------------------------------------------------------------

void conv2d_backward(Backward& b) {
  const Tensor &x = b.saved(0), &weight = b.saved(1);
  const auto attrs = b.attrs<ConvAttrs>();
  const Tensor dz = activation_gradient(b, b.saved(2), attrs.activation);
  const ConvGeometry shape = geometry_of(x.shape(), weight.shape(), dz.shape(), attrs);
  if (b.needs(0)) {
    const Backward::Target target = b.target(0);
    Epilogue add;
    add.accumulate = target.accumulate;
    launch_conv("conv2d_dx", Direction::kTransposed, shape, dz, weight, target.grad, add);
  }
  if (b.needs(1)) weight_gradient(b, "conv2d_dw", shape, x, dz);
  if (b.needs(2)) bias_gradient(b, 2, dz, "conv2d_db");
}

Shape conv2d_shape(const Tensor& x, const Tensor& weight, const Conv2dOptions& o) {
  const int64_t in_channels = x.dim(3), out_channels = weight.dim(0);
  require(in_channels == weight.dim(3) * o.groups, Code::kShapeMismatch,
          "conv2d: x has {} channels but weight takes {} in each of {} groups (x {}, weight {})",
          in_channels, weight.dim(3), o.groups, x.shape().text(), weight.shape().text());
  require(out_channels % o.groups == 0, Code::kShapeMismatch,
          "conv2d: {} output channels do not divide into {} groups (weight {})", out_channels,
          o.groups, weight.shape().text());
  const Padding2d& p = o.padding;
  const Shape shape{
      x.dim(0), conv_outputs(x.dim(1), p.top + p.bottom, weight.dim(1), o.stride_h, o.dilation_h),
      conv_outputs(x.dim(2), p.left + p.right, weight.dim(2), o.stride_w, o.dilation_w),
      out_channels};
  require(shape[1] > 0 && shape[2] > 0, Code::kShapeMismatch,
          "conv2d: a kernel of {} x {} with dilation {} x {} does not fit into {} x {} pixels and "
          "their padding (x {}, weight {}). Use a smaller kernel or more padding",
          weight.dim(1), weight.dim(2), o.dilation_h, o.dilation_w, x.dim(1), x.dim(2),
          x.shape().text(), weight.shape().text());
  return shape;
}

// ---- conv_transpose2d ---------------------------------------------------------------------------
// y = conv_transpose2d(x) is the gradient of the convolution that takes y's image to x's: forward
// runs its transposed pass, backward its forward pass.

void conv_transpose2d_backward(Backward& b) {
  const Tensor &x = b.saved(0), &weight = b.saved(1);
  const auto attrs = b.attrs<ConvAttrs>();
  const Tensor dz = activation_gradient(b, b.saved(2), attrs.activation);
  const ConvGeometry shape = geometry_of(dz.shape(), weight.shape(), x.shape(), attrs);
  if (b.needs(0)) {
    const Backward::Target target = b.target(0);
    Epilogue add;
    add.accumulate = target.accumulate;
    launch_conv("conv_transpose2d_dx", Direction::kForward, shape, dz, weight, target.grad, add);
  }
  if (b.needs(1)) weight_gradient(b, "conv_transpose2d_dw", shape, dz, x);
  if (b.needs(2)) bias_gradient(b, 2, dz, "conv_transpose2d_db");
}

Shape conv_transpose2d_shape(const Tensor& x, const Tensor& weight,
                             const ConvTranspose2dOptions& o) {
  require(x.dim(3) == weight.dim(0), Code::kShapeMismatch,
          "conv_transpose2d: x has {} channels but weight takes {} (x {}, weight {})", x.dim(3),
          weight.dim(0), x.shape().text(), weight.shape().text());
  require(x.dim(3) % o.groups == 0, Code::kShapeMismatch,
          "conv_transpose2d: {} input channels do not divide into {} groups (x {})", x.dim(3),
          o.groups, x.shape().text());
  require(is_output_padding(o.output_padding_h, o.stride_h, o.dilation_h) &&
              is_output_padding(o.output_padding_w, o.stride_w, o.dilation_w),
          Code::kInvalidArgument,
          "conv_transpose2d: output_padding is {} x {}, it must be at least 0 and below the stride "
          "({} x {}) or the dilation ({} x {})",
          o.output_padding_h, o.output_padding_w, o.stride_h, o.stride_w, o.dilation_h,
          o.dilation_w);
  const Padding2d& p = o.padding;
  const int64_t out_h = conv_transpose_outputs(x.dim(1), p.top + p.bottom, weight.dim(1),
                                               o.stride_h, o.dilation_h, o.output_padding_h);
  const int64_t out_w = conv_transpose_outputs(x.dim(2), p.left + p.right, weight.dim(2),
                                               o.stride_w, o.dilation_w, o.output_padding_w);
  require(out_h > 0 && out_w > 0, Code::kShapeMismatch,
          "conv_transpose2d: the padding leaves {} x {} pixels (x {}, weight {}). Use less padding",
          out_h, out_w, x.shape().text(), weight.shape().text());
  return {x.dim(0), out_h, out_w, weight.dim(3) * o.groups};
}

}  // namespace

int64_t conv_outputs(int64_t size, int64_t padding, int64_t kernel, int64_t stride,
                     int64_t dilation) {
  const int64_t room = size + padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

int64_t conv_transpose_outputs(int64_t size, int64_t padding, int64_t kernel, int64_t stride,
                               int64_t dilation, int64_t output_padding) {
  return (size - 1) * stride - padding + dilation * (kernel - 1) + output_padding + 1;
}

bool is_output_padding(int64_t output_padding, int64_t stride, int64_t dilation) {
  return output_padding >= 0 && output_padding < std::max(stride, dilation);
}

int64_t same_padding(int64_t size, int64_t kernel, int64_t stride, int64_t dilation) {
  const int64_t out = (size + stride - 1) / stride;
  return std::max<int64_t>(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - size);
}

Padding2d same_padding(const Tensor& x, int64_t kernel_h, int64_t kernel_w, int64_t stride_h,
                       int64_t stride_w, int64_t dilation_h, int64_t dilation_w) {
  require(x.defined() && x.rank() == 4, Code::kShapeMismatch,
          "same_padding: x is {}, [batch, height, width, channels] is needed",
          x.defined() ? x.shape().text() : "empty");
  const int64_t h = same_padding(x.dim(1), kernel_h, stride_h, dilation_h);
  const int64_t w = same_padding(x.dim(2), kernel_w, stride_w, dilation_w);
  return {h / 2, h - h / 2, w / 2, w - w / 2};
}

Tensor conv2d(const Tensor& input, const Tensor& weight_in, const Tensor& bias_in,
              const Conv2dOptions& options, Activation activation) {
  require_options("conv2d", options);
  require_operands("conv2d", "[out_channels, kernel_h, kernel_w, in_channels / groups]", input,
                   weight_in);
  require_bias("conv2d", bias_in, weight_in.dim(0));
  const Shape shape = conv2d_shape(input, weight_in, options);
  const Tensor x = contiguous(input), weight = contiguous(weight_in);
  const Tensor bias = bias_in.defined() ? contiguous(bias_in) : bias_in;
  Tensor y = Tensor::empty(x.engine(), shape);
  const Tensor kept = kept_for(activation, y, is_recorded({&x, &weight, &bias}));
  const ConvAttrs attrs = attrs_of(options, activation);
  launch_conv("conv2d", Direction::kForward, geometry_of(x.shape(), weight.shape(), shape, attrs),
              x, weight, y, epilogue_of(bias, kept, y, activation));
  record_op("conv2d", &conv2d_backward, {&x, &weight, &bias}, y, {&x, &weight, &kept}, attrs);
  return y;
}

Tensor conv_transpose2d(const Tensor& input, const Tensor& weight_in, const Tensor& bias_in,
                        const ConvTranspose2dOptions& options, Activation activation) {
  require_options("conv_transpose2d", options);
  require_operands("conv_transpose2d", "[in_channels, kernel_h, kernel_w, out_channels / groups]",
                   input, weight_in);
  require_bias("conv_transpose2d", bias_in, weight_in.dim(3) * options.groups);
  const Shape shape = conv_transpose2d_shape(input, weight_in, options);
  const Tensor x = contiguous(input), weight = contiguous(weight_in);
  const Tensor bias = bias_in.defined() ? contiguous(bias_in) : bias_in;
  Tensor y = Tensor::empty(x.engine(), shape);
  const Tensor kept = kept_for(activation, y, is_recorded({&x, &weight, &bias}));
  const ConvAttrs attrs = attrs_of(options, activation);
  launch_conv("conv_transpose2d", Direction::kTransposed,
              geometry_of(shape, weight.shape(), x.shape(), attrs), x, weight, y,
              epilogue_of(bias, kept, y, activation));
  record_op("conv_transpose2d", &conv_transpose2d_backward, {&x, &weight, &bias}, y,
            {&x, &weight, &kept}, attrs);
  return y;
}

}  // namespace ingot::ops
