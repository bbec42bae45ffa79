// SPDX-License-Identifier: Apache-2.0
#include "train/loop.h"

#include <cmath>

#include <fmt/format.h>

#include "base/machine.h"

namespace ingot::train {
namespace {

constexpr double kMeasureSeconds = 1.0;

/// One run in progress.
class Run {
 public:
  Run(const LoopContext& context, const TrainConfig& config)
      : c_(context),
        config_(config),
        start_s_(context.clock.now_s()),
        step_(context.engine, config, context.task) {}

  TrainSummary run();

 private:
  void begin();
  int64_t decide_horizon();
  void record(decltype(RunRecord::what) what) {
    c_.keeper.record({state_.step, c_.clock.now_s() - start_s_, std::move(what)});
  }
  void log_step(const StepResult& result, double lr);
  void log_epoch(float loss);
  void show_progress(float loss, double lr);
  void evaluate();
  void sample();
  void save();
  bool is_due(int64_t every) const { return every > 0 && state_.step % every == 0; }
  bool is_good_enough(double loss) const {
    return config_.early_stop.threshold > 0.0 && loss < config_.early_stop.threshold;
  }
  bool is_stuck() const {
    return config_.early_stop.patience > 0 &&
           state_.best.evaluations_since >= config_.early_stop.patience;
  }
  bool is_over() const {
    return state_.step >= state_.total_steps || is_stuck() ||
           (state_.best.step >= 0 && is_good_enough(state_.best.loss));
  }
  TrainSummary finish(bool stopped);
  double seconds() const { return seconds_before_ + c_.clock.now_s() - start_s_; }
  int64_t items_per_step() const { return c_.task.items() * config_.accumulate; }
  Passes passes() const { return {items_per_step(), items_per_epoch_}; }

