// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/shape.h"

#include "autograd/op.h"
#include "kernels/convert.h"
#include "kernels/copy.h"
#include "kernels/embedding.h"

namespace ingot::ops {
namespace {

/// dst view (+)= src view; both [shape].
void launch_copy(const Tensor& src, const Tensor& dst, bool accumulate) {
  kernels::CopyArgs args;
  args.src = src.raw();
  args.dst = dst.raw();
  args.dims = src.rank();
  args.element_bytes = dtype_size(src.dtype());
  args.accumulate = accumulate;
  for (int i = 0; i < src.rank(); ++i) {
    args.shape[i] = src.dim(i);
    args.src_stride[i] = src.stride(i);
    args.dst_stride[i] = dst.stride(i);
  }
  src.engine().launch("copy", &kernels::strided_copy, args);
}

struct ViewAttrs {
  int32_t axis_from[kMaxRank];  // permute: axis i of y is axis_from[i] of x
  int64_t begin;                // slice: offset along `axis`
  int32_t axis;
  int32_t rank;
};

void reshape_backward(Backward& b) { b.pass(0, b.grad()); }

/// A view of the input's gradient that has the geometry of the output.
void permute_backward(Backward& b) {
  const auto attrs = b.attrs<ViewAttrs>();
  const Backward::Target target = b.target(0);
  Strides strides{};
  for (int i = 0; i < attrs.rank; ++i) {
    strides[static_cast<size_t>(i)] = target.grad.stride(attrs.axis_from[i]);
  }
  launch_copy(b.grad(), target.grad.strided(b.grad().shape(), strides, target.grad.offset()),
              target.accumulate);
}

void slice_backward(Backward& b) {
  const auto attrs = b.attrs<ViewAttrs>();
  const Backward::Target target = b.target(0);
  if (!target.accumulate) fill(target.grad, 0.0F);
  const int64_t offset = target.grad.offset() + attrs.begin * target.grad.stride(attrs.axis);
  launch_copy(b.grad(), target.grad.strided(b.grad().shape(), target.grad.strides(), offset), true);
}

void record_view(const char* name, void (*backward)(Backward&), const Tensor& x, Tensor& y,
                 const ViewAttrs& attrs) {
  y.slot = -1;
  record_op(name, backward, {&x}, y, {}, attrs);
}

struct ConcatAttrs {
  int64_t begin[kMaxInputs];
  int32_t axis;
  int32_t count;
};

void concat_backward(Backward& b) {
  const auto attrs = b.attrs<ConcatAttrs>();
  const Tensor& dy = b.grad();
  for (int i = 0; i < attrs.count; ++i) {
    if (!b.needs(i)) continue;
    const Backward::Target target = b.target(i);
    const int64_t offset = dy.offset() + attrs.begin[i] * dy.stride(attrs.axis);
    launch_copy(dy.strided(target.grad.shape(), dy.strides(), offset), target.grad,
                target.accumulate);
  }
}

Tensor concat_few(const std::vector<Tensor>& parts, int axis) {
  Shape shape = parts[0].shape();
  ConcatAttrs attrs{};
  attrs.axis = axis;
  attrs.count = static_cast<int32_t>(parts.size());
  shape[axis] = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    attrs.begin[i] = shape[axis];
    shape[axis] += parts[i].dim(axis);
  }
  Tensor y = Tensor::empty(parts[0].engine(), shape, parts[0].dtype());
  const Tensor* in[kMaxInputs] = {};
  for (size_t i = 0; i < parts.size(); ++i) {
    launch_copy(parts[i], y.strided(parts[i].shape(), y.strides(), attrs.begin[i] * y.stride(axis)),
                false);
    in[i] = &parts[i];
  }
  record_op("concat", &concat_backward, {in[0], in[1], in[2], in[3], in[4], in[5]}, y, {}, attrs);
  return y;
}

void gather_backward(Backward& b) {
  const Tensor& ids = b.saved(0);
  const int64_t cols = b.input_shape(0)[1];
  if (b.is_sparse(0)) {
    b.pass_rows(0, ids, b.grad());
    return;
  }
  const Backward::Target target = b.target(0);
  const Tensor work = scratch(b.engine(), kernels::embedding_grad_scratch_bytes(ids.size()));
  kernels::EmbeddingGradArgs args;
  args.dy = b.grad().data<float>();
  args.ids = ids.raw();
  args.dtable = target.grad.data<float>();
  args.scratch = work.raw();
  args.count = ids.size();
  args.cols = cols;
  args.vocab = b.input_shape(0)[0];
  args.id_type = ids.dtype() == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
  args.accumulate = target.accumulate;
  b.engine().launch("gather_grad", &kernels::embedding_grad, args, b.grad().size());
}

kernels::Element element_of(DType dtype) {
  switch (dtype) {
    case DType::kBF16:
      return kernels::Element::kBFloat16;
    case DType::kF16:
      return kernels::Element::kFloat16;
    case DType::kU8:
      return kernels::Element::kUInt8;
    case DType::kI32:
      return kernels::Element::kInt32;
    case DType::kI64:
      return kernels::Element::kInt64;
    default:
      return kernels::Element::kFloat32;
  }
}

}  // namespace

