// SPDX-License-Identifier: Apache-2.0
// RunMemory: a run that keeps nothing on disk learns what a run in a folder learns, hands on the
// same records, and ends with its best weights.
#include "train/keeper.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "train/tiny_run.h"

namespace ingot::train::keeper_test {
namespace {

using testing::tiny_config;
using testing::TinyData;

struct MemoryRun {
  std::string weights;  ///< SHA-256
  std::vector<RunRecord> records;
  TrainSummary summary;
};

MemoryRun run_in_memory(const TinyData& data, const TrainConfig& config) {
  Team team(2);
  Engine engine(team);
  models::Transformer model(engine, testing::tiny_model());
  LmTask task(engine, config, {}, testing::tiny_hooks(model), data.train(), &data.validation());
  const FakeClock clock(1.0, 1.7e9);
  MemoryRun run;
  RunMemory kept([&](const RunRecord& record) { run.records.push_back(record); });
  LoopContext context{engine, task, clock, kept};
  run.summary = train(context, config);
  Sha256 weights;
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    const std::vector<float> values = p.parameter->value.to_vector<float>();
    weights.update(std::as_bytes(std::span(values)));
  }
  run.weights = weights.hex();
  return run;
}

TEST(RunMemory, LearnsTheSameWeightsAsARunInAFolder) {
  const TinyData data;
  const testing::TempDir dir;
  for (const bool keep_best : {true, false}) {
    TrainConfig config = tiny_config();
    config.keep_best = keep_best;
    const auto in_folder = testing::run_tiny(data, dir.file(keep_best ? "best" : "last"), config);
    const MemoryRun in_memory = run_in_memory(data, config);
    EXPECT_EQ(in_memory.weights, in_folder.weights);
    EXPECT_EQ(in_memory.summary.steps, in_folder.summary.steps);
    EXPECT_EQ(in_memory.summary.best.step, in_folder.summary.best.step);
    EXPECT_EQ(in_memory.summary.best.loss, in_folder.summary.best.loss);
  }
}

TEST(RunMemory, HandsOnARecordForEveryLineOfMetrics) {
  const TinyData data;
  const testing::TempDir dir;
  const auto in_folder = testing::run_tiny(data, dir.file("run"), tiny_config());
  const MemoryRun in_memory = run_in_memory(data, tiny_config());
  const auto lines = std::count(in_folder.metrics.begin(), in_folder.metrics.end(), '\n');
  ASSERT_EQ(std::ssize(in_memory.records), lines);
  const auto* first = std::get_if<StepLog>(&in_memory.records.front().what);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(in_memory.records.front().step, 1);
}

}  // namespace
}  // namespace ingot::train::keeper_test
