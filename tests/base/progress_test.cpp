// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <vector>

#include <gtest/gtest.h>

namespace ingot::progress_test {
namespace {

ProgressState full_state() {
  ProgressState state;
  state.step = 1200;
  state.total = 5000;
  state.loss = 2.34567;
  state.val = 2.5;
  state.lr = 3e-4;
  state.items_per_s = 12345;
  state.memory_bytes = 1288490189;
  state.eta_s = 187;
  state.money = 0.0213;
  state.note = "best";
  return state;
}

struct Recorder {
  std::vector<std::string> texts;
  Progress::Sink sink() {
    return [this](std::string_view text) { texts.emplace_back(text); };
  }
};

ProgressState at(int64_t step, int64_t total) {
  ProgressState state;
  state.step = step;
  state.total = total;
  return state;
}

TEST(FormatProgress, ShowsEveryField) {
  EXPECT_EQ(format_progress("train", full_state(), 0),
            "train  1200/5000 24.0%  loss 2.3457  val 2.5000  best  ETA 3m07s  12.3k tok/s  "
            "lr 3.00e-04  1.2 GiB  0.0213 EUR");
}

TEST(FormatProgress, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(format_progress("clean", at(7, 0), 0), "clean  7");
  EXPECT_EQ(format_progress("", at(1, 4), 0), "1/4 25.0%");
}

TEST(FormatProgress, DropsTheLastFieldsOnANarrowTerminal) {
  EXPECT_EQ(format_progress("train", full_state(), 40), "train  1200/5000 24.0%  loss 2.3457");
  EXPECT_EQ(format_progress("train", full_state(), 3), "");
}

TEST(FormatProgress, ANoteStandsOnATerminalOfTheUsualWidth) {
  ProgressState state = full_state();
  state.note = "epoch 3 mean 2.4000";
  EXPECT_EQ(format_progress("train", state, 80),
            "train  1200/5000 24.0%  loss 2.3457  val 2.5000  epoch 3 mean 2.4000  ETA 3m07s");
}

TEST(Progress, TerminalRewritesAtMostTenTimesASecond) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "t", .terminal = true, .width = 80}, out.sink());
  for (int i = 0; i <= 100; ++i) {  // 0.00 to 1.00 s in steps of 10 ms
    progress.update(at(i, 0));
    clock.advance(0.01);
  }
  EXPECT_LE(out.texts.size(), 11U);
  EXPECT_GE(out.texts.size(), 10U);
  EXPECT_EQ(out.texts[0], "\rt  0");
}

TEST(Progress, TerminalBlanksTheEndOfALongerLineAndFinishEndsIt) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "t", .terminal = true, .width = 80}, out.sink());
  ProgressState state = at(1, 0);
  state.note = "hello";
  progress.update(state);
  progress.finish(at(2, 0));
  EXPECT_EQ(out.texts, (std::vector<std::string>{"\rt  1  hello", "\rt  2       ", "\n"}));
}

TEST(Progress, TerminalLineStaysBelowTheWidth) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "train", .terminal = true, .width = 23}, out.sink());
  progress.update(full_state());
  EXPECT_EQ(out.texts[0], "\rtrain  1200/5000 24.0%");  // 22 columns of 23
}

TEST(Progress, MessageGoesAboveTheLine) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "t", .terminal = true, .width = 80}, out.sink());
  progress.message("before");
  progress.update(at(12345, 0));
  progress.message("hi");
  EXPECT_EQ(out.texts,
            (std::vector<std::string>{"before\n", "\rt  12345", "\rhi      \nt  12345"}));
}

TEST(Progress, PlainWritesALineBySecondsOrPercent) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "t", .plain_s = 10, .plain_percent = 5}, out.sink());
  for (int step = 0; step <= 100; ++step) {  // one step, one percent, every two seconds
    progress.update(at(step, 100));
    clock.advance(2);
  }
  EXPECT_EQ(out.texts.size(), 21U);  // 0, 5, 10, ... 100
  EXPECT_EQ(out.texts[1], "t  5/100 5.0%  ETA 3m10s\n");
  EXPECT_EQ(out.texts.back(), "t  100/100 100.0%\n");
}

TEST(Progress, PlainPercentIsHeldToOneLineASecond) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "t"}, out.sink());
  for (int step = 0; step <= 100; ++step) {
    progress.update(at(step, 100));
    clock.advance(0.03125);  // exact in binary: 101 steps are a bit more than three seconds
  }
  EXPECT_EQ(out.texts.size(), 4U);
}

TEST(Progress, EstimatesFromThePaceSinceTheFirstUpdate) {
  FakeClock clock;
  Recorder out;
  Progress progress(clock, {.label = "t"}, out.sink());
  progress.update(at(500, 1000));  // a resumed run
  clock.advance(50);
  progress.update(at(600, 1000));
  EXPECT_EQ(out.texts.back(), "t  600/1000 60.0%  ETA 3m20s\n");  // 400 steps at half a second
}

}  // namespace
}  // namespace ingot::progress_test
