// SPDX-License-Identifier: Apache-2.0
// A run gives the same final weights, the same last checkpoint and the same metrics however it is
// run: with any number of threads, replayed or op by op, in one go or stopped anywhere and
// continued. Runs that are killed: kill_resume_test.cpp.
#include "train/loop.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "train/tiny_run.h"

namespace ingot::train::loop_test {
namespace {

using testing::code_of;
using testing::kTinySteps;
using testing::message_of;
using testing::run_tiny;
using testing::TempDir;
using testing::tiny_config;
using testing::TinyData;
using testing::TinyOptions;
using testing::TinyResult;

// Losses are floats that are printed exactly, the mean is of doubles.
constexpr double kPrinted = 1e-6;

class Loop : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new TinyData;
    const TempDir dir;
    expected_ = new TinyResult(run_tiny(*data_, dir.path(), tiny_config()));
  }
  static void TearDownTestSuite() {
    delete expected_;
    delete data_;
  }
  static TinyResult run(const std::string& out, const TrainConfig& config,
                        const TinyOptions& options = {}) {
    return run_tiny(*data_, out, config, options);
  }
  /// Without what looks at validation losses.
  static TrainConfig blind_config() {
    TrainConfig c = tiny_config();
    c.early_stop = {};
    c.schedule = {.name = ScheduleKind::kConstant, .warmup = 3};
    return c;
  }
  static void expect_same(const TinyResult& result, const std::string& what) {
    EXPECT_EQ(result.weights, expected_->weights) << what;
    EXPECT_EQ(result.checkpoint, expected_->checkpoint) << what;
    EXPECT_EQ(result.metrics, expected_->metrics) << what;
    EXPECT_EQ(result.summary.steps, expected_->summary.steps) << what;
    EXPECT_EQ(result.summary.best.step, expected_->summary.best.step) << what;
    EXPECT_EQ(result.summary.end, expected_->summary.end) << what;
  }
  static TinyData* data_;
  static TinyResult* expected_;
};
TinyData* Loop::data_ = nullptr;
TinyResult* Loop::expected_ = nullptr;

// The other tests prove little unless the run has all the state that could get lost.
TEST_F(Loop, TheRunHasEveryKindOfState) {
  const TrainSummary& s = expected_->summary;
  EXPECT_EQ(s.total_steps, kTinySteps);
  EXPECT_EQ(s.end, EndReason::kEarlyStop) << "steps " << s.steps;
  EXPECT_GT(s.best.step, 0);
  EXPECT_LT(s.best.step, s.steps) << "the best weights are the last ones";
  EXPECT_EQ(s.best.evaluations_since, tiny_config().early_stop.patience);
  const int64_t windows = data_->train().tokens() / tiny_config().seq;
  EXPECT_GT(s.steps * 4, windows) << "no epoch ends within the run";
  EXPECT_NE((s.steps * 4) % windows, 0);
  EXPECT_GT(s.slab_bytes, 0);
  EXPECT_GT(s.flops_per_step, 0);
  EXPECT_NE(expected_->metrics.find("\"kind\":\"sample\",\"prompt\":\"a \",\"text\":\"sample\"}"),
            std::string::npos);
  EXPECT_NE(expected_->metrics.find("\"kind\":\"validation\""), std::string::npos);
  EXPECT_NE(expected_->metrics.find("\"kind\":\"epoch\",\"epoch\":1,"), std::string::npos);
  EXPECT_EQ(expected_->metrics.find("clock"), std::string::npos);
  // The plateau schedule has lowered the learning rate after the warm-up.
  EXPECT_NE(expected_->metrics.find("\"learning_rate\":0.02,"), std::string::npos);
  EXPECT_NE(expected_->metrics.find("\"learning_rate\":0.01,"), std::string::npos)
      << expected_->metrics;
}

TEST_F(Loop, LearnsTheText) {
  EXPECT_LT(expected_->summary.best.loss, 4.0);  // ln 300 = 5.7 at the start
}

// Four windows a step: the epochs end inside steps, which count where more of them lies.
TEST_F(Loop, LogsTheMeanLossOfEveryEpoch) {
  const TempDir dir;
  TrainConfig config = blind_config();
  config.steps = 3 * kTinySteps;
  TinyOptions options;
  options.has_validation = false;
  std::istringstream lines(run(dir.path(), config, options).metrics);
  const int64_t windows = data_->train().tokens() / config.seq;
  int64_t epochs = 0, counted = 0;
  double sum = 0.0;
  for (std::string line; std::getline(lines, line);) {
    const Json record = parse_json(line, "metrics");
    const auto kind = record["kind"].get<std::string>();
    if (kind == "train") {
      sum += record["loss"].get<double>();
      ++counted;
    }
    if (kind != "epoch") continue;
    ++epochs;
    EXPECT_EQ(record["epoch"].get<int64_t>(), epochs);
    EXPECT_EQ(record["step"].get<int64_t>(), (epochs * windows + 1) / 4);
    EXPECT_NEAR(record["mean_loss"].get<double>(), sum / static_cast<double>(counted), kPrinted);
    sum = 0.0;
    counted = 0;
  }
  EXPECT_EQ(epochs, (config.steps * 4 + 2) / windows);
  EXPECT_GT(epochs, 2);
}

