// SPDX-License-Identifier: Apache-2.0
// Layers of images (conv.h, pool.h, batch_norm.h) and parameters that do not train: what they hold,
// that running statistics follow every run of a recorded step, and that frozen weights stay.
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "base/message_of.h"
#include "nn/batch_norm.h"
#include "nn/conv.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/parameter_store.h"
#include "nn/pool.h"
#include "tensor/plan.h"

namespace ingot::testing::image_layers_test {
namespace {

/// conv 3x3 (4 channels, no bias) - batch norm with relu - pool 2x2 - global mean - linear.
struct SmallNet : nn::Module {
  SmallNet()
      : norm(4, {1e-5F, 0.1F, true, true, true, kernels::Activation::kRelu}),
        head(4, 3, true, nn::Init{nn::InitKind::kNormal, 1.0F}) {
    nn::ConvConfig config;
    config.in_channels = 2, config.out_channels = 4, config.has_bias = false;
    ops::Conv2dOptions options;
    options.padding = ops::Padding2d::all(1);
    conv = std::make_unique<nn::Conv2d>(config, options);
    pool = std::make_unique<nn::Pool2d>(nn::PoolKind::kMax, ops::Pool2dOptions{});
    global = std::make_unique<nn::AdaptivePool2d>(nn::PoolKind::kAverage);
  }
  Tensor forward(const Tensor& x, bool is_training) {
    const Tensor h = global->forward(pool->forward(norm.forward(conv->forward(x), is_training)));
    return head.forward(ops::reshape(h, {-1, 4}));
  }
  void visit(nn::Visitor& visitor) override {
    visitor("conv", conv);
    visitor.child("norm", norm);
    visitor("pool", pool);
    visitor.child("head", head);
  }
  std::unique_ptr<nn::Layer> conv, pool, global;
  nn::BatchNorm norm;
  nn::Linear head;
};

Tensor images(Engine& engine) {
  std::vector<float> v;
  for (int i = 0; i < 3 * 4 * 4 * 2; ++i) v.push_back(std::sin(0.7F * static_cast<float>(i)));
  return Tensor::from<float>(engine, v, {3, 4, 4, 2});
}

TEST(ImageLayers, BuffersLieBehindEverythingElseAndHaveNoGradient) {
  Team team(1);
  Engine engine(team);
  SmallNet net;
  nn::ParameterStore store(engine, net);
  std::vector<std::string> names;
  for (const nn::StoredParameter& p : store.list()) names.push_back(p.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"conv.weight", "head.weight", "norm.weight", "norm.bias",
                                      "head.bias", "norm.running_mean", "norm.running_var"}));
  EXPECT_EQ(store.parameter_count(), 4 * 9 * 2 + 12 + 4 + 4 + 3 + 4 + 4);
  EXPECT_EQ(store.dense_size(), 80 + 16 + 3 * 16);
  EXPECT_EQ(store.trained_size(), store.dense_size());
  EXPECT_EQ(store.size(), store.trained_size() + 2 * 16);
  ASSERT_EQ(store.groups().size(), 2U);
  EXPECT_EQ(store.groups()[1].end, store.trained_size());
  Tape tape(engine);
  store.bind(tape);
  EXPECT_EQ(store.grads().size(), store.dense_size());
  EXPECT_EQ(net.norm.running_mean.value.slot, -1);
  EXPECT_EQ(net.norm.running_mean.value.to_vector<float>(), std::vector<float>(4, 0.0F));
  EXPECT_EQ(net.norm.running_var.value.to_vector<float>(), std::vector<float>(4, 1.0F));
}

