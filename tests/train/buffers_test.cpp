// SPDX-License-Identifier: Apache-2.0
// A model with running statistics through the training step: optimisers leave buffers and frozen
// weights alone, a measurement puts buffers back, an average of the weights takes them in, a
// checkpoint keeps them and no optimiser state.
#include <cmath>

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "base/message_of.h"
#include "io/safetensors.h"
#include "nn/batch_norm.h"
#include "nn/linear.h"
#include "train/checkpoint.h"
#include "train/loop.h"
#include "train/unsynced_files.h"

namespace ingot::train::buffers_test {
namespace {

/// rows of 3 numbers - linear - batch norm - mean square; the first bias is frozen.
struct Net : nn::Module {
  Net() : linear(3, 4, true, nn::Init{nn::InitKind::kNormal, 1.0F}), norm(4) {
    linear.bias.init = {nn::InitKind::kOnes, 0.5F};
    linear.bias.trainable = false;
  }
  void visit(nn::Visitor& visitor) override {
    visitor.child("linear", linear);
    visitor.child("norm", norm);
  }
  nn::Linear linear;
  nn::BatchNorm norm;
};

/// Running mean and variance.
std::vector<float> statistics(const Net& net) {
  std::vector<float> all = net.norm.running_mean.value.to_vector<float>();
  const std::vector<float> variance = net.norm.running_var.value.to_vector<float>();
  all.insert(all.end(), variance.begin(), variance.end());
  return all;
}

class NetTask : public Task {
 public:
  explicit NetTask(Engine& engine) : x_(Tensor::zeros(engine, {8, 3})) {}

  nn::Module& module() override { return net; }
  int64_t load(int64_t index, int64_t /*slot*/) override {
    for (int64_t i = 0; i < x_.size(); ++i) {
      x_.data<float>()[i] = static_cast<float>(std::sin(static_cast<double>(31 * index + i)));
    }
    return 8;
  }
  Tensor loss(int64_t /*slot*/, const Tensor& /*count*/) override {
    const Tensor y = net.norm.forward(net.linear.forward(x_), true);
    return ops::mean(ops::mul(ops::sub(y, ops::scale(y, 0.3F)), y));
  }
  Evaluation evaluate() override {
    judged = statistics(net);
    return {};
  }
  [[nodiscard]] int64_t items() const override { return 8; }
  [[nodiscard]] int64_t items_per_epoch() const override { return 8; }

  Net net;
  std::vector<float> judged;  // what the last evaluation saw

 private:
  Tensor x_;
};

struct Trainer {
  explicit Trainer(bool is_replayed = true, optim::OptimizerConfig optimizer = {})
      : team(1),
        engine(team),
        task(engine),
        step(engine, config_of(is_replayed, optimizer), task) {}
  static TrainConfig config_of(bool is_replayed, const optim::OptimizerConfig& optimizer) {
    TrainConfig c;
    c.replay = is_replayed;
    c.optimizer = optimizer;
    return c;
  }
  [[nodiscard]] std::vector<float> values() { return step.store().values().to_vector<float>(); }

