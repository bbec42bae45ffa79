// SPDX-License-Identifier: Apache-2.0
// Losses between two tensors of one shape: check, sum, divide; gradients in one kernel call.
#include "kernels/pair_loss.h"

#include "autograd/op.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/loss_parts.h"

namespace ingot::ops {
namespace {

/// What the ops below hand to the common path.
struct Pair {
  const char* name;
  kernels::PairRule rule;
  Tensor weights;
  Tensor count;
  Tensor pos_weight = {};
  bool per_row = false;  // divide by rows of the last axis, not by elements
};

struct PairAttrs {
  kernels::PairRule rule;
  kernels::LossReduction reduction;
  int64_t cols;
  int64_t period;
  float alpha;  // of the division: 1 / elements that a unit of the divisor stands for
};

template <class Args>
void fill_args(Args& args, const PairAttrs& attrs, const Tensor& x, const Tensor& target,
               const Tensor& weights, const Tensor& pos_weight) {
  args.x = x.data<float>();
  args.target = target.data<float>();
  args.row_weight = weights.data_or_null<float>();
  args.pos_weight = pos_weight.data_or_null<float>();
  args.n = x.size();
  args.cols = attrs.cols;
  args.period = attrs.period;
  args.rule = attrs.rule;
  args.reduction = attrs.reduction;
}

/// Elements that one weight covers.
int64_t row_length(const Pair& pair, const Tensor& x) {
  const char* name = pair.name;
  if (pair.per_row) {
    require(x.rank() >= 1, Code::kShapeMismatch, "{}: x is [], an axis of classes is needed", name);
  }
  const int rows_rank = pair.per_row ? x.rank() - 1 : x.rank();
  if (!pair.weights.defined()) {
    if (pair.per_row) return x.dim(-1);
    return x.rank() == 0 ? 1 : x.size() / x.dim(0);
  }
  const Shape& w = pair.weights.shape();
  bool fits = pair.per_row ? w.rank() == rows_rank : w.rank() <= rows_rank;
  for (int i = 0; fits && i < w.rank(); ++i) fits = w[i] == x.dim(i);
  require(fits, Code::kShapeMismatch, "{}: weights are {}, {} axes of x {} are needed", name,
          w.text(), pair.per_row ? "all but the last" : "the first", x.shape().text());
  check_weights(name, "weights", pair.weights, w.size());
  return x.size() / w.size();
}

void check_pair(const Pair& pair, const Tensor& x, const Tensor& target) {
  require_f32(pair.name, "x", x);
  require_f32(pair.name, "target", target);
  require(x.shape() == target.shape() && x.size() > 0, Code::kShapeMismatch,
          "{}: x is {} and target is {}, equal shapes with elements are needed", pair.name,
          x.shape().text(), target.shape().text());
  require(!is_recorded({&target}), Code::kUnsupported,
          "{}: the target carries a gradient. Detach it first", pair.name);
  check_count(pair.name, pair.count);
  if (!pair.pos_weight.defined() || pair.pos_weight.size() == 1) {
    check_weights(pair.name, "pos_weight", pair.pos_weight, 1);
  } else {
    check_weights(pair.name, "pos_weight", pair.pos_weight, x.rank() == 0 ? 1 : x.dim(-1));
  }
}

void pair_backward(Backward& b) {
  const Tensor &x = b.saved(0), &divisor = b.saved(4);
  const PairAttrs attrs = b.attrs<PairAttrs>();
  const bool is_plain = attrs.reduction == kernels::LossReduction::kMean;
  const Tensor upstream =
      is_plain ? b.grad() : per_count(b.grad(), divisor, b.engine(), attrs.alpha);
  const Backward::Target target = b.target(0);
  kernels::PairLossGradArgs args;
  fill_args(args, attrs, x, b.saved(1), b.saved(2), b.saved(3));
  args.upstream = upstream.data<float>();
  args.dx = target.grad.data<float>();
  args.accumulate = target.accumulate;
  b.engine().launch("pair_loss_grad", &kernels::pair_loss_grad, args, 3 * args.n);
}

Tensor mean_pair(const Pair& pair, const Tensor& x_in, const Tensor& target_in) {
  check_pair(pair, x_in, target_in);
  PairAttrs attrs{pair.rule, kernels::LossReduction::kMean, row_length(pair, x_in),
                  pair.pos_weight.defined() ? pair.pos_weight.size() : 1, 1.0F};
  const Tensor x = contiguous(x_in), target = contiguous(target_in);
  Engine& engine = x.engine();
  Tensor divisor;
  if (pair.per_row || pair.weights.defined() || pair.count.defined()) {
    attrs.reduction = kernels::LossReduction::kSum;
    const double unit = pair.per_row ? 1.0 : static_cast<double>(attrs.cols);
    attrs.alpha = static_cast<float>(1.0 / unit);
    if (pair.weights.defined() || pair.count.defined()) {
      divisor = divisor_of({{}, pair.weights, {}, pair.count, x.size() / attrs.cols}, engine);
    } else {
      attrs.alpha =
          static_cast<float>(static_cast<double>(attrs.cols) / static_cast<double>(x.size()));
    }
  }
  Tensor out = Tensor::empty(engine, {});
  {
    const Tensor work = scratch(engine, kernels::pair_loss_scratch_bytes(x.size()));
    kernels::PairLossArgs args;
    fill_args(args, attrs, x, target, pair.weights, pair.pos_weight);
    args.out = out.data<float>();
    args.scratch = work.raw();
    engine.launch(pair.name, &kernels::pair_loss, args, 3 * args.n);
  }
  if (attrs.reduction == kernels::LossReduction::kSum) {
    out = per_count(out, divisor, engine, attrs.alpha);
  }
  record_op(pair.name, &pair_backward, {&x}, out,
            {&x, &target, &pair.weights, &pair.pos_weight, &divisor}, attrs);
  return out;
}

}  // namespace

Tensor mse(const Tensor& x, const Tensor& target, const LossOptions& options) {
  return mean_pair({"mse", {kernels::PairLoss::kMse}, options.weights, options.count}, x, target);
}

Tensor mae(const Tensor& x, const Tensor& target, const LossOptions& options) {
  return mean_pair({"mae", {kernels::PairLoss::kMae}, options.weights, options.count}, x, target);
}

Tensor huber(const Tensor& x, const Tensor& target, float delta, const LossOptions& options) {
  require(delta > 0.0F, Code::kInvalidArgument, "huber: delta {} must be positive; 1 is usual",
          delta);
  return mean_pair({"huber", {kernels::PairLoss::kHuber, delta}, options.weights, options.count}, x,
                   target);
}

Tensor bce_with_logits(const Tensor& x, const Tensor& target, const BceOptions& options) {
  return mean_pair({"bce_with_logits",
                    {kernels::PairLoss::kBceWithLogits},
                    options.weights,
                    options.count,
                    options.pos_weight},
                   x, target);
}

Tensor binary_focal(const Tensor& x, const Tensor& target, const BinaryFocalOptions& options) {
  require(options.gamma >= 0.0F && options.alpha <= 1.0F, Code::kInvalidArgument,
          "binary_focal: gamma {} must not be negative and alpha {} not above 1; 2 and 0.25 are "
          "usual",
          options.gamma, options.alpha);
  return mean_pair({"binary_focal",
                    {kernels::PairLoss::kFocal, options.gamma, options.alpha},
                    options.weights,
                    options.count},
                   x, target);
}

Tensor kl_divergence(const Tensor& x, const Tensor& target, const LossOptions& options) {
  return mean_pair(
      {"kl_divergence", {kernels::PairLoss::kKl}, options.weights, options.count, {}, true}, x,
      target);
}

Tensor hinge(const Tensor& x, const Tensor& target, const HingeOptions& options) {
  require(options.power == 1 || options.power == 2, Code::kInvalidArgument,
          "hinge: power {} must be 1 or 2", options.power);
  return mean_pair({"hinge",
                    {kernels::PairLoss::kHinge, options.margin, static_cast<float>(options.power)},
                    options.weights,
                    options.count},
                   x, target);
}

}  // namespace ingot::ops