void check_ids(const char* op, const Tensor& ids, int64_t limit) {
  if (ids.engine().trace() != nullptr) return;
  const auto check = [&](const auto* p) {
    for (int64_t i = 0; i < ids.size(); ++i) {
      require(p[i] >= 0 && p[i] < limit, Code::kInvalidArgument,
              "{}: id {} at position {} is outside [0, {})", op, p[i], i, limit);
    }
  };
  if (ids.dtype() == DType::kI64) {
    check(ids.data<int64_t>());
  } else {
    check(ids.data<int32_t>());
  }
}

Tensor reshape(const Tensor& input, const std::vector<int64_t>& dims) {
  require_plain("reshape", "x", input);
  int64_t known = 1;
  int unknown = -1;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == -1) {
      require(unknown < 0, Code::kInvalidArgument, "reshape: more than one axis is -1");
      unknown = static_cast<int>(i);
    } else {
      known *= dims[i];
    }
  }
  Shape shape;
  for (const int64_t d : dims) shape.push(d == -1 ? (known > 0 ? input.size() / known : 0) : d);
  require(shape.size() == input.size(), Code::kShapeMismatch,
          "reshape: {} has {} elements, {} has {}", input.shape().text(), input.size(),
          shape.text(), shape.size());
  const Tensor x = contiguous(input);
  Tensor y = x.view(shape);
  record_view("reshape", &reshape_backward, x, y, {});
  return y;
}

Tensor permute(const Tensor& x, std::span<const int> order) {
  require_plain("permute", "x", x);
  require(static_cast<int>(order.size()) == x.rank(), Code::kInvalidArgument,
          "permute: {} axes named for a rank-{} tensor", order.size(), x.rank());
  ViewAttrs attrs{};
  attrs.rank = x.rank();
  Shape shape;
  Strides strides{};
  std::array<bool, kMaxRank> is_used{};
  for (int i = 0; i < x.rank(); ++i) {
    const int axis = normal_axis("permute", order[static_cast<size_t>(i)], x.rank());
    require(!is_used[static_cast<size_t>(axis)], Code::kInvalidArgument,
            "permute: axis {} is named twice", axis);
    is_used[static_cast<size_t>(axis)] = true;
    attrs.axis_from[i] = axis;
    shape.push(x.dim(axis));
    strides[static_cast<size_t>(i)] = x.stride(axis);
  }
  Tensor y = x.strided(shape, strides, x.offset());
  record_view("permute", &permute_backward, x, y, attrs);
  return y;
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  require_plain("transpose", "x", x);
  std::array<int, kMaxRank> order{};
  for (int i = 0; i < x.rank(); ++i) order[static_cast<size_t>(i)] = i;
  std::swap(order[static_cast<size_t>(normal_axis("transpose", axis_a, x.rank()))],
            order[static_cast<size_t>(normal_axis("transpose", axis_b, x.rank()))]);
  return permute(x, std::span(order.data(), static_cast<size_t>(x.rank())));
}

