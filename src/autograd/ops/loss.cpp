// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/loss.h"

#include <algorithm>

#include "autograd/op.h"
#include "autograd/ops/shape.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/loss.h"

namespace ingot::ops {
namespace {

// Logits of one chunk of linear_cross_entropy: small enough to stay near the last-level cache.
constexpr int64_t kChunkBytes = 16 << 20;
constexpr int64_t kMinChunkRows = 64;

kernels::IdType id_type(const Tensor& ids) {
  return ids.dtype() == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
}

void check_targets(const char* op, const Tensor& targets, int64_t rows, int64_t classes,
                   int64_t ignore_index) {
  require_ids(op, "targets", targets);
  require(targets.size() == rows && targets.is_contiguous(), Code::kShapeMismatch,
          "{}: targets are {}, {} dense elements are needed", op, targets.shape().text(), rows);
  if (targets.engine().trace() != nullptr) return;
  const auto check = [&](const auto* p) {
    for (int64_t i = 0; i < rows; ++i) {
      require(p[i] == ignore_index || (p[i] >= 0 && p[i] < classes), Code::kInvalidArgument,
              "{}: target {} at position {} is outside [0, {}) and not ignore_index {}", op, p[i],
              i, classes, ignore_index);
    }
  };
  if (targets.dtype() == DType::kI64) {
    check(targets.data<int64_t>());
  } else {
    check(targets.data<int32_t>());
  }
}

/// Number of targets that count: the given one, or counted here.
Tensor count_of(const char* op, const Tensor& targets, const CrossEntropyOptions& options) {
  if (options.count.defined()) {
    require(options.count.dtype() == DType::kI64 && options.count.size() == 1, Code::kDtypeMismatch,
            "{}: count is {} {}, one int64 is needed", op, dtype_name(options.count.dtype()),
            options.count.shape().text());
    return options.count;
  }
  Engine& engine = targets.engine();
  Tensor count = Tensor::empty(engine, {}, DType::kI64);
  const Tensor work = scratch(engine, kernels::loss_scratch_bytes(targets.size()));
  kernels::LossReduceArgs args;
  args.targets = targets.raw();
  args.count = count.data<int64_t>();
  args.scratch = work.raw();
  args.rows = targets.size();
  args.ignore_index = options.ignore_index;
  args.target_type = id_type(targets);
  args.reduction = kernels::LossReduction::kSum;
  engine.launch("count_targets", &kernels::loss_reduce, args);
  return count;
}

/// upstream / count (upstream empty: 1 / count).
Tensor per_count(const Tensor& upstream, const Tensor& count) {
  Tensor out = Tensor::empty(count.engine(), {});
  kernels::LossScaleArgs args;
  args.upstream = upstream.defined() ? upstream.data<float>() : nullptr;
  args.count = count.data<int64_t>();
  args.out = out.data<float>();
  count.engine().launch("per_count", &kernels::loss_scale, args);
  return out;
}

/// Σ row_loss / count.
Tensor mean_rows(const Tensor& row_loss, const Tensor& count) {
  Engine& engine = row_loss.engine();
  const Tensor total = Tensor::empty(engine, {});
  const Tensor work = scratch(engine, kernels::loss_scratch_bytes(row_loss.size()));
  kernels::LossReduceArgs args;
  args.row_loss = row_loss.data<float>();
  args.out = total.data<float>();
  args.scratch = work.raw();
  args.rows = row_loss.size();
  args.reduction = kernels::LossReduction::kSum;
  engine.launch("sum_loss", &kernels::loss_reduce, args);
  return per_count(total, count);
}

struct CrossEntropyAttrs {
  int64_t ignore_index;
  float label_smoothing;
};

kernels::CrossEntropyArgs forward_args(const Tensor& logits, const std::byte* targets,
                                       kernels::IdType type, CrossEntropyAttrs attrs) {
  kernels::CrossEntropyArgs args;
  args.logits = logits.data<float>();
  args.targets = targets;
  args.classes = logits.dim(-1);
  args.rows = logits.size() / args.classes;
  args.ignore_index = attrs.ignore_index;
  args.label_smoothing = attrs.label_smoothing;
  args.target_type = type;
  return args;
}

kernels::CrossEntropyGradArgs grad_args(const kernels::CrossEntropyArgs& forward,
                                        const float* scale, float* dlogits) {
  kernels::CrossEntropyGradArgs args;
  args.logits = forward.logits;
  args.targets = forward.targets;
  args.lse = forward.lse;
  args.scale = scale;
  args.dlogits = dlogits;
  args.rows = forward.rows;
  args.classes = forward.classes;
  args.ignore_index = forward.ignore_index;
  args.label_smoothing = forward.label_smoothing;
  args.target_type = forward.target_type;
  return args;
}

void cross_entropy_backward(Backward& b) {
  const Tensor &logits = b.saved(0), &targets = b.saved(1), &lse = b.saved(2), &count = b.saved(3);
  const Tensor scale = per_count(b.grad(), count);
  const Backward::Target target = b.target(0);
  kernels::CrossEntropyArgs forward =
      forward_args(logits, targets.raw(), id_type(targets), b.attrs<CrossEntropyAttrs>());
  forward.lse = lse.data<float>();
  kernels::CrossEntropyGradArgs args =
      grad_args(forward, scale.data<float>(), target.grad.data<float>());
  args.accumulate = target.accumulate;
  b.engine().launch("cross_entropy_grad", &kernels::cross_entropy_grad, args, 4 * logits.size());
}

// ---- linear + cross entropy ---------------------------------------------------------------------

void launch_product(Engine& engine, const char* name, kernels::GemmArgs args) {
  const Tensor work = scratch(engine, kernels::gemm_scratch_bytes(args, engine.team().size()));
  args.scratch = work.data<float>();
  engine.launch(name, &kernels::gemm, args, 2 * args.m * args.n * args.k);
}

/// One chunk of rows: its losses, and while recording its share of dx and dweight.
struct HeadChunk {
  Tensor x, weight, targets, row_loss, dx, dweight, scale;
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
    launch_product(engine, "head_logits", product);
    kernels::CrossEntropyArgs forward = forward_args(
        logits, targets.raw() + begin * dtype_size(targets.dtype()), id_type(targets), attrs);
    forward.rows = rows;
    forward.row_loss = row_loss.data<float>() + begin;
    forward.lse = lse.data<float>();
    engine.launch("cross_entropy", &kernels::cross_entropy, forward, 4 * rows * classes);
    if (!dx.defined()) return;
    engine.launch("cross_entropy_grad", &kernels::cross_entropy_grad,
                  grad_args(forward, scale.data<float>(), logits.data<float>()),
                  4 * rows * classes);
    kernels::GemmArgs to_x;  // dx [rows, in] = dlogits · weight
    to_x.a = logits.data<float>();
    to_x.b = weight.data<float>();
    to_x.c = dx.data<float>() + begin * in;
    to_x.m = rows, to_x.n = in, to_x.k = classes;
    to_x.lda = classes, to_x.ldb = in, to_x.ldc = in;
    launch_product(engine, "head_dx", to_x);
    kernels::GemmArgs to_w;  // dweight [classes, in] (+)= dlogitsᵀ · x
    to_w.a = logits.data<float>();
    to_w.b = product.a;
    to_w.c = dweight.data<float>();
    to_w.m = classes, to_w.n = in, to_w.k = rows;
    to_w.lda = classes, to_w.ldb = in, to_w.ldc = in;
    to_w.trans_a = true;
    to_w.accumulate = begin > 0;
    launch_product(engine, "head_dw", to_w);
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

// ---- pairs --------------------------------------------------------------------------------------

struct PairAttrs {
  kernels::PairLoss loss;
};

void pair_backward(Backward& b) {
  const Backward::Target target = b.target(0);
  kernels::PairLossGradArgs args;
  args.x = b.saved(0).data<float>();
  args.target = b.saved(1).data<float>();
  args.upstream = b.grad().data<float>();
  args.dx = target.grad.data<float>();
  args.n = b.saved(0).size();
  args.loss = b.attrs<PairAttrs>().loss;
  args.accumulate = target.accumulate;
  b.engine().launch("pair_loss_grad", &kernels::pair_loss_grad, args, 3 * args.n);
}

Tensor pair(const char* name, kernels::PairLoss loss, const Tensor& x_in, const Tensor& target_in) {
  require_f32(name, "x", x_in);
  require_f32(name, "target", target_in);
  require(x_in.shape() == target_in.shape() && x_in.size() > 0, Code::kShapeMismatch,
          "{}: x is {} and target is {}, equal shapes with elements are needed", name,
          x_in.shape().text(), target_in.shape().text());
  require(!is_recorded({&target_in}), Code::kUnsupported,
          "{}: the target carries a gradient. Detach it first", name);
  const Tensor x = contiguous(x_in), target = contiguous(target_in);
  Engine& engine = x.engine();
  Tensor out = Tensor::empty(engine, {});
  const Tensor work = scratch(engine, kernels::loss_scratch_bytes(x.size()));
  kernels::PairLossArgs args;
  args.x = x.data<float>();
  args.target = target.data<float>();
  args.out = out.data<float>();
  args.scratch = work.raw();
  args.n = x.size();
  args.loss = loss;
  engine.launch(name, &kernels::pair_loss, args, 3 * args.n);
  record_op(name, &pair_backward, {&x}, out, {&x, &target}, PairAttrs{loss});
  return out;
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
  const Tensor count = count_of("cross_entropy", targets, options);
  const Tensor row_loss = Tensor::empty(engine, {rows});
  const Tensor lse = Tensor::empty(engine, {rows});
  kernels::CrossEntropyArgs args = forward_args(logits, targets.raw(), id_type(targets), attrs);
  args.row_loss = row_loss.data<float>();
  args.lse = lse.data<float>();
  engine.launch("cross_entropy", &kernels::cross_entropy, args, 4 * logits.size());
  Tensor loss = mean_rows(row_loss, count);
  record_op("cross_entropy", &cross_entropy_backward, {&logits}, loss,
            {&logits, &targets, &lse, &count}, attrs);
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
      forward_args(logits, targets.raw(), id_type(targets), {ignore_index, 0.0F});
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
  const Tensor count = count_of("linear_cross_entropy", targets, options);
  HeadChunk head{x,  weight, targets, Tensor::empty(engine, {rows}),
                 {}, {},     {},      {options.ignore_index, options.label_smoothing}};
  if (is_recorded({&x, &weight})) {
    head.dx = Tensor::empty(engine, x.shape());
    head.dweight = Tensor::empty(engine, weight.shape());
    head.scale = per_count({}, count);
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
  Tensor loss = mean_rows(head.row_loss, count);
  record_op("linear_cross_entropy", &linear_cross_entropy_backward, {&x, &weight}, loss,
            {&head.dx, &head.dweight}, NoAttrs{});
  return loss;
}

Tensor mse(const Tensor& x, const Tensor& target) {
  return pair("mse", kernels::PairLoss::kMse, x, target);
}

Tensor bce_with_logits(const Tensor& x, const Tensor& target) {
  return pair("bce_with_logits", kernels::PairLoss::kBceWithLogits, x, target);
}

}  // namespace ingot::ops
