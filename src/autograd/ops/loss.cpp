// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/loss.h"

#include <algorithm>

#include "autograd/op.h"
#include "autograd/ops/loss_parts.h"
#include "autograd/ops/shape.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/loss.h"

namespace ingot::ops {
namespace {

// Logits of one chunk of linear_cross_entropy: small enough to stay near the last-level cache.
constexpr int64_t kChunkBytes = 16 << 20;
constexpr int64_t kMinChunkRows = 64;

struct CrossEntropyAttrs {
  int64_t ignore_index;
  float label_smoothing;
};

/// Throws unless weights and count fit; returns what the mean goes over.
MeanOver checked(const char* op, const Tensor& targets, int64_t classes,
                 const CrossEntropyOptions& o) {
  check_weights(op, "class_weights", o.class_weights, classes);
  check_weights(op, "weights", o.weights, targets.size());
  check_count(op, o.count);
  return {targets, o.weights, o.class_weights, o.count, targets.size(), o.ignore_index};
}

kernels::CrossEntropyArgs forward_args(const Tensor& logits, const std::byte* targets,
                                       kernels::IdType type, const Tensor& class_weights,
                                       CrossEntropyAttrs attrs) {
  kernels::CrossEntropyArgs args;
  args.logits = logits.data<float>();
  args.targets = targets;
  args.class_weight = class_weights.data_or_null<float>();
  args.classes = logits.dim(-1);
  args.rows = logits.size() / args.classes;
  args.ignore_index = attrs.ignore_index;
  args.label_smoothing = attrs.label_smoothing;
  args.target_type = type;
  return args;
}

kernels::CrossEntropyGradArgs grad_args(const kernels::CrossEntropyArgs& forward,
                                        const float* scale, const float* row_scale,
                                        float* dlogits) {
  kernels::CrossEntropyGradArgs args;
  args.logits = forward.logits;
  args.targets = forward.targets;
  args.lse = forward.lse;
  args.scale = scale;
  args.row_scale = row_scale;
  args.dlogits = dlogits;
  args.class_weight = forward.class_weight;
  args.rows = forward.rows;
  args.classes = forward.classes;
  args.ignore_index = forward.ignore_index;
  args.label_smoothing = forward.label_smoothing;
  args.target_type = forward.target_type;
  return args;
}

void cross_entropy_backward(Backward& b) {
  const Tensor &logits = b.saved(0), &targets = b.saved(1), &lse = b.saved(2), &count = b.saved(3);
  const Tensor scale = per_count(b.grad(), count, b.engine());
  const Backward::Target target = b.target(0);
  kernels::CrossEntropyArgs forward = forward_args(logits, targets.raw(), id_type(targets),
                                                   b.saved(4), b.attrs<CrossEntropyAttrs>());
  forward.lse = lse.data<float>();
  kernels::CrossEntropyGradArgs args = grad_args(
      forward, scale.data<float>(), b.saved(5).data_or_null<float>(), target.grad.data<float>());
  args.accumulate = target.accumulate;
  b.engine().launch("cross_entropy_grad", &kernels::cross_entropy_grad, args, 4 * logits.size());
}

// ---- linear + cross entropy ---------------------------------------------------------------------

/// One chunk of rows: its losses, and while recording its share of dx and dweight.
struct HeadChunk {
  Tensor x, weight, targets, row_loss, dx, dweight, scale, class_weights, weights;
  CrossEntropyAttrs attrs;

