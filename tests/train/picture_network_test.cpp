// SPDX-License-Identifier: Apache-2.0
// A network of pictures in training: convolutions, pools, batch norm, residual blocks with both
// shortcuts, dropout, a frozen whitening layer, a factor of the learning rate, Nesterov's momentum
// with look-ahead. The weights are the same bytes with any number of threads, replayed or op by op,
// in one go or stopped after any step and continued.
#include <cmath>

#include <gtest/gtest.h>

#include "autograd/ops/loss.h"
#include "base/config.h"
#include "base/message_of.h"
#include "base/philox.h"
#include "models/network/network.h"
#include "train/checkpoint.h"
#include "train/step.h"
#include "train/unsynced_files.h"

namespace ingot::train::picture_network_test {
namespace {

constexpr const char* kLayers = R"(layers:
- {type: conv2d, filters: 12, kernel: 2, init: whiten, bias: false, trainable: false}
- {type: activation, activation: gelu}
- {type: conv2d, filters: 16, kernel: 3, padding: same, bias: false, init: dirac}
- {type: max_pool2d}
- {type: batch_norm, scale: false, momentum: 0.4, lr_scale: 8}
- {type: residual, repeat: 2, activation: relu, layers: [
    {type: conv2d, filters: 16, kernel: 3, padding: 1, bias: false},
    {type: batch_norm, activation: relu}, {type: conv2d, filters: 16, kernel: 3, padding: 1}]}
- {type: residual, layers: [{type: conv2d, filters: 24, kernel: 3, stride: 2, padding: 1}]}
- {type: residual, shortcut: pad, layers: [{type: conv2d, filters: 28, kernel: 3, stride: 2, padding: 1}]}
- {type: dropout, rate: 0.2}
- {type: average_pool2d}
- {type: flatten}
- {type: dense, units: 10, bias: false}
- {type: scale, factor: 0.25}
)";
constexpr int64_t kBatch = 13, kSide = 17, kSteps = 6;

struct LayerList {
  std::vector<models::LayerConfig> layers;
  void visit(auto& field) { field("layers", layers, "of the network"); }
};

std::vector<models::LayerConfig> layers() {
  LayerList list;
  bind_text(kLayers, "layers.yaml", list);
  return list.layers;
}

/// Noise whose class is in its mean; a function of the batch's number.
class PictureTask : public Task {
 public:
  explicit PictureTask(Engine& engine)
      : network_(layers(), {{"image", {kSide, kSide, 3}, DType::kF32, 0, -1}}),
        x_(Tensor::zeros(engine, {kBatch, kSide, kSide, 3})),
        y_(Tensor::zeros(engine, {kBatch}, DType::kI32)) {
    (void)load(1000, 0);
    network_.start_from({&x_, 1});
  }
  nn::Module& module() override { return network_; }
  int64_t load(int64_t index, int64_t /*slot*/) override {
    Philox random(5, static_cast<uint64_t>(index));
    for (int64_t i = 0; i < kBatch; ++i) {
      y_.data<int32_t>()[i] = static_cast<int32_t>((7 * index + i) % 10);
    }
    const int64_t per = x_.size() / kBatch;
    for (int64_t i = 0; i < x_.size(); ++i) {
      const auto mean = static_cast<double>(y_.data<int32_t>()[i / per]) / 5.0 - 0.9;
      x_.data<float>()[i] = static_cast<float>(random.normal() + mean);
    }
    return kBatch;
  }
  Tensor loss(int64_t /*slot*/, const Tensor& count) override {
    ops::CrossEntropyOptions options;
    options.count = count;
    options.label_smoothing = 0.2F;
    return ops::cross_entropy(network_.forward({&x_, 1}, true), y_, options);
  }
  Evaluation evaluate() override { return {}; }
  [[nodiscard]] int64_t items() const override { return kBatch; }
  [[nodiscard]] int64_t items_per_epoch() const override { return kBatch; }

