// SPDX-License-Identifier: Apache-2.0
// Averaged weights and penalties as parts of a run: what is validated and exported, what a
// checkpoint carries over, and that a step is otherwise unchanged.
#include <cmath>

#include "train/step.h"
#include "train/tiny_run.h"

namespace ingot::train::weight_average_test {
namespace {

using optim::Average;
using testing::run_tiny;
using testing::TempDir;
using testing::tiny_config;
using testing::TinyData;
using testing::TinyOptions;
using testing::TinyResult;
using testing::TinyStep;

class AveragedRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { data_ = new TinyData; }
  static void TearDownTestSuite() { delete data_; }
  static TrainConfig config(Average kind) {
    TrainConfig c = tiny_config();
    c.keep_best = false;
    c.early_stop.patience = 0;
    // Validation must not steer the run.
    c.schedule = {.name = ScheduleKind::kConstant, .warmup = 3};
    c.optimizer.average.kind = kind;
    if (kind == Average::kEma) c.optimizer.average.decay = 0.5;
    return c;
  }
  static TinyData* data_;
};
TinyData* AveragedRun::data_ = nullptr;

TEST_F(AveragedRun, ExchangeTwiceIsAsIfNever) {
  TinyStep t(*data_, config(Average::kEma));
  for (int64_t i = 0; i < 3; ++i) (void)t.step.run(i, 1e-2);
  const std::vector<float> last = t.weights();
  {
    const AveragedWeights averaged(t.step);
    const std::vector<float> average = t.weights();
    EXPECT_NE(average, last);
    const std::vector<float> slab = t.step.optimizer().average().to_vector<float>();
    EXPECT_TRUE(std::equal(slab.begin(), slab.end(), last.begin())) << "exchanged, not copied";
  }
  EXPECT_EQ(t.weights(), last);
}

TEST_F(AveragedRun, TheAverageIsExportedAndTrainingGoesOnAsWithoutIt) {
  TempDir plain, early, late;
  const TinyResult last = run_tiny(*data_, plain.path(), config(Average::kNone));
  const TinyResult average = run_tiny(*data_, early.path(), config(Average::kSwa));
  TrainConfig never = config(Average::kSwa);
  never.optimizer.average.start = 1000000;  // then the average is the last weights to the bit
  const TinyResult same = run_tiny(*data_, late.path(), never);
  EXPECT_NE(average.weights, last.weights);
  EXPECT_EQ(same.weights, last.weights);
  EXPECT_EQ(same.metrics, last.metrics) << "validation saw the same weights";
  EXPECT_NE(average.metrics, last.metrics) << "validation saw the average";
  EXPECT_EQ(average.summary.loss, last.summary.loss) << "training did not";
}

TEST_F(AveragedRun, AStoppedRunGoesOnWithItsAverage) {
  TempDir whole, parts;
  TrainConfig c = config(Average::kEma);
  c.optimizer.lookahead.every = 3;
  const TinyResult want = run_tiny(*data_, whole.path(), c);
  TinyOptions options;
  options.should_stop = [](int64_t step) { return step == 7; };
  (void)run_tiny(*data_, parts.path(), c, options);
  const TinyResult got = run_tiny(*data_, parts.path(), c);
  EXPECT_EQ(got.weights, want.weights);
  EXPECT_EQ(got.checkpoint, want.checkpoint);
}

TEST_F(AveragedRun, APenaltyChangesTheGradientBeforeItsNorm) {
  TrainConfig c = config(Average::kNone);
  c.clip_norm = 0.0F;
  TinyStep plain(*data_, c);
  c.optimizer.penalty.l2 = 10.0;
  TinyStep penalised(*data_, c);
  const StepResult a = plain.step.run(0, 1e-3), b = penalised.step.run(0, 1e-3);
  EXPECT_EQ(a.loss, b.loss) << "the reported loss is without it";
  EXPECT_GT(b.grad_norm, 2.0F * a.grad_norm);
}

TEST_F(AveragedRun, MeasuringLeavesANewOptimiser) {
  TrainConfig c = config(Average::kEma);
  c.optimizer.name = optim::OptimizerKind::kAdagrad;
  c.optimizer.adagrad.initial = 0.5;
  TinyStep measured(*data_, c), fresh(*data_, c);
  (void)measured.step.measure_seconds(0.01);
  for (TinyStep* t : {&measured, &fresh}) {
    for (int64_t i = 0; i < 2; ++i) (void)t->step.run(i, 1e-2);
  }
  EXPECT_EQ(measured.weights(), fresh.weights());
  EXPECT_EQ(measured.step.optimizer().average().to_vector<float>(),
            fresh.step.optimizer().average().to_vector<float>());
}

}  // namespace
}  // namespace ingot::train::weight_average_test
