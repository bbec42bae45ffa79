// SPDX-License-Identifier: Apache-2.0
#include "train/step.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <vector>

#include "autograd/op.h"
#include "kernels/elementwise.h"
#include "optim/penalty.h"

namespace ingot::train {

Step::Step(Engine& engine, const TrainConfig& config, Task& task)
    : engine_(engine),
      config_(config),
      task_(task),
      store_(engine, task.module()),
      tape_(engine),
      scalars_(engine),
      optimizer_(optim::make_optimizer(config.optimizer, engine, store_)),
      count_(Tensor::zeros(engine, {}, DType::kI64)),
      loss_(Tensor::zeros(engine, {})),
      norm_(engine) {
  store_.bind(tape_);
}

void Step::gradients() {
  tape_.begin_step();
  for (int64_t slot = 0; slot < config_.accumulate; ++slot) {
    const Recording on(engine_, &tape_);
    const Tensor loss = task_.loss(slot, count_);
    tape_.backward(loss);
    ops::add_gradient(loss.detach(), loss_, slot > 0);
  }
  tape_.finish_step();
  optim::add_penalty(config_.optimizer, engine_, store_);
  if (config_.clip_value > 0.0F) clip_values();
  norm_.launch(store_, tape_, scalars_, config_.clip_norm);
}

/// Every number of the gradient into [-clip_value, clip_value], in place.
void Step::clip_values() {
  const auto clip = [&](const Tensor& grad) {
    kernels::UnaryArgs args;
    args.x = grad.data<float>();
    args.y = grad.data<float>();
    args.n = grad.size();
    args.p0 = -config_.clip_value;
    args.p1 = config_.clip_value;
    args.op = kernels::UnaryOp::kClamp;
    engine_.launch("clip_value", &kernels::unary, args, 2 * args.n);
  };
  clip(store_.grads());
  for (const nn::StoredParameter& p : store_.list()) {
    if (!p.parameter->row_sparse) continue;
    const SparseGrad& g = tape_.sparse_grad(p.parameter->value.slot);
    if (g.rows.defined()) clip(g.rows);
  }
}

void Step::record() {
  plan_.emplace(engine_, [&] {
    gradients();
    engine_.trace()->mark();
    update();
  });
}

void Step::load(int64_t step) {
  int64_t count = 0;
  for (int64_t slot = 0; slot < config_.accumulate; ++slot) {
    count += task_.load(step * config_.accumulate + slot, slot);
  }
  *count_.data<int64_t>() = count;
}

void Step::run_gradients() {
  if (plan_) {
    plan_->run(0);
  } else {
    gradients();
  }
}

void Step::run_update() {
  if (plan_) {
    plan_->run(1);
  } else {
    update();
  }
  ++store_.values().storage().version;
}

StepResult Step::run(int64_t step, double lr) {
  if (config_.replay && !plan_) record();
  load(step);
  *scalars_.lr.data<float>() = static_cast<float>(lr);
  *scalars_.step.data<int64_t>() = step + 1;
  *engine_.step_counter() = step;
  run_gradients();
  const StepResult result{*loss_.data<float>(), *norm_.norm().data<float>()};
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) {
    explain_nonfinite(step, result);
  }
  run_update();
  return result;
}

void Step::explain_nonfinite(int64_t step, const StepResult& result) {
  engine_.check_finite = true;  // the first op whose result is not finite throws and names itself
  std::string where = "no single op could be blamed";
  try {
    gradients();
  } catch (const Error& error) {
    where = error.what();
  }
  engine_.check_finite = false;
  fail(Code::kNumeric,
       "train: step {}: loss {}, gradient norm {}: {}. The weights are those of before this step. "
       "Lower train.lr{}",
       step, result.loss, result.grad_norm, where,
       config_.clip_norm > 0 ? " or train.clip_norm" : ", or bound the steps: train.clip_norm=1");
}

void Step::exchange_average() {
  const Tensor average = optimizer_->average();
  if (!average.defined()) return;
  float* weights = store_.values().data<float>();
  std::swap_ranges(weights, weights + average.size(), average.data<float>());
  ++store_.values().storage().version;
}

Forecast Step::forecast() {
  return ingot::forecast(engine_, [&] {
    gradients();
    update();
  });
}

double Step::measure_seconds(double budget_s) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  if (config_.replay && !plan_) record();
  load(0);
  const std::span<float> buffers(store_.values().data<float>() + store_.trained_size(),
                                 static_cast<size_t>(store_.size() - store_.trained_size()));
  const std::vector<float> buffers_before(buffers.begin(), buffers.end());
  *scalars_.lr.data<float>() = 0.0F;  // weights stay
  *scalars_.step.data<int64_t>() = 1;
  run_gradients();  // warm caches and pages
  double best = 1e300;
  const auto start = Clock::now();
  int runs = 0;
  do {
    const auto from = Clock::now();
    load(runs);
    run_gradients();
    run_update();
    best = std::min(best, seconds(from));
    ++runs;
  } while (seconds(start) < budget_s);
  const double mean = seconds(start) / runs;
  std::copy(buffers_before.begin(), buffers_before.end(), buffers.begin());
  optimizer_->reset();
  return std::min(mean, 1.5 * best);
}

}  // namespace ingot::train
