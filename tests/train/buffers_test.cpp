// SPDX-License-Identifier: Apache-2.0
// A model with running statistics through the training step: optimisers leave buffers and frozen
// weights alone, a measurement puts buffers back, a checkpoint keeps them and no optimiser state.
#include <cmath>

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "base/message_of.h"
#include "io/safetensors.h"
#include "nn/batch_norm.h"
#include "nn/linear.h"
#include "train/checkpoint.h"
#include "train/step.h"
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
  Evaluation evaluate() override { return {}; }
  [[nodiscard]] int64_t items() const override { return 8; }
  [[nodiscard]] int64_t items_per_epoch() const override { return 8; }

  Net net;

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

}  // namespace
}  // namespace ingot::train::buffers_test
