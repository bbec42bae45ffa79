// SPDX-License-Identifier: Apache-2.0
// Batches of a fake network: who shares one, in which order, and what happens when one fails.
#include "serve/batcher.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/fake_model.h"
#include "serve/fail_new.h"
#include "serve/predict_testing.h"

namespace ingot::serve::batcher_test {
namespace {

using testing::error_of;
using testing::eventually;
using testing::FakePredictor;
using testing::Gate;

std::vector<std::byte> records_of(FakePredictor& predictor, int first, int count,
                                  const std::string& note = "n") {
  std::vector<std::byte> records(static_cast<size_t>(count) * sizeof(uint64_t));
  for (int i = 0; i < count; ++i) {
    const std::string legs = std::to_string(first + i);
    const std::vector<std::string_view> cells = {legs, note};
    EXPECT_TRUE(predictor.encode(
        cells, 0,
        std::span(records).subspan(static_cast<size_t>(i) * sizeof(uint64_t), sizeof(uint64_t))));
  }
  return records;
}

class BatcherTest : public ::testing::Test {
 protected:
  BatcherTest() {
    predictor_.before_run = [this] { gate_.pass(); };
  }
  ~BatcherTest() override { gate_.set(true); }
  std::shared_ptr<Prediction> submit(Batcher& batcher, int first, int count,
                                     const std::string& note = "n") {
    return batcher.submit(records_of(predictor_, first, count, note), count, {}).prediction;
  }
  static std::vector<float> answers(const std::shared_ptr<Prediction>& prediction) {
    EXPECT_TRUE(eventually([&] { return prediction->state() != Prediction::State::kRunning; }));
    EXPECT_EQ(prediction->state(), Prediction::State::kDone) << prediction->error();
    return {prediction->answers().begin(), prediction->answers().end()};
  }

