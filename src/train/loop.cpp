// SPDX-License-Identifier: Apache-2.0
#include "train/loop.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/json.h"
#include "base/machine.h"
#include "ledger/event_file.h"
#include "ledger/metrics.h"

namespace ingot::train {
namespace {

using ledger::Fields;
using ledger::Kind;

constexpr double kMeasureSeconds = 1.0;

/// One run in progress.
class Run {
 public:
  Run(const LoopContext& context, const TrainConfig& config)
      : c_(context),
        config_(config),
        start_s_(context.clock.now_s()),
        step_(context.engine, config, context.task),
        checkpoints_(context.files, join_path(context.out, "checkpoints"), config.keep) {}

  TrainSummary run();

 private:
  void begin();
  int64_t decide_horizon();
  void log_step(const StepResult& result, double lr);
  void evaluate();
  void sample();
  void save();
  bool is_due(int64_t every) const { return every > 0 && state_.step % every == 0; }
  bool is_over() const {
    return state_.step >= state_.total_steps ||
           (config_.early_stop.patience > 0 &&
            state_.best.evaluations_since >= config_.early_stop.patience);
  }
  TrainSummary finish(bool stopped);
  double seconds() const { return seconds_before_ + c_.clock.now_s() - start_s_; }
  int64_t items_per_step() const { return c_.task.items() * config_.accumulate; }

  const LoopContext& c_;
  const TrainConfig& config_;
  double start_s_;
  double seconds_before_ = 0.0;  // of the calls that this one continues
  Step step_;
  Checkpoints checkpoints_;
  RunState state_;
  std::optional<Schedule> schedule_;
  std::optional<ledger::MetricsWriter> metrics_;
  std::optional<ledger::EventWriter> events_;
  Evaluation validation_;
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
    const StepResult result = step_.run(state_.step, lr);
    ++state_.step;
    log_step(result, lr);
    if (is_due(config_.eval_every) || state_.step == state_.total_steps) evaluate();
    if (is_due(config_.sample_every)) sample();
    if (is_due(config_.checkpoint_every)) save();
    c_.after_step(state_.step);
    stopped = c_.should_stop();
  }
  return finish(stopped && !is_over());
}

void Run::begin() {
  (void)c_.task.items_per_epoch();  // data too small for a batch is refused before anything is done
  std::string warning;
  const std::optional<RunState> found =
      checkpoints_.load(c_.recipe_hash, step_.store(), step_.optimizer(), &warning);
  if (!warning.empty()) c_.note("train: skipped a damaged checkpoint: " + warning);
  const std::string metrics_path = join_path(c_.out, "metrics.jsonl");
  if (found) {
    state_ = *found;
    saved_step_ = state_.step;
    c_.note(fmt::format("train: continues at step {} of {}", state_.step, state_.total_steps));
    metrics_.emplace(metrics_path, state_.step, state_.metrics_lines);
    validation_.loss = state_.last_validation;
    seconds_before_ = state_.seconds;
  } else {
    state_.recipe_hash = c_.recipe_hash;
    state_.total_steps = decide_horizon();
    metrics_.emplace(metrics_path);
  }
  schedule_.emplace(config_.schedule, config_.lr, state_.total_steps);
  schedule_->plateau = state_.plateau;
  ledger::EventSource source;
  source.start_time = c_.clock.wall_s();
  source.process = getpid();
  events_.emplace(c_.out, source, found ? state_.step : -1);
  summary_.total_steps = state_.total_steps;
  speed_from_step_ = state_.step;
}

/// Steps of the horizon. Minutes are turned into steps once, by measuring; the number is kept in
/// horizon.json so that a run killed before its first checkpoint starts again with the same one.
int64_t Run::decide_horizon() {
  const std::string path = join_path(c_.out, "horizon.json");
  if (file_exists(path)) {
    JsonLimits limits;
    limits.code = Code::kCorruptFile;
    const Json json = parse_json(read_file(path, 1 << 16), path, limits);
    const bool is_whole = json.is_object() && json.contains("recipe_hash") &&
                          json["recipe_hash"].is_string() && json.contains("total_steps") &&
                          json["total_steps"].is_number_integer() && json["total_steps"] > 0;
    require(is_whole, Code::kCorruptFile,
            "train: {} does not hold a recipe_hash and the total_steps. Remove it; the number of "
            "steps is then decided again",
            path);
    if (json["recipe_hash"] == c_.recipe_hash) return json["total_steps"].get<int64_t>();
  }
  const double step_s = config_.minutes > 0 ? step_.measure_seconds(kMeasureSeconds) : 0.0;
  const int64_t steps = horizon_steps(config_, c_.task.items_per_epoch(), step_s);
  const Json json = {{"recipe_hash", c_.recipe_hash}, {"total_steps", steps}};
  write_atomically(c_.files, path, dump_json(json) + "\n");
  return steps;
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
    Fields fields, clock;
    fields.add("loss", result.loss).add("learning_rate", static_cast<float>(lr));
    fields.add("gradient_norm", result.grad_norm).add("tokens", items_per_step() * state_.step);
    clock.add("seconds", static_cast<float>(now - start_s_));
    clock.add("tokens_per_second", static_cast<float>(items_per_s));
    metrics_->write(state_.step, Kind::kTrain, fields, clock);
    const double wall = c_.clock.wall_s();
    events_->scalar("train/loss", state_.step, result.loss, wall);
    events_->scalar("train/learning_rate", state_.step, static_cast<float>(lr), wall);
    events_->scalar("train/gradient_norm", state_.step, result.grad_norm, wall);
    events_->scalar("train/tokens_per_second", state_.step, static_cast<float>(items_per_s), wall);
  }
  if (c_.progress == nullptr) return;
  ProgressState p;
  p.step = state_.step;
  p.total = state_.total_steps;
  p.loss = static_cast<double>(result.loss);
  p.lr = lr;
  if (state_.best.step >= 0) p.val = validation_.loss;
  if (items_per_s > 0) p.items_per_s = items_per_s;
  p.memory_bytes = resident_bytes();
  c_.progress->update(p);
}