// Less than half a step is left of the epoch when the run ends.
TEST_F(Loop, TheLastEpochHasItsRecordWhenTheHorizonIsRoundedDown) {
  const TempDir dir;
  const int64_t windows = data_->train().tokens() / tiny_config().seq;
  TrainConfig config = blind_config();
  config.steps = 0;
  config.epochs = 1;
  const auto left = [&] { return windows % (config.micro_batch * config.accumulate); };
  while (left() == 0 || 2 * left() >= config.micro_batch * config.accumulate) ++config.accumulate;
  const int64_t steps = windows / (config.micro_batch * config.accumulate);
  ASSERT_GT(steps, 1);
  TinyOptions options;
  options.has_validation = false;
  const TinyResult result = run(dir.path(), config, options);
  EXPECT_EQ(result.summary.steps, steps);
  const size_t at = result.metrics.find("\"kind\":\"epoch\",\"epoch\":1,");
  ASSERT_NE(at, std::string::npos) << result.metrics;
  const size_t begin = result.metrics.rfind('\n', at) + 1;
  const std::string line = result.metrics.substr(begin, result.metrics.find('\n', at) - begin);
  EXPECT_EQ(parse_json(line, "metrics").at("step").get<int64_t>(), steps);
}

TEST_F(Loop, AnEpochOfOneStepHasTheRecordOfTheStep) {
  const TempDir dir;
  TrainConfig config = blind_config();
  config.steps = 2;
  config.accumulate = data_->train().tokens() / config.seq;  // two passes a step
  TinyOptions options;
  options.has_validation = false;
  const std::string metrics = run(dir.path(), config, options).metrics;
  EXPECT_EQ(metrics.find("\"kind\":\"epoch\""), std::string::npos) << metrics;
}

// At the ends of epochs, which lie inside steps, and after the last step; with eval_every besides.
TEST_F(Loop, JudgesAtTheEndOfEveryEpoch) {
  const int64_t windows = data_->train().tokens() / tiny_config().seq;
  for (const int64_t epochs : {1, 2}) {
    for (const int64_t every : {0, 7}) {
      const TempDir dir;
      TrainConfig config = blind_config();
      config.steps = 3 * kTinySteps;
      config.eval_every = every;
      config.eval_epochs = epochs;
      std::vector<int64_t> want, got;
      for (int64_t step = 1; step <= config.steps; ++step) {
        bool is_due = step == config.steps || (every > 0 && step % every == 0);
        for (int64_t epoch = epochs; epoch <= config.steps; epoch += epochs) {
          is_due = is_due || step == (epoch * windows + 1) / 4;  // four windows a step
        }
        if (is_due) want.push_back(step);
      }
      std::istringstream lines(run(dir.path(), config).metrics);
      for (std::string line; std::getline(lines, line);) {
        const Json record = parse_json(line, "metrics");
        if (record.at("kind") == "validation") got.push_back(record.at("step").get<int64_t>());
      }
      EXPECT_EQ(got, want) << epochs << " epochs, " << every << " steps";
    }
  }
}

TEST_F(Loop, AnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    const TempDir dir;
    TinyOptions options;
    options.threads = threads;
    expect_same(run(dir.path(), tiny_config(), options), std::to_string(threads) + " threads");
  }
}

// Moved out of the way, the last checkpoint makes room for the best weights to be found again.
TEST_F(Loop, BestWeightsThatAreGoneAreFoundAgainOrRefused) {
  const TempDir dir;
  const std::string best = dir.file("checkpoints/best.safetensors");
  TrainConfig config = tiny_config();
  config.keep = 1000;
  expect_same(run(dir.path(), config), "whole");
  std::filesystem::remove(best);
  EXPECT_EQ(testing::code_of([&] { (void)run(dir.path(), config); }), "not_found");
  for (const auto& step : std::filesystem::directory_iterator(dir.file("checkpoints"))) {
    const std::string name = step.path().filename().string();
    if (name >= fmt::format("step-{:08d}", expected_->summary.best.step)) {
      std::filesystem::remove_all(step.path());
    }
  }
  expect_same(run(dir.path(), config), "found again");
}

