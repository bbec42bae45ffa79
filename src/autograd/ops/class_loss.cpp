// SPDX-License-Identifier: Apache-2.0
// Losses over rows of logits beside cross entropy: focal (cross entropy's kernels with another
// factor per row) and margins.
#include "kernels/class_loss.h"

#include "autograd/op.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/loss_parts.h"

namespace ingot::ops {
namespace {

/// The options every loss over classes has, checked.
template <class Options>
MeanOver checked(const char* op, const Tensor& logits, const Tensor& targets, const Options& o) {
  require_f32(op, "logits", logits);
  require(logits.rank() >= 1 && logits.dim(-1) >= 1, Code::kShapeMismatch,
          "{}: logits {} have no class axis", op, logits.shape().text());
  const int64_t classes = logits.dim(-1), rows = logits.size() / classes;
  check_targets(op, targets, rows, classes, o.ignore_index);
  check_weights(op, "class_weights", o.class_weights, classes);
  check_weights(op, "weights", o.weights, rows);
  check_count(op, o.count);
  return {targets, o.weights, {}, o.count, rows, o.ignore_index};
}

// ---- focal --------------------------------------------------------------------------------------

struct FocalAttrs {
  int64_t ignore_index;
};

void focal_backward(Backward& b) {
  const Tensor &logits = b.saved(0), &targets = b.saved(1);
  const Tensor scale = per_count(b.grad(), b.saved(4), b.engine());
  const Backward::Target target = b.target(0);
  kernels::CrossEntropyGradArgs args;
  args.logits = logits.data<float>();
  args.targets = targets.raw();
  args.lse = b.saved(2).data<float>();
  args.scale = scale.data<float>();
  args.row_scale = b.saved(3).data<float>();
  args.dlogits = target.grad.data<float>();
  args.classes = logits.dim(-1);
  args.rows = logits.size() / args.classes;
  args.ignore_index = b.attrs<FocalAttrs>().ignore_index;
  args.target_type = id_type(targets);
  args.accumulate = target.accumulate;
  b.engine().launch("cross_entropy_grad", &kernels::cross_entropy_grad, args, 4 * logits.size());
}

// ---- margin -------------------------------------------------------------------------------------

struct MarginAttrs {
  int64_t ignore_index;
  float margin;
  int32_t power;
};

template <class Args>
void fill_margin(Args& args, const MarginAttrs& attrs, const Tensor& logits, const Tensor& targets,
                 const Tensor& class_weights) {
  args.logits = logits.data<float>();
  args.targets = targets.raw();
  args.class_weight = class_weights.data_or_null<float>();
  args.classes = logits.dim(-1);
  args.rows = logits.size() / args.classes;
  args.ignore_index = attrs.ignore_index;
  args.margin = attrs.margin;
  args.power = attrs.power;
  args.target_type = id_type(targets);
}

void margin_backward(Backward& b) {
  const Tensor& logits = b.saved(0);
  const Tensor scale = per_count(b.grad(), b.saved(4), b.engine());
  const Backward::Target target = b.target(0);
  kernels::MarginGradArgs args;
  fill_margin(args, b.attrs<MarginAttrs>(), logits, b.saved(1), b.saved(2));
  args.scale = scale.data<float>();
  args.row_scale = b.saved(3).data_or_null<float>();
  args.dlogits = target.grad.data<float>();
  args.accumulate = target.accumulate;
  b.engine().launch("margin_grad", &kernels::margin_rows_grad, args, 3 * logits.size());
}

}  // namespace

Tensor focal(const Tensor& input, const Tensor& targets, const FocalOptions& options) {
  const MeanOver over = checked("focal", input, targets, options);
  require(options.gamma >= 0.0F, Code::kInvalidArgument,
          "focal: gamma {} must not be negative; 2 is usual", options.gamma);
  const Tensor logits = contiguous(input);
  Engine& engine = logits.engine();
  const Tensor row_loss = Tensor::empty(engine, {over.rows});
  const Tensor lse = Tensor::empty(engine, {over.rows});
  const Tensor factor = Tensor::empty(engine, {over.rows});
  kernels::CrossEntropyArgs nll;
  nll.logits = logits.data<float>();
  nll.targets = targets.raw();
  nll.row_loss = row_loss.data<float>();
  nll.lse = lse.data<float>();
  nll.rows = over.rows;
  nll.classes = logits.dim(-1);
  nll.ignore_index = options.ignore_index;
  nll.target_type = id_type(targets);
  engine.launch("cross_entropy", &kernels::cross_entropy, nll, 4 * logits.size());
  kernels::FocalRowsArgs fade;
  fade.row_nll = row_loss.data<float>();
  fade.targets = targets.raw();
  fade.alpha = options.class_weights.data_or_null<float>();
  fade.row_weight = options.weights.data_or_null<float>();
  fade.row_loss = row_loss.data<float>();
  fade.row_factor = factor.data<float>();
  fade.rows = over.rows;
  fade.ignore_index = options.ignore_index;
  fade.gamma = static_cast<double>(options.gamma);
  fade.target_type = nll.target_type;
  engine.launch("focal", &kernels::focal_rows, fade, 20 * over.rows);
  const Tensor divisor = divisor_of(over, engine);
  Tensor loss = mean_rows(row_loss, options.weights, divisor);
  record_op("focal", &focal_backward, {&logits}, loss, {&logits, &targets, &lse, &factor, &divisor},
            FocalAttrs{options.ignore_index});
  return loss;
}

Tensor multi_margin(const Tensor& input, const Tensor& targets, const MultiMarginOptions& options) {
  const MeanOver over = checked("multi_margin", input, targets, options);
  require(options.power == 1 || options.power == 2, Code::kInvalidArgument,
          "multi_margin: power {} must be 1 or 2", options.power);
  const Tensor logits = contiguous(input);
  Engine& engine = logits.engine();
  const Tensor row_loss = Tensor::empty(engine, {over.rows});
  const MarginAttrs attrs{options.ignore_index, options.margin, options.power};
  kernels::MarginArgs args;
  fill_margin(args, attrs, logits, targets, options.class_weights);
  args.row_loss = row_loss.data<float>();
  engine.launch("margin", &kernels::margin_rows, args, 3 * logits.size());
  const Tensor divisor = divisor_of(over, engine);
  Tensor loss = mean_rows(row_loss, options.weights, divisor);
  record_op("multi_margin", &margin_backward, {&logits}, loss,
            {&logits, &targets, &options.class_weights, &options.weights, &divisor}, attrs);
  return loss;
}

}  // namespace ingot::ops
