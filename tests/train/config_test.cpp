// SPDX-License-Identifier: Apache-2.0
// What a training recipe may not say, each with its message, and the horizon in steps.
#include "train/config.h"

#include <functional>
#include <limits>

#include "base/message_of.h"

namespace ingot::train::config_test {
namespace {

using testing::code_of;
using testing::message_of;

TrainConfig good() {
  TrainConfig c;
  c.steps = 10;
  return c;
}

void expect_message(const std::function<void(TrainConfig&)>& change, const std::string& message) {
  TrainConfig c = good();
  change(c);
  EXPECT_EQ(message_of([&] { c.check(); }), message);
  EXPECT_EQ(code_of([&] { c.check(); }), message == "no error" ? "no error" : "invalid_argument");
}

TEST(TrainConfig, OneHorizon) {
  expect_message([](TrainConfig&) {}, "no error");
  expect_message(
      [](TrainConfig& c) { c.steps = 0; },
      "train: none of steps, epochs, tokens and minutes is set, exactly one is needed, for "
      "example train.steps=1000");
  expect_message(
      [](TrainConfig& c) {
        c.tokens = 5;
        c.minutes = 1;
      },
      "train: steps 10 and tokens 5 and minutes 1 are set, exactly one is needed. Add "
      "train.tokens=0 train.minutes=0 to go by steps, or train.steps=0 train.minutes=0 to go by "
      "tokens, or train.steps=0 train.tokens=0 to go by minutes");
  expect_message([](TrainConfig& c) { c.epochs = 0.5; },
                 "train: steps 10 and epochs 0.5 are set, exactly one is needed. Add "
                 "train.epochs=0 to go by steps, or train.steps=0 to go by epochs");
}

TEST(TrainConfig, SizesArePositive) {
  expect_message([](TrainConfig& c) { c.seq = 0; },
                 "train.seq: 0 must be positive, for example 256");
  expect_message([](TrainConfig& c) { c.micro_batch = -1; },
                 "train.micro_batch: -1 must be positive, for example 8");
  expect_message([](TrainConfig& c) { c.accumulate = 0; },
                 "train.accumulate: 0 must be positive, for example 1");
  expect_message([](TrainConfig& c) { c.log_every = 0; },
                 "train.log_every: 0 must be positive, for example 1");
  expect_message([](TrainConfig& c) { c.keep = 0; },
                 "train.keep: 0 must be positive, for example 2");
}

TEST(TrainConfig, SizesThatNoMachineRunsAreRefused) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  expect_message([](TrainConfig& c) { c.steps = kHuge; },
                 "train.steps: 4611686018427387904 is too large, at most 99999999 is possible");
  expect_message([](TrainConfig& c) { c.seq = kHuge; },
                 "train.seq: 4611686018427387904 is too large, at most 16777216 is possible");
  expect_message(
      [](TrainConfig& c) { c.micro_batch = kHuge; },
      "train.micro_batch: 4611686018427387904 is too large, at most 1048576 is possible");
  expect_message([](TrainConfig& c) { c.accumulate = kHuge; },
                 "train.accumulate: 4611686018427387904 is too large, at most 1024 is possible");
  expect_message(
      [](TrainConfig& c) {
        c.micro_batch = 1 << 20;
        c.seq = 1 << 20;
      },
      "train.micro_batch: 1048576 windows of 1048576 tokens are more than 2147483647 tokens. "
      "train.micro_batch=2047 would do");
  TrainConfig c = good();
  c.steps = 0;
  c.minutes = 1e12;
  EXPECT_EQ(message_of([&] { (void)horizon_steps(c, 0, 1.0); }),
            "train: the horizon is 60000000000000 steps, at most 99999999 are possible. Lower "
            "train.tokens, train.epochs or train.minutes");
}

TEST(TrainConfig, Rates) {
  expect_message([](TrainConfig& c) { c.lr = 0; },
                 "train.lr: 0 must be a positive number, for example 1e-3");
  expect_message([](TrainConfig& c) { c.lr = std::numeric_limits<double>::infinity(); },
                 "train.lr: inf must be a positive number, for example 1e-3");
  expect_message([](TrainConfig& c) { c.clip_norm = -1; },
                 "train.clip_norm: -1 is negative; 1 is usual, 0 turns clipping off");
  expect_message([](TrainConfig& c) { c.clip_value = -1; },
                 "train.clip_value: -1 is negative; 0 turns clipping by value off");
}

TEST(TrainConfig, Intervals) {
  const auto negative = [](const std::string& key, const std::string& zero) {
    return "train." + key + ": -1 must not be negative; 0: " + zero;
  };
  expect_message([](TrainConfig& c) { c.eval_every = -1; },
                 negative("eval_every", "only at the end"));
  expect_message([](TrainConfig& c) { c.eval_epochs = -1; },
                 negative("eval_epochs", "none besides those of train.eval_every"));
  expect_message([](TrainConfig& c) { c.eval_batches = -1; },
                 negative("eval_batches", "the whole validation split"));
  expect_message([](TrainConfig& c) { c.sample_every = -1; }, negative("sample_every", "none"));
  expect_message([](TrainConfig& c) { c.checkpoint_every = -1; },
                 negative("checkpoint_every", "only at the end"));
  expect_message([](TrainConfig& c) { c.early_stop.patience = -1; },
                 negative("early_stop.patience", "off"));
  expect_message(
      [](TrainConfig& c) {
        c.early_stop.patience = 1;
        c.eval_every = 0;
      },
      "train.early_stop needs evaluations; set train.eval_every=100");
  expect_message(
      [](TrainConfig& c) {
        c.early_stop.threshold = 0.1;
        c.eval_every = 0;
      },
      "train.early_stop needs evaluations; set train.eval_every=100");
  expect_message(
      [](TrainConfig& c) {
        c.early_stop.patience = 1;
        c.eval_every = 0;
        c.eval_epochs = 1;
      },
      "no error");
  expect_message(
      [](TrainConfig& c) { c.early_stop.threshold = -0.5; },
      "train.early_stop.threshold: -0.5 must be a loss, for example 0.1; 0 turns it off");
}

TEST(TrainConfig, ScheduleIsChecked) {
  expect_message([](TrainConfig& c) { c.schedule.warmup = -0.1; },
                 "train.schedule.warmup: -0.1 is negative; 0.02 is usual");
  expect_message([](TrainConfig& c) { c.schedule.final = 1.5; },
                 "train.schedule.final: 1.5 is not in [0, 1]");
  expect_message([](TrainConfig& c) { c.schedule.decay = -1; },
                 "train.schedule.decay: -1 is not in [0, 1]");
  expect_message([](TrainConfig& c) { c.schedule.gamma = 2; },
                 "train.schedule.gamma: 2 is not in [0, 1]");
  expect_message([](TrainConfig& c) { c.schedule.step_size = 0; },
                 "train.schedule.step_size: 0 must be positive; 1000 is usual");
  expect_message([](TrainConfig& c) { c.schedule.patience = 0; },
                 "train.schedule.patience: 0 must be positive; 3 is usual");
  const auto other = [](const std::string& key, const std::string& kinds, const std::string& kind) {
    return "train.schedule." + key + ": it is of " + kinds +
           " and does nothing here, where train.schedule.name is cosine; leave it out, or set "
           "train.schedule.name=" +
           kind;
  };
  expect_message([](TrainConfig& c) { c.schedule.decay = 0.5; }, other("decay", "wsd", "wsd"));
  expect_message([](TrainConfig& c) { c.schedule.step_size = 5; },
                 other("step_size", "step", "step"));
  expect_message([](TrainConfig& c) { c.schedule.gamma = 0.5; },
                 other("gamma", "step and plateau", "step"));
  expect_message([](TrainConfig& c) { c.schedule.patience = 5; },
                 other("patience", "plateau", "plateau"));
  expect_message(
      [](TrainConfig& c) {
        c.schedule = {.name = ScheduleKind::kStep, .step_size = 5, .gamma = 0.5};
      },
      "no error");
}

// Before there is a model, and of whichever rule.
TEST(TrainConfig, OptimizerIsChecked) {
  expect_message([](TrainConfig& c) { c.optimizer.beta1 = 1.0; },
                 "train.optimizer.beta1: 1 is not in [0, 1); 0.9 is usual");
  expect_message([](TrainConfig& c) { c.optimizer.beta2 = -0.1; },
                 "train.optimizer.beta2: -0.1 is not in [0, 1); 0.999 is usual");
  expect_message([](TrainConfig& c) { c.optimizer.momentum = 2.0F; },
                 "train.optimizer.momentum: 2 is not in [0, 1); 0.9 is usual");
  expect_message(
      [](TrainConfig& c) {
        c.optimizer.average = {};
        c.optimizer.average.kind = optim::Average::kEma;
        c.optimizer.average.start = 0;
      },
      "train.optimizer.average.start: 0 must be at least 1, the first step");
}

TEST(TrainConfig, WhatLooksAtValidationLossesNeedsSome) {
  const auto refused = [](const std::function<void(TrainConfig&)>& change, bool has_validation) {
    TrainConfig c = good();
    change(c);
    return message_of([&] { require_validation(c, has_validation, "Hold some out"); });
  };
  const auto patience = [](TrainConfig& c) { c.early_stop.patience = 5; };
  const auto threshold = [](TrainConfig& c) { c.early_stop.threshold = 0.25; };
  const auto plateau = [](TrainConfig& c) { c.schedule.name = ScheduleKind::kPlateau; };
  EXPECT_EQ(refused(patience, false),
            "train.early_stop.patience: 5 needs the validation loss, and nothing is held out for "
            "one. Hold some out, or train.early_stop.patience=0");
  EXPECT_EQ(refused(threshold, false),
            "train.early_stop.threshold: 0.25 needs the validation loss, and nothing is held out "
            "for one. Hold some out, or train.early_stop.threshold=0");
  EXPECT_EQ(refused(plateau, false),
            "train.schedule.name: plateau needs the validation loss, and nothing is held out for "
            "one. Hold some out, or train.schedule.name=cosine");
  EXPECT_EQ(refused([](TrainConfig&) {}, false), "no error");
  for (const std::function<void(TrainConfig&)>& change :
       {std::function<void(TrainConfig&)>(patience), std::function<void(TrainConfig&)>(threshold),
        std::function<void(TrainConfig&)>(plateau)}) {
    EXPECT_EQ(refused(change, true), "no error");
  }
}

TEST(HorizonSteps, OfEachKind) {
  TrainConfig c;  // 256 · 8 · 1 = 2,048 tokens per step
  c.steps = 7;
  EXPECT_EQ(horizon_steps(c, 1'000'000, 0.0), 7);
  c.steps = 0;
  c.tokens = 2048 * 10;
  EXPECT_EQ(horizon_steps(c, 1'000'000, 0.0), 10);
  c.tokens += 1;  // at least so many tokens
  EXPECT_EQ(horizon_steps(c, 1'000'000, 0.0), 11);
  c.tokens = 1;
  EXPECT_EQ(horizon_steps(c, 1'000'000, 0.0), 1);
  c.tokens = 0;
  c.epochs = 2.5;
  EXPECT_EQ(horizon_steps(c, 2048 * 4, 0.0), 10);
  c.epochs = 1e-9;
  EXPECT_EQ(horizon_steps(c, 2048, 0.0), 1);
  c.epochs = 0;
  c.minutes = 2;
  EXPECT_EQ(horizon_steps(c, 0, 0.5), 240);
  EXPECT_EQ(horizon_steps(c, 0, 1e9), 1);
  EXPECT_EQ(horizon_steps(c, 0, 0.0), 0);  // not measured
  c.accumulate = 4;
  c.minutes = 0;
  c.tokens = 2048 * 12;
  EXPECT_EQ(horizon_steps(c, 0, 0.0), 3);
}

/// A pass ends in the step that reaches its last item less half a step: what plain counting finds.
TEST(Passes, EndInTheStepInWhichMoreOfThemLies) {
  for (const int64_t items : {1, 4, 7, 100}) {
    for (int64_t per_step = 1; per_step <= items; ++per_step) {
      const Passes passes{per_step, items};
      for (int64_t number = 1; number <= 4; ++number) {
        int64_t steps = 0;
        while (2 * steps * per_step + per_step < 2 * number * items) ++steps;
        EXPECT_EQ(passes.steps_of(number), steps) << number << " of " << items << "/" << per_step;
        EXPECT_EQ(passes.after(steps), number);
        EXPECT_EQ(passes.after(steps - 1), number - 1);
      }
    }
  }
  EXPECT_EQ((Passes{64, 100}.steps_of(1)), 2);
  EXPECT_EQ((Passes{64, 100}.steps_of(2)), 3);
  EXPECT_EQ((Passes{32, 2000}.steps_of(1)), 62);
  EXPECT_EQ((Passes{32, 2000}.steps_of(2)), 125);
}

}  // namespace
}  // namespace ingot::train::config_test