  Gate gate_;
  FakePredictor predictor_;
  Metrics metrics_;
};

TEST_F(BatcherTest, WhatWaitsRunsTogetherAndEachAnswerIsAsAlone) {
  Batcher batcher(predictor_, {.max_batch = 8}, metrics_);
  std::vector<std::vector<float>> alone;
  for (int i = 0; i < 20; ++i) alone.push_back(answers(submit(batcher, i, 1)));
  const size_t before = predictor_.batches().size();
  EXPECT_EQ(before, 20U);
  gate_.set(false);
  const auto first = submit(batcher, 100, 1);
  ASSERT_TRUE(eventually([&] { return metrics_.running == 1; }));
  std::vector<std::shared_ptr<Prediction>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(submit(batcher, i, 1));
  EXPECT_EQ(metrics_.waiting, 20);
  gate_.set(true);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(answers(waiting[i]), alone[i]) << i;
  const std::vector<size_t> batches = predictor_.batches();
  EXPECT_EQ(std::vector<size_t>(batches.begin() + 20, batches.end()),
            (std::vector<size_t>{1, 8, 8, 4}));
  EXPECT_EQ(metrics_.examples, 41);
  EXPECT_EQ(metrics_.batch_size.count(), 24);
  EXPECT_EQ(metrics_.finished_stop, 41);
}

TEST_F(BatcherTest, ARequestLargerThanABatchIsSpreadOverSeveral) {
  Batcher batcher(predictor_, {.max_batch = 4}, metrics_);
  std::vector<float> expected;
  for (int i = 0; i < 10; ++i) {
    const std::vector<float> one = answers(submit(batcher, i, 1));
    expected.insert(expected.end(), one.begin(), one.end());
  }
  gate_.set(false);
  const auto small = submit(batcher, 50, 1);
  ASSERT_TRUE(eventually([&] { return metrics_.running == 1; }));
  const auto large = submit(batcher, 0, 10);
  const auto last = submit(batcher, 60, 1);
  gate_.set(true);
  EXPECT_EQ(answers(large), expected);
  EXPECT_EQ(answers(last).size(), 2U);
  const std::vector<size_t> batches = predictor_.batches();
  EXPECT_EQ(std::vector<size_t>(batches.begin() + 10, batches.end()),
            (std::vector<size_t>{1, 4, 4, 3}));
}

TEST_F(BatcherTest, ADelayWaitsForAFullBatchAndNoLonger) {
  constexpr double kForever = 1e6;
  Batcher batcher(predictor_, {.max_batch = 4, .max_delay_s = kForever}, metrics_);
  std::vector<std::shared_ptr<Prediction>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(submit(batcher, i, 1));
  EXPECT_EQ(metrics_.steps, 0);
  waiting.push_back(submit(batcher, 3, 1));
  for (const auto& prediction : waiting) EXPECT_EQ(answers(prediction).size(), 2U);
  EXPECT_EQ(predictor_.batches(), std::vector<size_t>{4});
}

TEST_F(BatcherTest, ADelayEnds) {
  Batcher batcher(predictor_, {.max_batch = 4, .max_delay_s = 0.001}, metrics_);
  EXPECT_EQ(answers(submit(batcher, 0, 1)).size(), 2U);
}

TEST_F(BatcherTest, AFullQueueStartsABatchThatItCannotFill) {
  constexpr double kForever = 1e6;
  Batcher batcher(predictor_, {.max_batch = 8, .queue = 2, .max_delay_s = kForever}, metrics_);
  const auto first = submit(batcher, 0, 1);
  const auto second = submit(batcher, 1, 1);
  EXPECT_EQ(answers(first).size(), 2U);
  EXPECT_EQ(answers(second).size(), 2U);
  EXPECT_EQ(predictor_.batches(), std::vector<size_t>{2});
}

TEST_F(BatcherTest, AFullQueueRefuses) {
  Batcher batcher(predictor_, {.max_batch = 1, .queue = 3}, metrics_);
  EXPECT_FALSE(batcher.is_full());
  gate_.set(false);
  const auto running = submit(batcher, 0, 1);
  ASSERT_TRUE(eventually([&] { return metrics_.running == 1; }));
  const auto waiting = submit(batcher, 1, 3);
  const SubmittedPrediction refused = batcher.submit(records_of(predictor_, 2, 1), 1, {});
  EXPECT_EQ(refused.prediction, nullptr);
  EXPECT_EQ(refused.error, SubmitError::kQueueFull);
  EXPECT_TRUE(batcher.is_full());
  gate_.set(true);
  EXPECT_EQ(answers(waiting).size(), 6U);
}

TEST_F(BatcherTest, CancelledRowsDoNotRun) {
  Batcher batcher(predictor_, {.max_batch = 1}, metrics_);
  gate_.set(false);
  const auto running = submit(batcher, 0, 1);
  ASSERT_TRUE(eventually([&] { return metrics_.running == 1; }));
  const auto cancelled = submit(batcher, 1, 5);
  const auto last = submit(batcher, 7, 1);
  cancelled->cancel();
  gate_.set(true);
  EXPECT_EQ(answers(last).size(), 2U);
  EXPECT_EQ(predictor_.batches().size(), 2U);
  EXPECT_EQ(metrics_.finished_cancelled, 1);
  EXPECT_EQ(metrics_.waiting, 0);
}

TEST_F(BatcherTest, AFailedBatchFailsItsOwnersAlone) {
  std::vector<std::string> log;
  WorkerHooks hooks;
  hooks.logger =
      Logger(LogLevel::kInfo, [&](LogLevel, std::string_view text) { log.emplace_back(text); });
  Batcher batcher(predictor_, {.max_batch = 2}, metrics_, hooks);
  gate_.set(false);
  const auto running = submit(batcher, 0, 1);
  ASSERT_TRUE(eventually([&] { return metrics_.running == 1; }));
  const auto failing = submit(batcher, 1, 5, "explode");
  const auto last = submit(batcher, 7, 1);
  gate_.set(true);
  EXPECT_EQ(answers(last).size(), 2U);
  EXPECT_EQ(failing->state(), Prediction::State::kFailed);
  EXPECT_EQ(failing->error(), "The server had an error while processing your request.");
  EXPECT_EQ(metrics_.engine_errors, 1);
  EXPECT_EQ(log, std::vector<std::string>{
                     "serve: a batch of 2 examples failed: fake predictor: exploded"});
}

TEST_F(BatcherTest, ABatchIsGatheredWithoutMemory) {
  constexpr int kBatch = 64;
  constexpr size_t kLists = 256;  // less than the lists of a whole batch, more than all else
  Batcher batcher(predictor_, {.max_batch = kBatch}, metrics_);
  gate_.set(false);
  const auto running = submit(batcher, 0, 1);
  ASSERT_TRUE(eventually([&] { return metrics_.running == 1; }));
  const auto whole = submit(batcher, 1, kBatch);
  testing::fail_next_new(kLists);
  gate_.set(true);
  EXPECT_EQ(answers(whole).size(), size_t{2} * kBatch);
  EXPECT_FALSE(testing::has_failed_new());
  testing::fail_next_new(0);
  EXPECT_EQ(predictor_.batches(), (std::vector<size_t>{1, kBatch}));
}

TEST_F(BatcherTest, ItsEndFailsWhatWaits) {
  std::shared_ptr<Prediction> waiting;
  {
    constexpr double kForever = 1e6;
    Batcher batcher(predictor_, {.max_batch = 4, .max_delay_s = kForever}, metrics_);
    waiting = submit(batcher, 0, 1);
  }
  EXPECT_EQ(waiting->state(), Prediction::State::kFailed);
  EXPECT_EQ(waiting->error(), "The server is shutting down.");
}

TEST_F(BatcherTest, NobodyIsToldAfterDetach) {
  Batcher batcher(predictor_, {}, metrics_);
  gate_.set(false);
  std::atomic<int> calls{0};
  const auto told = batcher.submit(records_of(predictor_, 0, 1), 1, [&] { ++calls; });
  const auto detached = batcher.submit(records_of(predictor_, 1, 1), 1, [&] { ++calls; });
  detached.prediction->detach();
  gate_.set(true);
  EXPECT_EQ(answers(told.prediction).size(), 2U);
  EXPECT_EQ(answers(detached.prediction).size(), 2U);
  EXPECT_TRUE(eventually([&] { return calls == 1; }));
}

TEST_F(BatcherTest, BoundsAreChecked) {
  EXPECT_EQ(error_of([&] { Batcher(predictor_, {.max_batch = 0}, metrics_); }),
            "serve: max_batch 0 and queue 256 must be > 0 and max_delay_s 0 not negative");
}

}  // namespace
}  // namespace ingot::serve::batcher_test
