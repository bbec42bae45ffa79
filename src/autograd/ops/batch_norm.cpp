// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/batch_norm.h"

#include "autograd/op.h"
#include "kernels/batch_norm.h"

namespace ingot::ops {
namespace {

using kernels::Activation;

int64_t rows_of(const Tensor& x) { return x.shape().size(0, x.rank() - 1); }

struct BatchNormAttrs {
  bool is_training, is_relu;
};

/// Where the kernel writes the gradient of one input: its own place, or a temporary when another
/// input is the same tensor.
Backward::Target place_of(Backward& b, int input, bool is_shared) {
  if (!b.needs(input)) return {};
  if (!is_shared) return input == 0 ? b.target_in_place(0) : b.target(input);
  return {Tensor::empty(b.engine(), b.input_shape(input)), false};
}

void batch_norm_backward(Backward& b) {
  const Tensor& x = b.saved(0);
  const auto attrs = b.attrs<BatchNormAttrs>();
  const bool is_shared = b.is_same(0, 1) || b.is_same(0, 2) || b.is_same(1, 2);
  const Backward::Target dx = place_of(b, 0, is_shared);
  const Backward::Target dweight = place_of(b, 1, is_shared);
  const Backward::Target dbias = place_of(b, 2, is_shared);
  const Tensor work = scratch(b.engine(), kernels::batch_norm_scratch_bytes(rows_of(x), x.dim(-1)));
  kernels::BatchNormGradArgs args;
  args.dy = b.grad().data<float>();
  args.x = x.data<float>();
  args.weight = b.saved(1).data_or_null<float>();
  args.bias = b.saved(2).data_or_null<float>();
  args.mean = b.saved(3).data<float>();
  args.rstd = b.saved(4).data<float>();
  args.dx = dx.grad.data_or_null<float>();
  args.dweight = dweight.grad.data_or_null<float>();
  args.dbias = dbias.grad.data_or_null<float>();
  args.scratch = work.data<float>();
  args.rows = rows_of(x), args.cols = x.dim(-1);
  args.is_training = attrs.is_training, args.is_relu = attrs.is_relu;
  args.accumulate_dx = dx.accumulate;
  args.accumulate_dweight = dweight.accumulate;
  args.accumulate_dbias = dbias.accumulate;
  b.engine().launch("batch_norm_grad", &kernels::batch_norm_grad, args, 10 * x.size());
  if (!is_shared) return;
  const Backward::Target* places[] = {&dx, &dweight, &dbias};
  for (int i = 0; i < 3; ++i) {
    if (places[i]->grad.defined()) b.add(i, places[i]->grad);
  }
}

void require_channels(const char* name, const Tensor& v, int64_t channels) {
  if (!v.defined()) return;
  require_f32("batch_norm", name, v);
  require(v.rank() == 1 && v.dim(0) == channels && v.is_contiguous(), Code::kShapeMismatch,
          "batch_norm: {} is {} but the last axis of x is {}", name, v.shape().text(), channels);
}

void check_batch_norm(const Tensor& x, const BatchNormState& state,
                      const BatchNormOptions& options) {
  require_f32("batch_norm", "x", x);
  require(x.rank() >= 2 && x.dim(-1) >= 1, Code::kShapeMismatch,
          "batch_norm: x is {}, [batch, ..., channels] is needed", x.shape().text());
  const int64_t channels = x.dim(-1);
  require_channels("weight", state.weight, channels);
  require_channels("bias", state.bias, channels);
  require_channels("running_mean", state.running_mean, channels);
  require_channels("running_var", state.running_var, channels);
  require(state.running_mean.defined() == state.running_var.defined(), Code::kInvalidArgument,
          "batch_norm: running_mean is {} but running_var is {}. Give both or neither",
          state.running_mean.defined() ? "given" : "empty",
          state.running_var.defined() ? "given" : "empty");
  require(options.is_training || state.running_mean.defined(), Code::kInvalidArgument,
          "batch_norm: inference needs running_mean and running_var, both are empty");
  require(options.eps > 0.0F, Code::kInvalidArgument, "batch_norm: eps is {}, it must be above 0",
          options.eps);
  require(options.momentum >= 0.0F && options.momentum <= 1.0F, Code::kInvalidArgument,
          "batch_norm: momentum is {}, it must be in [0, 1] (PyTorch 0.1; Keras's 0.99 is 0.01)",
          options.momentum);
  require(options.activation == Activation::kNone || options.activation == Activation::kRelu,
          Code::kUnsupported, "batch_norm: only relu can be fused. Apply the activation after it");
  require(!options.is_training || rows_of(x) > 1, Code::kShapeMismatch,
          "batch_norm: training on {} has {} value per channel, more than one is needed. Use a "
          "larger batch",
          x.shape().text(), rows_of(x));
}

/// Mean and 1/√(var + eps) per channel: the batch's, updating the running ones, or the running
/// ones.
struct Statistics {
  Tensor mean, rstd;
};
Statistics statistics_of(const Tensor& x, const BatchNormState& state,
                         const BatchNormOptions& options) {
  Engine& engine = x.engine();
  const int64_t channels = x.dim(-1), rows = rows_of(x);
  Statistics s{state.running_mean.detach(), Tensor::empty(engine, {channels})};
  if (!options.is_training) {
    kernels::BatchNormRstdArgs args;
    args.var = state.running_var.data<float>();
    args.rstd = s.rstd.data<float>();
    args.cols = channels;
    args.eps = options.eps;
    engine.launch("batch_norm_rstd", &kernels::batch_norm_rstd, args, 3 * channels);
    return s;
  }
  s.mean = Tensor::empty(engine, {channels});
  const Tensor work = scratch(engine, kernels::batch_norm_scratch_bytes(rows, channels));
  kernels::BatchNormStatsArgs args;
  args.x = x.data<float>();
  args.mean = s.mean.data<float>();
  args.rstd = s.rstd.data<float>();
  args.running_mean = state.running_mean.data_or_null<float>();
  args.running_var = state.running_var.data_or_null<float>();
  args.scratch = work.data<float>();
  args.rows = rows, args.cols = channels;
  args.eps = options.eps;
  args.momentum = options.momentum;
  args.is_unbiased = options.is_running_var_unbiased;
  engine.launch("batch_norm_stats", &kernels::batch_norm_stats, args, 4 * x.size());
  return s;
}

}  // namespace

Tensor batch_norm(const Tensor& input, const BatchNormState& state,
                  const BatchNormOptions& options) {
  check_batch_norm(input, state, options);
  const Tensor x = contiguous(input);
  const Statistics s = statistics_of(x, state, options);
  Tensor y = Tensor::empty(x.engine(), x.shape());
  const bool is_relu = options.activation == Activation::kRelu;
  kernels::BatchNormArgs args;
  args.x = x.data<float>();
  args.mean = s.mean.data<float>();
  args.rstd = s.rstd.data<float>();
  args.weight = state.weight.data_or_null<float>();
  args.bias = state.bias.data_or_null<float>();
  args.y = y.data<float>();
  args.rows = rows_of(x), args.cols = x.dim(-1);
  args.is_relu = is_relu;
  x.engine().launch("batch_norm", &kernels::batch_norm, args, 3 * x.size());
  record_op("batch_norm", &batch_norm_backward, {&x, &state.weight, &state.bias}, y,
            {&x, &state.weight, &state.bias, &s.mean, &s.rstd},
            BatchNormAttrs{options.is_training, is_relu});
  return y;
}

}  // namespace ingot::ops