Tensor slice(const Tensor& x, int axis_in, int64_t begin, int64_t end) {
  require_plain("slice", "x", x);
  const int axis = normal_axis("slice", axis_in, x.rank());
  require(begin >= 0 && begin <= end && end <= x.dim(axis), Code::kInvalidArgument,
          "slice: [{}, {}) is not inside axis {} of size {}", begin, end, axis, x.dim(axis));
  Shape shape = x.shape();
  shape[axis] = end - begin;
  Tensor y = x.strided(shape, x.strides(), x.offset() + begin * x.stride(axis));
  ViewAttrs attrs{};
  attrs.begin = begin;
  attrs.axis = axis;
  record_view("slice", &slice_backward, x, y, attrs);
  return y;
}

Tensor concat(const std::vector<Tensor>& parts, int axis_in) {
  require(!parts.empty(), Code::kInvalidArgument, "concat: no tensors given");
  for (const Tensor& p : parts) require_plain("concat", "a part", p);
  const int axis = normal_axis("concat", axis_in, parts[0].rank());
  for (const Tensor& p : parts) {
    require(p.dtype() == parts[0].dtype(), Code::kDtypeMismatch,
            "concat: parts are {} and {}; convert them to one dtype with cast()",
            dtype_name(parts[0].dtype()), dtype_name(p.dtype()));
    bool fits = p.rank() == parts[0].rank();
    for (int i = 0; fits && i < p.rank(); ++i) fits = i == axis || p.dim(i) == parts[0].dim(i);
    require(fits, Code::kShapeMismatch, "concat: {} does not fit {} along axis {}",
            p.shape().text(), parts[0].shape().text(), axis);
  }
  std::vector<Tensor> level = parts;  // a tree of joins of at most kMaxInputs
  while (level.size() > kMaxInputs) {
    std::vector<Tensor> next;
    for (size_t i = 0; i < level.size(); i += kMaxInputs) {
      const size_t end = std::min(level.size(), i + kMaxInputs);
      next.push_back(concat_few({level.begin() + static_cast<std::ptrdiff_t>(i),
                                 level.begin() + static_cast<std::ptrdiff_t>(end)},
                                axis));
    }
    level = std::move(next);
  }
  return concat_few(level, axis);
}

Tensor gather(const Tensor& x, const Tensor& ids_in) {
  require_f32("gather", "x", x);
  require_ids("gather", "ids", ids_in);
  require(x.rank() == 2 && x.is_contiguous(), Code::kShapeMismatch,
          "gather: x is {}, a dense matrix is needed", x.shape().text());
  const Tensor ids = contiguous(ids_in);
  check_ids("gather", ids, x.dim(0));
  Shape shape = ids.shape();
  shape.push(x.dim(1));
  Tensor y = Tensor::empty(x.engine(), shape);
  kernels::EmbeddingArgs args;
  args.table = x.data<float>();
  args.ids = ids.raw();
  args.out = y.data<float>();
  args.count = ids.size();
  args.cols = x.dim(1);
  args.id_type = ids.dtype() == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
  x.engine().launch("gather", &kernels::embedding, args);
  record_op("gather", &gather_backward, {&x}, y, {&ids}, NoAttrs{});
  return y;
}

Tensor cast(const Tensor& input, DType dtype) {
  require_plain("cast", "x", input);
  if (input.dtype() == dtype) return input;
  require(dtype_size(input.dtype()) > 0 && dtype_size(dtype) > 0 && input.dtype() != DType::kF64 &&
              dtype != DType::kF64 &&
              kernels::convert_supported(element_of(input.dtype()), element_of(dtype)),
          Code::kDtypeMismatch, "cast: {} to {} is not available", dtype_name(input.dtype()),
          dtype_name(dtype));
  require(!is_recorded({&input}), Code::kUnsupported,
          "cast: {} to {} has no gradient. Detach the tensor first", dtype_name(input.dtype()),
          dtype_name(dtype));
  const Tensor x = contiguous(input);
  Tensor y = Tensor::empty(x.engine(), x.shape(), dtype);
  kernels::ConvertArgs args;
  args.src = x.raw();
  args.dst = y.raw();
  args.n = x.size();
  args.from = element_of(x.dtype());
  args.to = element_of(dtype);
  x.engine().launch("cast", &kernels::convert, args);
  return y;
}

}  // namespace ingot::ops