  void run(int64_t begin, int64_t rows, const Tensor& logits, const Tensor& lse) const {
    Engine& engine = x.engine();
    const int64_t in = weight.dim(1), classes = weight.dim(0);
    kernels::GemmArgs product;
    product.a = x.data<float>() + begin * in;
    product.b = weight.data<float>();
    product.c = logits.data<float>();
    product.m = rows, product.n = classes, product.k = in;
    product.lda = in, product.ldb = in, product.ldc = classes;
    product.trans_b = true;
    launch_gemm(engine, "head_logits", product);
    kernels::CrossEntropyArgs forward =
        forward_args(logits, targets.raw() + begin * dtype_size(targets.dtype()), id_type(targets),
                     class_weights, attrs);
    forward.rows = rows;
    forward.row_loss = row_loss.data<float>() + begin;
    forward.lse = lse.data<float>();
    engine.launch("cross_entropy", &kernels::cross_entropy, forward, 4 * rows * classes);
    if (!dx.defined()) return;
    engine.launch("cross_entropy_grad", &kernels::cross_entropy_grad,
                  grad_args(forward, scale.data<float>(),
                            weights.defined() ? weights.data<float>() + begin : nullptr,
                            logits.data<float>()),
                  4 * rows * classes);
    kernels::GemmArgs to_x;  // dx [rows, in] = dlogits · weight
    to_x.a = logits.data<float>();
    to_x.b = weight.data<float>();
    to_x.c = dx.data<float>() + begin * in;
    to_x.m = rows, to_x.n = in, to_x.k = classes;
    to_x.lda = classes, to_x.ldb = in, to_x.ldc = in;
    launch_gemm(engine, "head_dx", to_x);
    kernels::GemmArgs to_w;  // dweight [classes, in] (+)= dlogitsᵀ · x
    to_w.a = logits.data<float>();
    to_w.b = product.a;
    to_w.c = dweight.data<float>();
    to_w.m = classes, to_w.n = in, to_w.k = rows;
    to_w.lda = classes, to_w.ldb = in, to_w.ldc = in;
    to_w.trans_a = true;
    to_w.accumulate = begin > 0;
    launch_gemm(engine, "head_dw", to_w);
  }
};

void scale_into(Backward& b, int input, const Tensor& g) {
  const Backward::Target target = b.target(input);
  kernels::ScaleAddArgs args;
  args.x = g.data<float>();
  args.scale = b.grad().data<float>();
  args.dst = target.grad.data<float>();
  args.n = g.size();
  args.accumulate = target.accumulate;
  b.engine().launch("scale_grad", &kernels::scale_add, args, g.size());
}

void linear_cross_entropy_backward(Backward& b) {
  for (const int i : {0, 1}) {
    if (b.needs(i)) scale_into(b, i, b.saved(i));
  }
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& targets,
                     const CrossEntropyOptions& options) {
  require_f32("cross_entropy", "logits", input);
  require(input.rank() >= 1 && input.dim(-1) >= 1, Code::kShapeMismatch,
          "cross_entropy: logits {} have no class axis", input.shape().text());
  const Tensor logits = contiguous(input);
  Engine& engine = logits.engine();
  const int64_t rows = logits.size() / logits.dim(-1);
  check_targets("cross_entropy", targets, rows, logits.dim(-1), options.ignore_index);
  const CrossEntropyAttrs attrs{options.ignore_index, options.label_smoothing};
  const Tensor count =
      divisor_of(checked("cross_entropy", targets, logits.dim(-1), options), engine);
  const Tensor row_loss = Tensor::empty(engine, {rows});
  const Tensor lse = Tensor::empty(engine, {rows});
  kernels::CrossEntropyArgs args =
      forward_args(logits, targets.raw(), id_type(targets), options.class_weights, attrs);
  args.row_loss = row_loss.data<float>();
  args.lse = lse.data<float>();
  engine.launch("cross_entropy", &kernels::cross_entropy, args, 4 * logits.size());
  Tensor loss = mean_rows(row_loss, options.weights, count);
  record_op("cross_entropy", &cross_entropy_backward, {&logits}, loss,
            {&logits, &targets, &lse, &count, &options.class_weights, &options.weights}, attrs);
  return loss;
}

Tensor cross_entropy_rows(const Tensor& input, const Tensor& targets, int64_t ignore_index) {
  require_f32("cross_entropy_rows", "logits", input);
  require(input.rank() == 2 && input.dim(1) >= 1, Code::kShapeMismatch,
          "cross_entropy_rows: logits are {}, [rows, classes] is needed", input.shape().text());
  const Tensor logits = contiguous(input.detach());
  check_targets("cross_entropy_rows", targets, logits.dim(0), logits.dim(1), ignore_index);
  Tensor row_loss = Tensor::empty(logits.engine(), {logits.dim(0)});
  kernels::CrossEntropyArgs args =
      forward_args(logits, targets.raw(), id_type(targets), {}, {ignore_index, 0.0F});
  args.row_loss = row_loss.data<float>();
  logits.engine().launch("cross_entropy", &kernels::cross_entropy, args, 4 * logits.size());
  return row_loss;
}

Tensor linear_cross_entropy(const Tensor& input, const Tensor& weight, const Tensor& targets,
                            const CrossEntropyOptions& options) {
  require_f32("linear_cross_entropy", "x", input);
  require_f32("linear_cross_entropy", "weight", weight);
  require(weight.rank() == 2 && weight.is_contiguous() && input.rank() >= 1 &&
              input.dim(-1) == weight.dim(1) && weight.dim(1) >= 1 && weight.dim(0) >= 1,
          Code::kShapeMismatch,
          "linear_cross_entropy: x is {} and weight is {}, [..., in] and [classes, in] are needed",
          input.shape().text(), weight.shape().text());
  const Tensor x = contiguous(input);
  Engine& engine = x.engine();
  const int64_t in = weight.dim(1), classes = weight.dim(0), rows = x.size() / in;
  check_targets("linear_cross_entropy", targets, rows, classes, options.ignore_index);
  const int64_t chunk =
      std::clamp<int64_t>(kChunkBytes / (4 * classes) / kMinChunkRows * kMinChunkRows,
                          kMinChunkRows, std::max(rows, kMinChunkRows));
  const Tensor count =
      divisor_of(checked("linear_cross_entropy", targets, classes, options), engine);
  HeadChunk head;
  head.x = x;
  head.weight = weight;
  head.targets = targets;
  head.row_loss = Tensor::empty(engine, {rows});
  head.class_weights = options.class_weights;
  head.weights = options.weights;
  head.attrs = {options.ignore_index, options.label_smoothing};
  if (is_recorded({&x, &weight})) {
    head.dx = Tensor::empty(engine, x.shape());
    head.dweight = Tensor::empty(engine, weight.shape());
    head.scale = per_count({}, count, engine);
  }
  if (rows == 0 && head.dweight.defined()) {  // no chunk will store it
    kernels::FillArgs fill;
    fill.dst = head.dweight.data<float>();
    fill.n = head.dweight.size();
    engine.launch("fill", &kernels::fill, fill);
  }
  {
    const Tensor logits = Tensor::empty(engine, {std::min(chunk, rows), classes});
    const Tensor lse = Tensor::empty(engine, {std::min(chunk, rows)});
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      head.run(begin, std::min(chunk, rows - begin), logits, lse);
    }
  }
  Tensor loss = mean_rows(head.row_loss, options.weights, count);
  record_op("linear_cross_entropy", &linear_cross_entropy_backward, {&x, &weight}, loss,
            {&head.dx, &head.dweight}, NoAttrs{});
  return loss;
}

}  // namespace ingot::ops