TEST(ImageLayers, RunningStatisticsMoveWithEveryRunOfARecordedStep) {
  Team team(2);
  Engine engine(team);
  SmallNet net;
  nn::ParameterStore store(engine, net);
  Tape tape(engine);
  store.bind(tape);
  const Tensor x = images(engine);
  const auto step = [&] {
    tape.begin_step();
    const Recording on(engine, &tape);
    const Tensor y = net.forward(x, true);
    tape.backward(ops::mean(ops::mul(y, y)));
    tape.finish_step();
  };
  const Tensor h = net.conv->forward(x);
  const std::vector<float> mean = ops::mean(h, {0, 1, 2}).to_vector<float>();
  const std::vector<float> var = ops::variance(h, {0, 1, 2}, 1).to_vector<float>();
  Plan plan(engine, step);
  EXPECT_EQ(net.norm.running_mean.value.to_vector<float>(), std::vector<float>(4, 0.0F))
      << "recording runs nothing";
  for (int run = 1; run <= 3; ++run) {  // the weights do not move: the same batch each time
    plan.run();
    const double share = 1.0 - std::pow(0.9, run);
    const std::vector<float> m = net.norm.running_mean.value.to_vector<float>();
    const std::vector<float> v = net.norm.running_var.value.to_vector<float>();
    for (size_t c = 0; c < 4; ++c) {
      EXPECT_NEAR(m[c], share * mean[c], 1e-6);  // a few roundings of numbers below 2
      EXPECT_NEAR(v[c], 1.0 - share + share * var[c], 1e-6);
    }
  }
}

TEST(ImageLayers, InferenceReadsTheRunningStatisticsAndLeavesThem) {
  Team team(1);
  Engine engine(team);
  SmallNet net;
  const nn::ParameterStore store(engine, net);
  const Tensor x = images(engine);
  const std::vector<float> all = net.forward(x, false).to_vector<float>();
  const std::vector<float> one = net.forward(ops::slice(x, 0, 1, 2), false).to_vector<float>();
  EXPECT_EQ(one, std::vector<float>(all.begin() + 3, all.begin() + 6));
  EXPECT_EQ(net.norm.running_var.value.to_vector<float>(), std::vector<float>(4, 1.0F));
  EXPECT_NE(net.forward(x, true).to_vector<float>(), all);
}

TEST(ImageLayers, AFrozenWeightGetsNoGradientAndStopsTheFlowBehindIt) {
  Team team(1);
  Engine engine(team);
  SmallNet net;
  static_cast<nn::Conv2d&>(*net.conv).weight.trainable = false;
  net.norm.weight.trainable = net.norm.bias.trainable = false;
  nn::ParameterStore store(engine, net);
  Tape tape(engine);
  store.bind(tape);
  EXPECT_EQ(store.trained_size(), 16 + 16) << "the head alone";
  const int64_t before = engine.counters.launches;
  tape.begin_step();
  {
    const Recording on(engine, &tape);
    const Tensor y = net.forward(images(engine), false);
    tape.backward(ops::mean(ops::mul(y, y)));
  }
  tape.finish_step();
  EXPECT_EQ(engine.counters.tape_records, 3) << "linear, product, mean";
  EXPECT_GT(engine.counters.launches, before);
  double sum = 0.0;
  for (const float g : store.grads().to_vector<float>()) sum += std::abs(g);
  EXPECT_GT(sum, 0.0);
}

TEST(ImageLayers, AFrozenRowSparseTableHasAnEmptySparseGradient) {
  Team team(1);
  Engine engine(team);
  nn::Embedding table(5, 3, {nn::InitKind::kNormal, 1.0F}, true);
  table.weight.trainable = false;
  nn::ParameterStore store(engine, table);
  Tape tape(engine);
  store.bind(tape);
  EXPECT_FALSE(tape.sparse_grad(table.weight.value.slot).rows.defined());
}

TEST(ImageLayers, TransposedConvolutionDoublesAnImageAndGroupsMustDivide) {
  Team team(1);
  Engine engine(team);
  nn::ConvConfig config;
  config.in_channels = 4, config.out_channels = 6, config.kernel_h = config.kernel_w = 2;
  ops::ConvTranspose2dOptions options;
  options.stride_h = options.stride_w = 2, options.groups = 2;
  nn::ConvTranspose2d layer(config, options);
  EXPECT_EQ(layer.weight.shape.text(), "[4, 2, 2, 3]");
  const nn::ParameterStore store(engine, layer);
  EXPECT_EQ(layer.forward(Tensor::zeros(engine, {1, 3, 5, 4})).shape().text(), "[1, 6, 10, 6]");
  options.groups = 4;
  EXPECT_EQ(message_of([&] { nn::ConvTranspose2d wrong(config, options); }),
            "conv_transpose2d: 4 input and 6 output channels do not divide into 4 groups");
  EXPECT_EQ(message_of([&] { nn::Conv2d wrong(config, options); }),
            "conv2d: 4 input and 6 output channels do not divide into 4 groups");
}

}  // namespace
}  // namespace ingot::testing::image_layers_test
