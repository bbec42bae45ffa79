// SPDX-License-Identifier: Apache-2.0
#include "cost/network_planner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "base/error.h"

namespace ingot::cost {
namespace {

constexpr double kFaultAround = 65536;  // bytes that the system maps when one of them is looked at

double real(int64_t n) { return static_cast<double>(n); }

int64_t batches_of(int64_t rows, int64_t batch) { return (rows + batch - 1) / batch; }

/// Micro-batches of one evaluation.
int64_t evaluation_batches(const NetworkRequest& r) {
  if (r.data.validation == nullptr) return 0;
  const int64_t all = batches_of(r.data.validation->rows(), r.train.micro_batch);
  return r.train.eval_batches > 0 ? std::min(r.train.eval_batches, all) : all;
}

int64_t evaluated_rows(const NetworkRequest& r) {
  if (r.data.validation == nullptr) return 0;
  const int64_t rows = r.data.validation->rows();
  return std::min(rows, evaluation_batches(r) * r.train.micro_batch);
}

/// Buffers of the inputs: of every micro-batch, of those it is mixed with, of an evaluation.
int64_t batch_bytes(const NetworkRequest& r) {
  double row = 0;
  for (const models::Value& in : r.inputs) row += real(in.shape.size()) * 4;
  const double copies = real(r.train.accumulate) * (r.objective.mixup > 0 ? 2 : 1) + 1;
  return static_cast<int64_t>(std::min(row * real(r.train.micro_batch) * copies, 1e18));
}

/// Bytes of the training examples that `steps` look at. Rows are drawn without putting back, and
/// the system maps what lies around each.
double touched_bytes(const NetworkRequest& r, int64_t steps) {
  const data::ExampleReader& train = r.data.train;
  const double rows = real(train.rows()), record = real(train.layout().record_bytes());
  const double mixed = r.objective.mixup > 0 ? 2 : 1;
  const double looks = mixed * real(steps) * real(r.train.micro_batch * r.train.accumulate);
  if (steps == 0 || looks >= rows) return rows * record;
  return rows * record * (1.0 - std::pow(1.0 - looks / rows, 1.0 + kFaultAround / record));
}

int64_t mapped_bytes(const NetworkRequest& r, int64_t steps) {
  double bytes = touched_bytes(r, steps);
  if (r.data.validation != nullptr) {
    bytes += real(evaluated_rows(r)) * real(r.data.validation->layout().record_bytes());
  }
  return static_cast<int64_t>(bytes);
}

/// What an evaluation keeps per row until its figures are made, as the vectors grow, and the order
/// of the scores.
int64_t metric_bytes(const train::Objective& objective, int64_t rows) {
  if (objective.classes == 0) return 0;
  train::ClassificationOptions options;
  options.classes = objective.classes;
  const int64_t per_row = train::ClassificationMetrics(options).bytes_per_example();
  const double kept = real(rows) * real(per_row);
  const auto most = static_cast<double>(options.max_ranking_bytes);
  return static_cast<int64_t>(2 * std::min(kept, most));
}

/// The same of what intervals are made from.
int64_t interval_bytes(const train::Objective& objective, int64_t rows) {
  train::BootstrapOptions bootstrap;
  bootstrap.replicates = 1;
  train::ClassificationOptions options;
  options.ranking = false;
  options.bootstrap = bootstrap;
  const int64_t per_row = objective.classes > 0
                              ? train::ClassificationMetrics(options).bytes_per_example()
                              : train::RegressionMetrics({1, bootstrap}).bytes_per_example();
  return static_cast<int64_t>(std::min(2 * real(rows) * real(per_row), 1e18));
}

/// Of the evaluation after training, whose batches are no larger than those of training where
/// memory is short: weights, a batch, what is kept of the rows.
int64_t judged_bytes(const NetworkRequest& r, int64_t parameters, int64_t batch_slab) {
  if (r.judged_rows == 0) return 0;
  const int64_t weights = parameters * static_cast<int64_t>(sizeof(float));
  return weights + batch_slab + metric_bytes(r.objective, r.judged_rows) +
         interval_bytes(r.objective, r.judged_rows);
}

/// Seconds of one evaluation, from as many of its batches as take about `budget_s`.
double measure_evaluation(train::ExampleRunner& runner, const NetworkRequest& r, double step_s,
                          double budget_s) {
  using Clock = std::chrono::steady_clock;
  const int64_t all = evaluation_batches(r);
  if (all == 0) return 0.0;
  const double guess = step_s / real(r.train.accumulate);  // a forward pass is less than that
  const int64_t some = std::clamp<int64_t>(std::llround(budget_s / guess), 1, all);
  const auto look = [&](int64_t batches) {
    const auto start = Clock::now();
    (void)train::score(runner, r.objective, *r.data.validation, {batches, {}, {}});
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  (void)look(1);  // records it
  return look(some) * real(all) / real(some);
}

int64_t horizon(const NetworkRequest& r, double step_s) {
  return train::horizon_steps(r.train, r.data.train.rows(), step_s);
}

void measure(NetworkPlan& plan, const NetworkRequest& r, train::Step& step,
             train::ExampleRunner* runner) {
  announce(r.watch, plan.flops_per_step);
  plan.seconds_per_step =
      seconds_per_step(step, r.measure_s, [&](double step_s) { return horizon(r, step_s); });
  plan.examples_per_second = real(r.train.micro_batch * r.train.accumulate) / plan.seconds_per_step;
  if (runner == nullptr) return;
  plan.seconds_per_evaluation =
      measure_evaluation(*runner, r, plan.seconds_per_step, r.measure_s / 4);
}

void add_up(NetworkPlan& plan) {
  const int64_t training = plan.state_bytes + plan.slab_bytes + plan.metric_bytes;
  plan.needed_bytes = plan.program_bytes + std::max(training, plan.judged_bytes);
  plan.peak_bytes = plan.needed_bytes + plan.mapped_bytes;
}

bool is_over(const NetworkPlan& plan, const NetworkRequest& r) {
  return r.memory_bytes > 0 && plan.needed_bytes > r.memory_bytes;
}

/// Of the same network trained in another way under another cap. A batch that the network cannot
/// learn from, such as one row of a batch norm, fits nowhere.
int64_t bytes_needed(Team& team, const NetworkRequest& request, const train::TrainConfig& config,
                     int64_t memory_bytes) {
  NetworkRequest r = request;
  r.train = config;
  r.memory_bytes = memory_bytes;
  r.measure_s = 0.0;
  try {
    return plan_network(team, r).needed_bytes;
  } catch (const Error& error) {
    if (error.code() != Code::kShapeMismatch) throw;
    return std::numeric_limits<int64_t>::max();
  }
}

}  // namespace

NetworkPlan plan_network(Team& team, const NetworkRequest& r) {
  NetworkPlan plan;
  plan.program_bytes = program_bytes();
  Engine engine(team, {r.seed, 0});
  engine.stop = r.watch.stop;
  models::Network network(r.layers, r.inputs);
  plan.parameters = nn::parameter_count(network);
  plan.state_bytes = checked_add(declared_state_bytes(r.train, network), batch_bytes(r),
                                 "plan: state of the run", Code::kInvalidArgument);
  add_up(plan);
  if (is_over(plan, r)) return plan;

  train::SupervisedTask task(engine, r.train, r.objective, network, r.data);
  train::Step step(engine, r.train, task);
  const Forecast of_step = step.forecast();
  Forecast of_batch;
  std::optional<train::ExampleRunner> runner;
  if (task.has_validation()) {
    runner.emplace(engine, network, r.data.validation->layout(), r.data.filler,
                   train::ExampleRunnerOptions{r.objective.link, r.train.micro_batch,
                                               train::Tta::kNone, r.train.replay},
                   r.data.validation->path());
    of_batch = runner->forecast();
  }
  plan.program_bytes += of_step.record_bytes + of_batch.record_bytes;
  plan.flops_per_step = of_step.flops;
  plan.slab_bytes = std::max(of_step.slab_bytes, of_batch.slab_bytes);
  plan.state_bytes = engine.allocator().held_bytes();
  plan.metric_bytes = metric_bytes(r.objective, evaluated_rows(r));
  plan.judged_bytes = judged_bytes(r, plan.parameters, of_batch.slab_bytes);
  add_up(plan);
  if (r.measure_s > 0 && !is_over(plan, r)) measure(plan, r, step, runner ? &*runner : nullptr);
  plan.steps = horizon(r, plan.seconds_per_step);
  plan.examples = checked_mul(plan.steps, r.train.micro_batch * r.train.accumulate,
                              "plan: examples of the run", Code::kInvalidArgument);
  const train::Passes passes{r.train.micro_batch * r.train.accumulate, r.data.train.rows()};
  plan.seconds = real(plan.steps) * plan.seconds_per_step +
                 real(evaluations(r.train, passes, plan.steps)) * plan.seconds_per_evaluation;
  plan.mapped_bytes = mapped_bytes(r, plan.steps);
  add_up(plan);
  return plan;
}

std::optional<Change> fitting_change(Team& team, const NetworkRequest& request) {
  train::TrainConfig config = request.train;
  return smaller_batch(config, request.memory_bytes, [&](const train::TrainConfig& smaller) {
    return bytes_needed(team, request, smaller, request.memory_bytes);
  });
}

void require_fits(Team& team, const NetworkRequest& request, const NetworkPlan& plan) {
  if (!is_over(plan, request)) return;
  Refusal refusal;
  refusal.need = plan.needed_bytes;
  refusal.is_bound = plan.slab_bytes == 0;
  refusal.cap = request.memory_bytes;
  refusal.program = program_bytes();
  const bool is_training = plan.program_bytes + plan.judged_bytes <= refusal.cap;
  if (is_training) refusal.change = fitting_change(team, request);
  refusal.advice = is_training ? "No smaller batch fits; make the layers smaller"
                               : "The evaluation after the training takes it: hold out fewer rows "
                                 "(table.split.test), or use `ingot train`, which makes none";
  refusal.need_under = [&](int64_t most) {
    return bytes_needed(team, request, request.train, most);
  };
  refuse(refusal);
}

}  // namespace ingot::cost