// best.safetensors of some earlier run must not replace weights that no evaluation has judged.
TEST_F(Loop, WithoutValidationTheLastWeightsAreExported) {
  const TempDir clean, stale;
  TinyOptions options;
  options.has_validation = false;
  const TinyResult want = run(clean.path(), blind_config(), options);
  std::filesystem::create_directories(stale.path() + "/checkpoints");
  std::filesystem::copy_file(clean.path() + "/checkpoints/step-00000022/state.safetensors",
                             stale.path() + "/checkpoints/best.safetensors");
  const TinyResult got = run(stale.path(), blind_config(), options);
  EXPECT_EQ(got.weights, want.weights);
}

TEST_F(Loop, ReplayedAndOpByOp) {
  const TempDir dir;
  TrainConfig config = tiny_config();
  config.replay = false;
  TinyResult eager = run(dir.path(), config);
  EXPECT_EQ(eager.summary.slab_bytes, 0);
  expect_same(eager, "eager");
}

TEST_F(Loop, ReplayLeavesNoTapeRecordAndNoAllocatorCall) {
  struct Seen {
    int64_t step, launches, records, conversions, calls;
  };
  std::vector<Seen> seen;
  TinyOptions options;
  options.after_step = [&](Engine& engine, int64_t step) {
    seen.push_back({step, engine.counters.launches, engine.counters.tape_records,
                    engine.counters.conversions, engine.allocator().calls()});
  };
  const TempDir dir;
  TrainConfig config = tiny_config();
  (void)run(dir.path(), config, options);
  ASSERT_GT(seen.size(), 6U);
  const int64_t settled = config.eval_every;  // step and evaluation are recorded by then
  EXPECT_GT(seen[0].records, 0);
  for (const Seen& s : seen) {
    if (s.step > 1 && s.step < settled) {
      EXPECT_EQ(s.launches, seen[0].launches) << s.step;
      EXPECT_EQ(s.records, seen[0].records) << s.step;
      EXPECT_EQ(s.calls, seen[0].calls) << s.step;
    }
    EXPECT_EQ(s.conversions, 0) << s.step;
    if (s.step <= settled) continue;
    const Seen& base = seen[static_cast<size_t>(settled - 1)];
    EXPECT_EQ(s.launches, base.launches) << s.step;
    EXPECT_EQ(s.records, base.records) << s.step;
    EXPECT_EQ(s.calls, base.calls) << s.step;
  }
}

TEST_F(Loop, StoppedAnywhereAndContinued) {
  for (const std::vector<int64_t>& stops :
       {std::vector<int64_t>{1}, {7}, {2, 3, 5, 6, 9}, {1, 2, 3, 4, 5, 6, 7, 8}}) {
    const TempDir dir;
    std::string what = "stopped at";
    for (const int64_t stop : stops) {
      TinyOptions options;
      options.should_stop = [&](int64_t step) { return step == stop; };
      const TinyResult part = run(dir.path(), tiny_config(), options);
      EXPECT_EQ(part.summary.end, EndReason::kStopped);
      EXPECT_EQ(part.summary.steps, stop);
      what += " " + std::to_string(stop);
    }
    expect_same(run(dir.path(), tiny_config()), what);
  }
}

TEST_F(Loop, ContinuedWithOtherThreadsAndWithoutReplay) {
  const TempDir dir;
  TinyOptions first;
  first.threads = 3;
  first.should_stop = [](int64_t step) { return step == 5; };
  TrainConfig eager = tiny_config();
  eager.replay = false;
  (void)run(dir.path(), eager, first);
  TinyOptions second;
  second.threads = 1;
  expect_same(run(dir.path(), tiny_config(), second), "3 threads eager, then 1 thread replayed");
}

TEST_F(Loop, AFinishedRunIsNotTrainedAgain) {
  const TempDir dir;
  (void)run(dir.path(), tiny_config());
  int64_t steps = 0;
  TinyOptions options;
  options.after_step = [&](Engine&, int64_t) { ++steps; };
  expect_same(run(dir.path(), tiny_config(), options), "again");
  EXPECT_EQ(steps, 0);
}

TEST_F(Loop, LastWeightsWhenTheBestAreNotWanted) {
  const TempDir dir;
  TrainConfig config = tiny_config();
  config.keep_best = false;
  const TinyResult last = run(dir.path(), config);
  EXPECT_EQ(last.checkpoint, expected_->checkpoint);
  EXPECT_NE(last.weights, expected_->weights);
  EXPECT_FALSE(file_exists(dir.file("checkpoints/best.safetensors")));
}

// There is no best step then, so the last weights are the result.
TEST_F(Loop, WithoutAValidationSplit) {
  const TempDir dir;
  TinyOptions options;
  options.has_validation = false;
  const TinyResult result = run(dir.path(), blind_config(), options);
  EXPECT_EQ(result.summary.steps, kTinySteps);
  EXPECT_EQ(result.summary.end, EndReason::kFinished);
  EXPECT_EQ(result.summary.best.step, -1);
  EXPECT_FALSE(file_exists(dir.file("checkpoints/best.safetensors")));
  EXPECT_EQ(result.metrics.find("\"kind\":\"validation\""), std::string::npos);
}