  Team team;
  Engine engine;
  NetTask task;
  Step step;
};

TEST(Buffers, OptimisersLeaveThemAloneAndReplayMovesThemAsEagerStepsDo) {
  for (const optim::OptimizerKind kind :
       {optim::OptimizerKind::kSgd, optim::OptimizerKind::kAdamW}) {
    optim::OptimizerConfig optimizer;
    optimizer.name = kind;
    if (kind == optim::OptimizerKind::kSgd) optimizer.momentum = 0.9F;
    optimizer.weight_decay = 0.1F;
    optimizer.decay_all = true;
    Trainer replayed(true, optimizer), eager(false, optimizer);
    for (int64_t i = 0; i < 4; ++i) {
      (void)replayed.step.run(i, 0.1);
      (void)eager.step.run(i, 0.1);
    }
    EXPECT_EQ(replayed.values(), eager.values());
    Net& net = replayed.task.net;
    EXPECT_EQ(net.linear.bias.value.to_vector<float>(), std::vector<float>(4, 0.5F));
    EXPECT_NE(net.norm.running_mean.value.to_vector<float>(), std::vector<float>(4, 0.0F));
    for (const optim::NamedState& s : replayed.step.optimizer().state()) {
      EXPECT_EQ(s.tensor.size(), replayed.step.store().trained_size());
    }
  }
}

TEST(Buffers, MeasuringAStepPutsThemBack) {
  for (const bool is_replayed : {true, false}) {
    Trainer run(is_replayed);
    const std::vector<float> before = run.values();
    (void)run.step.measure_seconds(0.0);
    EXPECT_EQ(run.values(), before);
  }
}

optim::OptimizerConfig averaged(optim::Average kind) {
  optim::OptimizerConfig c;
  c.average.kind = kind;
  if (kind == optim::Average::kEma) {
    c.average.decay = 0.75;
  } else {
    c.average.start = c.average.every = 2;
  }
  return c;
}

// Each rule written down once more, in double, over the statistics after every step.
TEST(Buffers, AnAverageOfTheWeightsIsOneOfTheRunningStatisticsToo) {
  constexpr int64_t kSteps = 6;
  for (const optim::Average kind : {optim::Average::kEma, optim::Average::kSwa}) {
    for (const bool is_replayed : {true, false}) {
      Trainer run(is_replayed, averaged(kind));
      std::vector<double> want(8, 0.0);
      for (int64_t step = 1; step <= kSteps; ++step) {
        (void)run.step.run(step - 1, 0.1);
        const std::vector<float> now = statistics(run.task.net);
        for (size_t i = 0; i < want.size(); ++i) {
          const auto value = static_cast<double>(now[i]);
          if (kind == optim::Average::kEma) {
            want[i] = step == 1 ? value : 0.75 * want[i] + 0.25 * value;
          } else if (step % 2 == 0) {  // snapshots after 2, 4 and 6 steps
            want[i] += value / 3.0;
          }
        }
      }
      const std::vector<float> last = statistics(run.task.net);
      {
        const AveragedWeights on(run.step);
        const std::vector<float> got = statistics(run.task.net);
        EXPECT_NE(got, last);
        for (size_t i = 0; i < want.size(); ++i) {
          // Some roundings of float32 numbers of that size.
          EXPECT_NEAR(static_cast<double>(got[i]), want[i], 2e-6 * (1.0 + std::abs(want[i]))) << i;
        }
        EXPECT_EQ(run.task.net.linear.bias.value.to_vector<float>(), std::vector<float>(4, 0.5F));
      }
      EXPECT_EQ(statistics(run.task.net), last) << "training goes on from its own";
    }
  }
}

TEST(Buffers, ARunJudgesAndExportsTheirAverage) {
  for (const bool keep_best : {false, true}) {
    TrainConfig c = Trainer::config_of(true, averaged(optim::Average::kEma));
    c.steps = 5;
    c.lr = 0.1;
    c.schedule.name = ScheduleKind::kConstant;
    c.schedule.warmup = 0.0;
    c.eval_every = 0;  // at the end
    c.keep_best = keep_best;
    Team team(1);
    Engine engine(team);
    NetTask task(engine);
    const FakeClock clock(1.0, 1.7e9);
    RunMemory kept([](const RunRecord&) {});
    const LoopContext context{engine, task, clock, kept};
    (void)train(context, c);

    Trainer by_hand(true, averaged(optim::Average::kEma));
    for (int64_t i = 0; i < c.steps; ++i) (void)by_hand.step.run(i, c.lr);
    const AveragedWeights on(by_hand.step);
    EXPECT_EQ(statistics(task.net), statistics(by_hand.task.net));
    EXPECT_EQ(task.judged, statistics(by_hand.task.net));
    EXPECT_EQ(task.net.linear.weight.value.to_vector<float>(),
              by_hand.task.net.linear.weight.value.to_vector<float>());
  }
}

TEST(Buffers, CheckpointsKeepThemWithoutOptimiserState) {
  const testing::TempDir dir;
  testing::UnsyncedFiles files;
  Checkpoints checkpoints(files, dir.file("checkpoints"), 2);
  Trainer first;
  for (int64_t i = 0; i < 3; ++i) (void)first.step.run(i, 0.1);
  RunState state;
  state.step = 3;
  state.recipe_hash = "abc";
  checkpoints.save(state, first.step.store(), first.step.optimizer());

  const io::Safetensors file(dir.file("checkpoints/step-00000003/state.safetensors"));
  EXPECT_NE(file.find("param.norm.running_mean"), nullptr);
  EXPECT_NE(file.find("param.linear.bias"), nullptr);
  EXPECT_NE(file.find("m.linear.weight"), nullptr);
  EXPECT_EQ(file.find("m.linear.bias"), nullptr);
  EXPECT_EQ(file.find("v.norm.running_var"), nullptr);

  Trainer second;
  std::string warning;
  ASSERT_TRUE(checkpoints.load("abc", second.step.store(), second.step.optimizer(), &warning));
  EXPECT_EQ(second.values(), first.values());
  (void)first.step.run(3, 0.1);
  (void)second.step.run(3, 0.1);
  EXPECT_EQ(second.values(), first.values());
}

TEST(Buffers, CheckpointsKeepTheirAverage) {
  const testing::TempDir dir;
  testing::UnsyncedFiles files;
  Checkpoints checkpoints(files, dir.file("checkpoints"), 2);
  const optim::OptimizerConfig config = averaged(optim::Average::kEma);
  Trainer first(true, config), second(true, config);
  for (int64_t i = 0; i < 3; ++i) (void)first.step.run(i, 0.1);
  RunState state;
  state.step = 3;
  state.recipe_hash = "abc";
  checkpoints.save(state, first.step.store(), first.step.optimizer());
  std::string warning;
  ASSERT_TRUE(checkpoints.load("abc", second.step.store(), second.step.optimizer(), &warning));
  for (Trainer* t : {&first, &second}) (void)t->step.run(3, 0.1);
  EXPECT_EQ(second.values(), first.values());
  const AveragedWeights of_first(first.step), of_second(second.step);
  EXPECT_EQ(second.values(), first.values());
}

/// The state of an earlier version: an average of what trains alone.
class OlderAverage : public optim::Optimizer {
 public:
  explicit OlderAverage(Step& step) : step_(step) {}
  void step(const optim::Scalars& /*scalars*/, Tape& /*tape*/) override {}
  [[nodiscard]] std::vector<optim::NamedState> state() const override {
    std::vector<optim::NamedState> all = step_.optimizer().state();
    const Shape trained{step_.store().trained_size()};
    Tensor& average = all.back().tensor;
    average = average.strided(trained, contiguous_strides(trained), 0);
    return all;
  }

 private:
  Step& step_;
};

TEST(Buffers, ACheckpointWithoutTheirAverageIsRefused) {
  const testing::TempDir dir;
  testing::UnsyncedFiles files;
  Checkpoints checkpoints(files, dir.file("checkpoints"), 2);
  Trainer run(true, averaged(optim::Average::kEma));
  RunState state;
  state.step = 3;
  state.recipe_hash = "abc";
  checkpoints.save(state, run.step.store(), OlderAverage(run.step));
  std::string warning;
  EXPECT_EQ(
      testing::message_of(
          [&] { (void)checkpoints.load("abc", run.step.store(), run.step.optimizer(), &warning); }),
      dir.file("checkpoints/step-00000003/state.safetensors") +
          ": holds no \"average.linear.bias\": it is of an earlier version of the program, whose "
          "averages left running statistics out. Continue the run with that version, or begin it "
          "anew with --fresh");
}

}  // namespace
}  // namespace ingot::train::buffers_test