void Run::evaluate() {
  if (!c_.task.has_validation()) return;
  const AveragedWeights averaged(step_);
  validation_ = c_.task.evaluate();
  state_.last_validation = validation_.loss;
  schedule_->observe(validation_.loss);
  state_.plateau = schedule_->plateau;
  BestState& best = state_.best;
  if (best.step < 0 || std::isnan(best.loss) ||
      validation_.loss < best.loss - config_.early_stop.min_delta) {
    best = {validation_.loss, state_.step, 0};
    if (config_.keep_best) checkpoints_.save_best(step_.store());
  } else {
    ++best.evaluations_since;
  }
  Fields fields, clock;
  fields.add("loss", validation_.loss);
  const double wall = c_.clock.wall_s();
  events_->scalar("validation/loss", state_.step, static_cast<float>(validation_.loss), wall);
  for (const auto& [name, value] : validation_.metrics) {
    fields.add(name, value);
    events_->scalar("validation/" + name, state_.step, static_cast<float>(value), wall);
  }
  clock.add("seconds", static_cast<float>(c_.clock.now_s() - start_s_));
  metrics_->write(state_.step, Kind::kValidation, fields, clock);
}

void Run::sample() {
  const AveragedWeights averaged(step_);
  const Sample sample = c_.task.sample();
  if (sample.prompt.empty() && sample.text.empty()) return;
  metrics_->write(state_.step, Kind::kSample,
                  Fields()
                      .add("prompt", std::string_view(sample.prompt))
                      .add("text", std::string_view(sample.text)));
  events_->text("sample", state_.step, sample.prompt + sample.text, c_.clock.wall_s());
}

void Run::save() {
  if (saved_step_ == state_.step) return;
  metrics_->sync();
  state_.metrics_lines = metrics_->lines();
  state_.seconds = seconds();
  checkpoints_.save(state_, step_.store(), step_.optimizer());
  saved_step_ = state_.step;
}

TrainSummary Run::finish(bool stopped) {
  save();
  metrics_->sync();
  events_->sync();
  summary_.steps = state_.step;
  summary_.parameters = step_.store().parameter_count();
  summary_.validation = validation_;
  summary_.best = state_.best;
  summary_.end = stopped                            ? EndReason::kStopped
                 : state_.step < state_.total_steps ? EndReason::kEarlyStop
                                                    : EndReason::kFinished;
  if (!stopped && config_.keep_best && state_.best.step >= 0) {
    checkpoints_.load_best(step_.store());
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