 private:
  models::Network network_;
  Tensor x_, y_;
};

struct Trainer {
  explicit Trainer(int threads, bool is_replayed = true)
      : team(threads), engine(team), task(engine), step(engine, config(is_replayed), task) {}
  static TrainConfig config(bool is_replayed) {
    TrainConfig c;
    c.replay = is_replayed;
    c.optimizer.name = optim::OptimizerKind::kSgd;
    c.optimizer.momentum = 0.85F;
    c.optimizer.nesterov = true;
    c.optimizer.weight_decay = 0.001F;
    c.optimizer.lookahead.every = 2;
    return c;
  }
  void run(int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) losses.push_back(step.run(i, 0.2).loss);
  }
  [[nodiscard]] std::vector<float> weights() { return step.store().values().to_vector<float>(); }

  Team team;
  Engine engine;
  PictureTask task;
  Step step;
  std::vector<float> losses;
};

class PictureNetwork : public ::testing::Test {
 protected:
  PictureNetwork() : whole_(2) { whole_.run(0, kSteps); }
  Trainer whole_;
};

TEST_F(PictureNetwork, Learns) { EXPECT_LT(whole_.losses.back(), whole_.losses.front()); }

TEST_F(PictureNetwork, AnyNumberOfThreads) {
  for (const int threads : {1, 3, 8}) {
    Trainer other(threads);
    other.run(0, kSteps);
    EXPECT_EQ(other.losses, whole_.losses) << threads;
    EXPECT_EQ(other.weights(), whole_.weights()) << threads;
  }
}

TEST_F(PictureNetwork, ReplayedAndOpByOp) {
  Trainer eager(2, false);
  eager.run(0, kSteps);
  EXPECT_EQ(eager.weights(), whole_.weights());
}

TEST_F(PictureNetwork, StoppedAfterAnyStepAndContinued) {
  for (int64_t stop = 1; stop < kSteps; ++stop) {
    const testing::TempDir dir;
    testing::UnsyncedFiles files;
    Checkpoints checkpoints(files, dir.file("checkpoints"), 2);
    {
      Trainer first(3);
      first.run(0, stop);
      RunState state;
      state.step = stop;
      state.recipe_hash = "pictures";
      checkpoints.save(state, first.step.store(), first.step.optimizer());
    }
    Trainer second(1);
    std::string warning;
    ASSERT_TRUE(
        checkpoints.load("pictures", second.step.store(), second.step.optimizer(), &warning));
    second.run(stop, kSteps);
    EXPECT_EQ(second.weights(), whole_.weights()) << "stopped after " << stop;
  }
}

TEST_F(PictureNetwork, ReplayTakesNoMemoryAndConvertsNothing) {
  const int64_t calls = whole_.engine.allocator().calls();
  const int64_t records = whole_.engine.counters.tape_records;
  const int64_t conversions = whole_.engine.counters.conversions;
  whole_.run(kSteps, kSteps + 3);
  EXPECT_EQ(whole_.engine.allocator().calls(), calls);
  EXPECT_EQ(whole_.engine.counters.tape_records, records);
  EXPECT_EQ(whole_.engine.counters.conversions, conversions);
  EXPECT_EQ(conversions, 0);
}

TEST_F(PictureNetwork, TheFrozenLayerStays) {
  Trainer fresh(2);
  const auto& list = whole_.step.store().list();
  bool is_found = false;
  for (size_t i = 0; i < list.size(); ++i) {
    const nn::StoredParameter& before = fresh.step.store().list()[i];
    const bool is_same =
        list[i].parameter->value.to_vector<float>() == before.parameter->value.to_vector<float>();
    EXPECT_EQ(is_same, list[i].name == "conv2d.weight") << list[i].name;
    is_found = is_found || is_same;
  }
  EXPECT_TRUE(is_found);
}

}  // namespace
}  // namespace ingot::train::picture_network_test