TEST_F(Loop, AThresholdWithoutAValidationSplitIsRefused) {
  const TempDir dir;
  TrainConfig config = blind_config();
  config.early_stop.threshold = 0.1;
  TinyOptions options;
  options.has_validation = false;
  EXPECT_EQ(
      message_of([&] { (void)run(dir.path(), config, options); }),
      "train.early_stop.threshold: 0.1 needs the validation loss, and nothing is held out for "
      "one. Set table.split.validation=0.1 (texts: data.validation=0.1), or "
      "train.early_stop.threshold=0");
  EXPECT_FALSE(file_exists(dir.file("horizon.json")));
}

struct Judged {
  int64_t step;
  double loss;
};

std::vector<Judged> evaluations(const std::string& metrics) {
  std::vector<Judged> found;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    const Json json = parse_json(line, "metrics");
    if (json.at("kind") != "validation") continue;
    found.push_back({json.at("step").get<int64_t>(), json.at("loss").get<double>()});
  }
  return found;
}

// The threshold is the first loss itself, so that the first evaluation does not end the run. The
// loss that does is less than min_delta better than that one, and still the one that is kept.
TEST_F(Loop, EndsWithTheFirstLossBelowTheThreshold) {
  const TempDir whole, ended, parts, last;
  TrainConfig config = tiny_config();
  config.early_stop = {};
  config.early_stop.min_delta = 1000;
  const std::vector<Judged> all = evaluations(run(whole.path(), config).metrics);
  ASSERT_FALSE(all.empty());
  config.early_stop.threshold = all.front().loss;
  const auto below = std::find_if(all.begin(), all.end(), [&](const Judged& judged) {
    return judged.loss < config.early_stop.threshold;
  });
  ASSERT_NE(below, all.end());
  ASSERT_LT(below->step, kTinySteps);

  const TinyResult result = run(ended.path(), config);
  EXPECT_EQ(result.summary.end, EndReason::kEarlyStop);
  EXPECT_EQ(result.summary.steps, below->step);
  EXPECT_EQ(result.summary.best.step, below->step);
  EXPECT_EQ(result.summary.best.loss, below->loss);
  EXPECT_EQ(run(ended.path(), config).summary.steps, below->step) << "trained on";

  TinyOptions stopping;
  stopping.should_stop = [](int64_t step) { return step == 2; };
  (void)run(parts.path(), config, stopping);
  const TinyResult continued = run(parts.path(), config);
  EXPECT_EQ(continued.metrics, result.metrics);
  EXPECT_EQ(continued.weights, result.weights);
  config.keep_best = false;
  EXPECT_EQ(run(last.path(), config).weights, result.weights) << "not the weights of that loss";
}

TEST_F(Loop, AnotherRecipeInTheSameFolderIsRefused) {
  const TempDir dir;
  TinyOptions options;
  options.should_stop = [](int64_t step) { return step == 2; };
  (void)run(dir.path(), tiny_config(), options);
  const auto files = real_files();
  const FakeClock clock;
  testing::TinyStep parts(*data_, tiny_config());
  RunFiles kept(*files, clock, dir.path(), "recipe-2", 2);
  LoopContext context{parts.engine, parts.task, clock, kept};
  const std::string message = message_of([&] { (void)train(context, tiny_config()); });
  EXPECT_EQ(message,
            "train: " + dir.file("checkpoints/step-00000002") +
                " was written by another recipe (hash recipe-1, this one is recipe-2). Use "
                "the recipe in the run directory, another out=DIR, or --fresh");
}

TEST_F(Loop, MinutesBecomeAStoredStepCount) {
  const TempDir dir;
  TrainConfig config = tiny_config();
  config.steps = 0;
  config.minutes = 1e-9;  // one step at any speed
  const TinyResult first = run(dir.path(), config);
  EXPECT_EQ(first.summary.total_steps, 1);
  EXPECT_EQ(read_file(dir.file("horizon.json")),
            "{\"recipe_hash\":\"recipe-1\",\"total_steps\":1}\n");
}

TEST_F(Loop, AWrongConfigIsRefusedFirst) {
  const TempDir dir;
  TrainConfig config = tiny_config();
  config.epochs = 1;
  EXPECT_EQ(message_of([&] { (void)run(dir.path(), config); }),
            fmt::format("train: steps {} and epochs 1 are set, exactly one is needed. Add "
                        "train.epochs=0 to go by steps, or train.steps=0 to go by epochs",
                        config.steps));
}

}  // namespace
}  // namespace ingot::train::loop_test