  const LoopContext& c_;
  const TrainConfig& config_;
  double start_s_;
  double seconds_before_ = 0.0;  // of the calls that this one continues
  Step step_;
  int64_t items_per_epoch_ = 0;
  RunState state_;
  std::optional<Schedule> schedule_;
  Evaluation validation_;
  std::string epoch_note_;  // of the last epoch that ended
  TrainSummary summary_;
  double speed_from_s_ = 0.0;
  int64_t speed_from_step_ = 0;
  int64_t saved_step_ = -1;
};

// The table of contents of training.
TrainSummary Run::run() {
  begin();
  bool stopped = false;
  while (!is_over() && !stopped) {
    const double lr = schedule_->at(state_.step);
    StepResult result = step_.run(state_.step, lr);
    result.loss *= static_cast<float>(c_.task.loss_scale());
    ++state_.step;
    log_step(result, lr);
    log_epoch(result.loss);
    show_progress(result.loss, lr);
    const bool is_judged = is_evaluation_due(config_, passes(), state_.step);
    if (is_judged || state_.step == state_.total_steps) evaluate();
    if (is_due(config_.sample_every)) sample();
    if (is_due(config_.checkpoint_every)) save();
    c_.after_step(state_.step);
    stopped = c_.should_stop();
  }
  return finish(stopped && !is_over());
}

void Run::begin() {
  // What cannot be kept, and data too small for a batch, is refused before anything is done.
  require_validation(config_, c_.task.has_validation(),
                     "Set table.split.validation=0.1 (texts: data.validation=0.1)");
  items_per_epoch_ = c_.task.items_per_epoch();
  state_ = c_.keeper.begin(step_.store(), step_.optimizer(), [this] { return decide_horizon(); });
  saved_step_ = state_.step;
  validation_.loss = state_.last_validation;
  seconds_before_ = state_.seconds;
  schedule_.emplace(config_.schedule, config_.lr, state_.total_steps);
  schedule_->plateau = state_.plateau;
  step_.set_total(state_.total_steps);
  summary_.total_steps = state_.total_steps;
  speed_from_step_ = state_.step;
}

int64_t Run::decide_horizon() {
  const double step_s = config_.minutes > 0 ? step_.measure_seconds(kMeasureSeconds) : 0.0;
  return horizon_steps(config_, items_per_epoch_, step_s);
}

void Run::log_step(const StepResult& result, double lr) {
  state_.last_loss = static_cast<double>(result.loss);
  const double now = c_.clock.now_s();
  if (state_.step == speed_from_step_ + 1 && speed_from_s_ == 0.0) {
    summary_.first_step_s = now - start_s_;
    speed_from_s_ = now;
    speed_from_step_ = state_.step;
  }
  const double items_per_s =
      state_.step > speed_from_step_
          ? static_cast<double>(items_per_step() * (state_.step - speed_from_step_)) /
                std::max(now - speed_from_s_, 1e-9)
          : 0.0;
  summary_.items_per_s = items_per_s;
  if (is_due(config_.log_every) || state_.step == state_.total_steps) {
    record(StepLog{result.loss, static_cast<float>(lr), result.grad_norm,
                   items_per_step() * state_.step, items_per_s, c_.task.item_name().plural});
  }
}

void Run::show_progress(float loss, double lr) {
  if (c_.progress == nullptr) return;
  ProgressState p;
  p.step = state_.step;
  p.total = state_.total_steps;
  p.loss = static_cast<double>(loss);
  p.lr = lr;
  if (state_.best.step >= 0) p.val = validation_.loss;
  if (summary_.items_per_s > 0) p.items_per_s = summary_.items_per_s;
  p.item = c_.task.item_name().unit;
  p.memory_bytes = resident_bytes();
  p.note = epoch_note_;
  c_.progress->update(p);
}

/// Counts a step, and logs the mean of an epoch that ends here.
void Run::log_epoch(float loss) {
  EpochState& epoch = state_.epoch;
  epoch.loss_sum += static_cast<double>(loss);
  ++epoch.steps;
  if (!passes().ends_at(state_.step)) return;
  const int64_t ended = passes().after(state_.step);
  const double mean = epoch.loss_sum / static_cast<double>(epoch.steps);
  if (epoch.steps > 1) epoch_note_ = fmt::format("epoch {} mean {:.4f}", ended, mean);
  record(EpochLog{ended, mean, epoch.steps});
  epoch = {};
}

void Run::evaluate() {
  if (!c_.task.has_validation()) return;
  const AveragedWeights averaged(step_);
  validation_ = c_.task.evaluate();
  state_.last_validation = validation_.loss;
  schedule_->observe(validation_.loss);
  state_.plateau = schedule_->plateau;
  BestState& best = state_.best;
  // A loss that ends the run counts, however little it is better: the run exports its weights.
  if (best.step < 0 || std::isnan(best.loss) || is_good_enough(validation_.loss) ||
      validation_.loss < best.loss - config_.early_stop.min_delta) {
    best = {validation_.loss, state_.step, 0, {}};
    if (config_.keep_best) best.sha256 = c_.keeper.save_best(step_.store());
  } else {
    ++best.evaluations_since;
  }
  record(validation_);
}

void Run::sample() {
  const AveragedWeights averaged(step_);
  Sample sample = c_.task.sample();
  if (!sample.prompt.empty() || !sample.text.empty()) record(std::move(sample));
}

void Run::save() {
  if (saved_step_ == state_.step) return;
  state_.seconds = seconds();
  c_.keeper.save(state_, step_.store(), step_.optimizer());
  saved_step_ = state_.step;
}

TrainSummary Run::finish(bool stopped) {
  save();
  summary_.steps = state_.step;
  summary_.parameters = step_.store().parameter_count();
  summary_.validation = validation_;
  summary_.best = state_.best;
  summary_.end = stopped                            ? EndReason::kStopped
                 : state_.step < state_.total_steps ? EndReason::kEarlyStop
                                                    : EndReason::kFinished;
  if (!stopped && config_.keep_best && state_.best.step >= 0) {
    c_.keeper.load_best(state_.best, step_.store());
  } else if (!stopped) {
    step_.exchange_average();
  }
  summary_.loss = state_.last_loss;
  summary_.seconds = seconds();
  if (summary_.items_per_s == 0.0 && summary_.seconds > 0.0) {
    summary_.items_per_s = static_cast<double>(items_per_step() * state_.step) / summary_.seconds;
  }
  summary_.flops_per_step = step_.flops();
  summary_.slab_bytes = c_.engine.slab_bytes();
  if (c_.progress != nullptr) {
    ProgressState p;
    p.step = state_.step;
    p.total = state_.total_steps;
    p.loss = summary_.loss;
    if (state_.best.step >= 0) p.val = validation_.loss;
    p.memory_bytes = resident_bytes();
    if (summary_.items_per_s > 0) p.items_per_s = summary_.items_per_s;
    p.item = c_.task.item_name().unit;
    p.note = epoch_note_;
    c_.progress->finish(p);
  }
  return summary_;
}

}  // namespace

TrainSummary train(const LoopContext& context, const TrainConfig& config) {
  config.check();
  return Run(context, config).run();
}

}  // namespace ingot::train
