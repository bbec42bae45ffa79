// SPDX-License-Identifier: Apache-2.0
// How many steps are run to time one, what is told of it, and that it can be stopped.
#include "cost/timing.h"

#include <string>
#include <vector>

#include "cost/planner.h"
#include "train/tiny_run.h"

namespace ingot::cost::timing_test {
namespace {

using testing::code_of;
using testing::tiny_config;
using testing::tiny_model;
using testing::TinyData;

/// Passes everything on and counts the micro-batches that were loaded.
class CountedTask : public train::Task {
 public:
  explicit CountedTask(train::Task& task) : task_(task) {}
  nn::Module& module() override { return task_.module(); }
  int64_t load(int64_t index, int64_t slot) override {
    ++loads;
    return task_.load(index, slot);
  }
  Tensor loss(int64_t slot, const Tensor& count) override { return task_.loss(slot, count); }
  train::Evaluation evaluate() override { return task_.evaluate(); }
  int64_t items() const override { return task_.items(); }
  int64_t items_per_epoch() const override { return task_.items_per_epoch(); }

  int64_t loads = 0;

 private:
  train::Task& task_;
};

struct StepsRun {
  int64_t first = 0;  ///< by the first look, the step that warms up included
  int64_t all = 0;
};

/// What seconds_per_step runs in `most_s` of a run of so many steps.
StepsRun steps_run(double most_s, int64_t steps_of_run) {
  const TinyData data;
  Team team(1);
  Engine engine(team);
  models::Transformer model(engine, tiny_model());
  train::LmTask lm(engine, tiny_config(), {}, testing::tiny_hooks(model), data.train(),
                   &data.validation());
  CountedTask task(lm);
  train::Step step(engine, tiny_config(), task);
  const auto steps = [&] { return task.loads / tiny_config().accumulate; };
  StepsRun run;
  const auto steps_of = [&](double) {  // asked between the two looks
    run.first = steps();
    return steps_of_run;
  };
  EXPECT_GT(seconds_per_step(step, most_s, steps_of), 0.0);
  run.all = steps();
  return run;
}

TEST(Timing, AStepLongerThanTheTimeIsRunOnceAfterTheOneThatWarmsUp) {
  EXPECT_EQ(steps_run(1e-9, int64_t{1} << 40).all, 2);
}

TEST(Timing, AShortRunIsNotMeasuredForLongerThanItself) {
  const StepsRun run = steps_run(0.5, 1);
  EXPECT_EQ(run.all, run.first);
}

TEST(Timing, ShortStepsAreLookedAtTwice) {
  const StepsRun run = steps_run(0.5, int64_t{1} << 40);
  EXPECT_GT(run.all, run.first);
}

TEST(Timing, OnlyALongMeasurementIsAnnounced) {
  std::vector<std::string> notes;
  Watch watch;
  announce(watch, kLongStepFlops);  // nobody listens
  watch.note = [&](std::string_view text) { notes.emplace_back(text); };
  announce(watch, kLongStepFlops - 1);
  EXPECT_TRUE(notes.empty());
  announce(watch, 371'400'000'000);
  EXPECT_EQ(notes,
            std::vector<std::string>{"plan: measuring a step of 371 GFLOP; Ctrl-C stops it"});
}

TEST(Timing, APlanAndTheSearchForOneThatFitsCanBeStopped) {
  StopFlag stop;
  Team team(1);
  PlanRequest r;
  r.train = tiny_config();
  r.model = tiny_model();
  r.measure_s = 0.0;
  r.watch.stop = &stop;
  EXPECT_GT(plan_training(team, r).peak_bytes, 0);
  stop.request();
  EXPECT_EQ(code_of([&] { (void)plan_training(team, r); }), "cancelled");
  r.memory_bytes = int64_t{1} << 40;  // the first change that is tried is recorded
  EXPECT_EQ(code_of([&] { (void)fitting_change(team, r); }), "cancelled");
}

}  // namespace
}  // namespace ingot::cost::timing_test
