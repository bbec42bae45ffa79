// SPDX-License-Identifier: Apache-2.0
// Layers of pictures in a recipe's list: shapes, parameters and multiply-adds counted by hand, keys
// that reach the op, and messages that name layers and shapes. What the ops compute is judged in
// tests/autograd against PyTorch.
#include <numeric>

#include <gtest/gtest.h>

#include "autograd/ops/conv.h"
#include "autograd/ops/image.h"
#include "autograd/ops/pool.h"
#include "base/team.h"
#include "models/network/layer_lists.h"
#include "nn/parameter_store.h"

namespace ingot::models::image_nodes_test {
namespace {

using testing::layers_of;
using testing::picture;
using testing::refusal;

class ImageNodes : public ::testing::Test {
 protected:
  /// A picture of small whole numbers.
  Tensor image(int64_t h, int64_t w, int64_t c, int64_t batch = 1) {
    std::vector<float> v(static_cast<size_t>(batch * h * w * c));
    for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>((i * 7) % 11) - 5.0F;
    return Tensor::from<float>(engine_, v, {batch, h, w, c});
  }
  Team team_{2};
  Engine engine_{team_};
};

/// The network of recipes/cifar_cnn.yaml: two 5 x 5 convolutions, two pools, 1024 units.
std::string documents_cnn(const std::string& padding) {
  const std::string conv = "kernel: 5, padding: " + padding + ", activation: relu}\n";
  return "- {type: conv2d, filters: 32, " + conv + "- {type: max_pool2d}\n" +
         "- {type: conv2d, filters: 64, " + conv + "- {type: max_pool2d}\n" +
         "- {type: flatten}\n- {type: dense, units: 1024, activation: relu}\n"
         "- {type: dense, units: 10}\n";
}

TEST_F(ImageNodes, TheDocumentsNetworkHasItsParameters) {
  Network valid(layers_of(documents_cnn("valid")), {picture(32, 32, 3)});
  EXPECT_EQ(nn::parameter_count(valid), 1'703'370);
  const std::vector<LayerLine> lines = valid.lines();
  EXPECT_EQ(lines[1].shape, "[28, 28, 32]");
  EXPECT_EQ(lines[2].shape, "[14, 14, 32]");
  EXPECT_EQ(lines[3].shape, "[10, 10, 64]");
  EXPECT_EQ(lines[5].shape, "[1600]");
  EXPECT_EQ(lines[3].flops, 2 * 10 * 10 * 64 * 5 * 5 * 32);
  EXPECT_EQ(valid.flops(), 2 * (28 * 28 * 32 * 75 + 100 * 64 * 800 + 1600 * 1024 + 10240));
  Network same(layers_of(documents_cnn("same")), {picture(32, 32, 3)});
  EXPECT_EQ(nn::parameter_count(same), 4'259'274);
  EXPECT_EQ(same.lines()[5].shape, "[4096]");
}

TEST_F(ImageNodes, KeysReachTheConvolution) {
  Network network(layers_of("- {type: conv2d, name: c, filters: 4, kernel: [2, 3], stride: [1, 2],"
                            " padding: [0, 1, 2, 1], dilation: [2, 1], groups: 2, bias: false}\n"),
                  {picture(6, 7, 4)});
  const nn::ParameterStore store(engine_, network);
  ASSERT_EQ(store.list().size(), 1U);
  EXPECT_EQ(store.list()[0].name, "c.weight");
  ops::Conv2dOptions o;
  o.stride_w = 2, o.padding = {0, 1, 2, 1}, o.dilation_h = 2, o.groups = 2;
  const Tensor x = image(6, 7, 4, 2);
  const Tensor y = network.forward({&x, 1}, false);
  const Tensor expected = ops::conv2d(x, store.list()[0].parameter->value, {}, o);
  EXPECT_EQ(y.to_vector<float>(), expected.to_vector<float>());
  EXPECT_EQ(network.output().shape, (Shape{5, 4, 4}));
  EXPECT_EQ(expected.shape(), (Shape{2, 5, 4, 4}));
  EXPECT_EQ(network.flops(), 2 * 5 * 4 * 4 * 2 * 3 * 2);
}

TEST_F(ImageNodes, KeysReachTheTransposedConvolution) {
  Network network(
      layers_of("- {type: conv2d_transpose, filters: 2, kernel: 3, stride: 2, padding: 1,"
                " output_padding: 1, activation: tanh}\n"),
      {picture(4, 3, 3)});
  const nn::ParameterStore store(engine_, network);
  EXPECT_EQ(network.output().shape, (Shape{8, 6, 2}));
  EXPECT_EQ(network.flops(), 2 * 4 * 3 * 3 * 9 * 2);
  const Tensor x = image(4, 3, 3);
  const Tensor y = network.forward({&x, 1}, false);
  EXPECT_EQ(y.shape(), (Shape{1, 8, 6, 2}));
  for (const float v : y.to_vector<float>()) EXPECT_LE(std::abs(v), 1.0F);
}

TEST_F(ImageNodes, PoolsTakeKerasAndPyTorchsPadding) {
  const Tensor x = image(5, 5, 2);
  const auto run = [&](const std::string& yaml) {
    Network network(layers_of(yaml), {picture(5, 5, 2)});
    const nn::ParameterStore store(engine_, network);
    const Tensor y = network.forward({&x, 1}, false);
    Shape shape{1};
    for (int i = 0; i < network.output().shape.rank(); ++i) shape.push(network.output().shape[i]);
    EXPECT_EQ(y.shape(), shape) << yaml;
    return y.to_vector<float>();
  };
  ops::Pool2dOptions o;
  EXPECT_EQ(run("- {type: max_pool2d}\n"), ops::max_pool2d(x, o).to_vector<float>());
  o.is_ceil = true;
  EXPECT_EQ(run("- {type: max_pool2d, ceil: true}\n"), ops::max_pool2d(x, o).to_vector<float>());
  o.is_ceil = false;
  o.padding = {0, 1, 0, 1};
  o.counts_padding = false;
  EXPECT_EQ(run("- {type: average_pool2d, padding: same}\n"),
            ops::avg_pool2d(x, o).to_vector<float>());
  o.kernel_h = o.kernel_w = 3, o.stride_h = o.stride_w = 2;
  o.padding = ops::Padding2d::all(1);
  o.counts_padding = true;
  EXPECT_EQ(run("- {type: average_pool2d, kernel: 3, stride: 2, padding: 1}\n"),
            ops::avg_pool2d(x, o).to_vector<float>());
  EXPECT_EQ(run("- {type: adaptive_average_pool2d, output: [2, 3]}\n"),
            ops::adaptive_avg_pool2d(x, 2, 3).to_vector<float>());
  EXPECT_EQ(run("- {type: adaptive_max_pool2d, output: 2}\n"),
            ops::adaptive_max_pool2d(x, 2, 2).to_vector<float>());
}

TEST_F(ImageNodes, PadsResamplesAndScales) {
  const Tensor x = image(3, 4, 2);
  const auto run = [&](const std::string& yaml) {
    Network network(layers_of(yaml), {picture(3, 4, 2)});
    const nn::ParameterStore store(engine_, network);
    return network.forward({&x, 1}, false);
  };
  const Tensor padded = run("- {type: pad2d, padding: [1, 2], mode: reflect}\n");
  EXPECT_EQ(padded.to_vector<float>(),
            ops::pad2d(x, {1, 1, 2, 2}, ops::PadMode::kReflect).to_vector<float>());
  EXPECT_EQ(run("- {type: upsample2d, factor: 2}\n").shape(), (Shape{1, 6, 8, 2}));
  EXPECT_EQ(run("- {type: upsample2d, output: [5, 7], mode: bilinear}\n").to_vector<float>(),
            ops::upsample2d(x, 5, 7, ops::UpsampleMode::kBilinear).to_vector<float>());
  const std::vector<float> in = x.to_vector<float>();
  const std::vector<float> half = run("- {type: scale, factor: 0.5}\n").to_vector<float>();
  for (size_t i = 0; i < in.size(); ++i) EXPECT_EQ(half[i], 0.5F * in[i]);
}

/// PyTorch's sizes: the product in double, rounded down. As a float 0.7 is below 0.7.
TEST_F(ImageNodes, AFactorGivesPyTorchsSizes) {
  const struct {
    const char* factor;
    int64_t size;  // of 10 pixels
  } cases[] = {{"0.7", 7}, {"0.9", 9}, {"1.4", 14}, {"1.9", 19}, {"2.3", 23},
               {"0.1", 1}, {"2", 20},  {"0.75", 7}, {"1.25", 12}};
  for (const auto& [factor, size] : cases) {
    const std::string yaml = std::string("- {type: upsample2d, factor: ") + factor + "}\n";
    const Network network(layers_of(yaml), {picture(10, 10, 1)});
    EXPECT_EQ(network.output().shape, (Shape{size, size, 1})) << factor;
  }
}

/// 1 2 3 4 5: mean 3, biased variance 2; PyTorch's running values take a tenth of the new batch.
TEST_F(ImageNodes, BatchNormIsTheFormulaAndKeepsRunningValues) {
  Network network(layers_of("- {type: batch_norm, eps: 1.0e-12}\n"),
                  {{"table", {1}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(engine_, network);
  const float rows[] = {1, 2, 3, 4, 5};
  const Tensor x = Tensor::from<float>(engine_, rows, {5, 1});
  const std::vector<float> y = network.forward({&x, 1}, true).to_vector<float>();
  constexpr double kFloat = 1e-6;
  const double expected[] = {-1.41421356, -0.70710678, 0.0, 0.70710678, 1.41421356};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(y[i], expected[i], kFloat);
  for (const nn::StoredParameter& p : store.list()) {
    const float value = p.parameter->value.data<float>()[0];
    const bool is_mean = p.name == "batch_norm.running_mean";
    if (!p.parameter->trainable) {
      EXPECT_NEAR(value, is_mean ? 0.3 : 0.9 + 0.1 * 2.5, kFloat);
    }
  }
  EXPECT_NE(network.forward({&x, 1}, false).to_vector<float>(), y) << "inference uses them";
}

/// The same rows with Keras' momentum 0.99: 0.99 * 0 + 0.01 * 3 and 0.99 * 1 + 0.01 * 2.
TEST_F(ImageNodes, BatchNormKeepsTheRunningValuesOfKeras) {
  Network network(
      layers_of("- {type: batch_norm, eps: 1.0e-3, momentum: 0.01, biased_variance: true}\n"),
      {{"table", {1}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(engine_, network);
  const float rows[] = {1, 2, 3, 4, 5};
  const Tensor x = Tensor::from<float>(engine_, rows, {5, 1});
  (void)network.forward({&x, 1}, true);
  constexpr double kFloat = 1e-6;
  int checked = 0;
  for (const nn::StoredParameter& p : store.list()) {
    if (p.parameter->trainable) continue;
    const bool is_mean = p.name == "batch_norm.running_mean";
    EXPECT_NEAR(p.parameter->value.data<float>()[0], is_mean ? 0.03 : 1.01, kFloat) << p.name;
    ++checked;
  }
  EXPECT_EQ(checked, 2);
}

TEST_F(ImageNodes, BatchNormMayLackScaleAndBias) {
  const auto names = [](const std::string& yaml) {
    Network network(layers_of(yaml), {picture(2, 2, 3)});
    std::vector<std::string> list;
    for (const nn::NamedParameter& p : nn::parameters(network)) list.push_back(p.name);
    return list;
  };
  EXPECT_EQ(names("- {type: batch_norm, name: n, scale: false, activation: gelu}\n"),
            (std::vector<std::string>{"n.bias", "n.running_mean", "n.running_var"}));
  EXPECT_EQ(names("- {type: batch_norm, name: n, bias: false, activation: relu}\n"),
            (std::vector<std::string>{"n.weight", "n.running_mean", "n.running_var"}));
}

TEST_F(ImageNodes, DiracPassesChannelsOn) {
  Network network(
      layers_of(
          "- {type: conv2d, filters: 5, kernel: 3, padding: same, bias: false, init: dirac}\n"),
      {picture(4, 4, 3)});
  const nn::ParameterStore store(engine_, network);
  const Tensor x = image(4, 4, 3);
  const std::vector<float> in = x.to_vector<float>();
  const std::vector<float> y = network.forward({&x, 1}, false).to_vector<float>();
  for (size_t pixel = 0; pixel < 16; ++pixel) {
    for (size_t c = 0; c < 3; ++c) EXPECT_EQ(y[pixel * 5 + c], in[pixel * 3 + c]);
  }
}

TEST_F(ImageNodes, FrozenAndScaledWeightsAreMarked) {
  Network network(layers_of("- {type: conv2d, filters: 2, kernel: 1, trainable: false}\n"
                            "- {type: batch_norm, scale: false, lr_scale: 64}\n"
                            "- {type: conv2d, name: last, filters: 2, kernel: 1}\n"),
                  {picture(2, 2, 2)});
  const nn::ParameterStore store(engine_, network);
  ASSERT_EQ(store.groups().size(), 3U);
  EXPECT_EQ(store.groups()[0].lr_scale, 1.0F);
  EXPECT_EQ(store.groups()[2].lr_scale, 64.0F);
  EXPECT_EQ(store.list()[0].name, "last.weight");
  for (const nn::StoredParameter& p : store.list()) {
    const bool is_frozen = p.name.starts_with("conv2d.") || p.name.find("running") != p.name.npos;
    EXPECT_EQ(p.parameter->trainable, !is_frozen) << p.name;
  }
}

/// Fine-tuning: neither weights nor running values of a frozen layer move, wherever it stands.
TEST_F(ImageNodes, AFrozenBatchNormIsAtInferenceInTraining) {
  Network network(layers_of("- type: block\n  trainable: false\n  layers:\n"
                            "    - {type: batch_norm, scale: false, bias: false}\n"),
                  {{"table", {1}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(engine_, network);
  const float rows[] = {1, 2, 3, 4, 5};
  const Tensor x = Tensor::from<float>(engine_, rows, {5, 1});
  const std::vector<float> y = network.forward({&x, 1}, true).to_vector<float>();
  EXPECT_EQ(y, network.forward({&x, 1}, false).to_vector<float>());
  EXPECT_EQ(store.list()[0].parameter->value.data<float>()[0], 0.0F);
  EXPECT_EQ(store.list()[1].parameter->value.data<float>()[0], 1.0F);
}

TEST_F(ImageNodes, WhitenTakesItsFiltersFromExamples) {
  Network network(layers_of("- {type: conv2d, filters: 8, kernel: 2, init: whiten, bias: false,"
                            " trainable: false}\n- {type: flatten}\n- {type: dense, units: 1}\n"),
                  {picture(6, 6, 1)});
  ASSERT_TRUE(network.starts_from_examples());
  const Tensor x = image(6, 6, 1, 40);
  network.start_from({&x, 1});
  const nn::ParameterStore store(engine_, network);
  const nn::StoredParameter& weight = store.list().back();
  ASSERT_EQ(weight.name, "conv2d.weight");
  const float* w = weight.parameter->value.data<float>();
  for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(w[i], -w[4 + i]);
  EXPECT_NE(w[0], 0.0F);
}

TEST(ImageNodeErrors, NameLayersAndShapes) {
  const Value in = picture(8, 8, 3);
  EXPECT_EQ(
      refusal("- {type: conv2d, name: a, filters: 2, kernel: 5}\n"
              "- {type: conv2d, name: b, filters: 2, kernel: 5}\n",
              in),
      "layers.1 (conv2d \"b\"): a window of 5 x 5 does not fit into its input \"a\" [4, 4, 2]. "
      "Use padding: same or a smaller kernel");
  EXPECT_EQ(refusal("- {type: flatten}\n- {type: conv2d, filters: 2, kernel: 3}\n", in),
            "layers.1 (conv2d \"conv2d\"): needs a picture [height, width, channels], its input "
            "\"flatten\" [192] does not fit. A reshape layer gives it other axes");
  EXPECT_EQ(refusal("- {type: conv2d, kernel: 3}\n", in),
            "layers.0 (conv2d \"conv2d\"): needs the key \"filters\" (convolutions: output "
            "channels)");
  EXPECT_EQ(
      refusal("- {type: conv2d, filters: 4, kernel: [1, 2, 3]}\n", in),
      "layers.0 (conv2d \"conv2d\"): kernel takes one number or [height, width], 3 were given");
  EXPECT_EQ(refusal("- {type: conv2d, filters: 4, kernel: 0}\n", in),
            "layers.0 (conv2d \"conv2d\"): kernel is 0, must be 1 to 65536");
  EXPECT_EQ(refusal("- {type: conv2d, filters: 0, kernel: 1}\n", in),
            "layers.0 (conv2d \"conv2d\"): filters is 0, must be 1 to 2147483647");
  EXPECT_EQ(refusal("- {type: conv2d, filters: 6, kernel: 3, groups: 3, init: dirac}\n", in),
            "layers.0 (conv2d \"conv2d\"): init: dirac needs groups: 1");
  EXPECT_EQ(refusal("- {type: conv2d, filters: 6, kernel: 3, dilation: 2, init: whiten}\n", in),
            "layers.0 (conv2d \"conv2d\"): init: whiten needs groups: 1 and dilation: 1");
  EXPECT_EQ(
      refusal("- {type: conv2d, filters: 4, kernel: 3, groups: 2}\n", in),
      "layers.0 (conv2d \"conv2d\"): 4 filters and the channels of \"image\" [8, 8, 3] do not "
      "divide into 2 groups; 1 is the most they divide into");
  EXPECT_EQ(
      refusal("- {type: conv2d, filters: 4, kernel: 3, padding: full}\n", in),
      "layers.0 (conv2d \"conv2d\"): padding is \"full\"; valid, same or a number of pixels is "
      "expected");
  EXPECT_EQ(refusal("- {type: conv2d, filters: 4, kernel: 3, padding: [1, 2, 3]}\n", in),
            "layers.0 (conv2d \"conv2d\"): padding takes pixels, [height, width] or [top, bottom, "
            "left, right]; 3 numbers were given");
  EXPECT_EQ(refusal("- {type: max_pool2d, padding: 2}\n", in),
            "layers.0 (max_pool2d \"max_pool2d\"): padding may be at most half of the kernel (2 x "
            "2). Put a pad2d layer before it for more");
  EXPECT_EQ(refusal("- {type: conv2d_transpose, filters: 4, kernel: 3, padding: same}\n", in),
            "layers.0 (conv2d_transpose \"conv2d_transpose\"): padding: same is not defined for a "
            "transposed convolution; give pixels");
  EXPECT_EQ(refusal("- {type: conv2d_transpose, filters: 4, kernel: 3, output_padding: 1}\n", in),
            "layers.0 (conv2d_transpose \"conv2d_transpose\"): output_padding is 1 x 1, must be "
            "below the stride or the dilation");
  EXPECT_EQ(refusal("- {type: conv2d_transpose, filters: 4, kernel: 1, padding: 4}\n", in),
            "layers.0 (conv2d_transpose \"conv2d_transpose\"): its padding leaves no pixels of its "
            "input \"image\" [8, 8, 3]. Use less of it");
  EXPECT_EQ(refusal("- {type: upsample2d, factor: 0.1}\n", in),
            "layers.0 (upsample2d \"upsample2d\"): leaves no pixels of its input \"image\" [8, 8, "
            "3]. Use a larger factor");
  EXPECT_EQ(refusal("- {type: pad2d, padding: 8, mode: reflect}\n", in),
            "layers.0 (pad2d \"pad2d\"): reflecting needs more pixels than its input \"image\" [8, "
            "8, 3] has. Pad less, or with mode: zero");
  EXPECT_EQ(refusal("- {type: pad2d, padding: 1, mode: nearest}\n", in),
            "layers.0 (pad2d \"pad2d\"): mode is nearest; zero and reflect are possible");
  EXPECT_EQ(refusal("- {type: upsample2d}\n", in),
            "layers.0 (upsample2d \"upsample2d\"): takes either factor or output");
  EXPECT_EQ(
      refusal("- {type: upsample2d, factor: 2, mode: zero}\n", in),
      "layers.0 (upsample2d \"upsample2d\"): mode is zero; nearest and bilinear are possible");
  EXPECT_EQ(refusal("- {type: upsample2d, factor: 0}\n", in),
            "layers.0 (upsample2d \"upsample2d\"): factor is 0, must be above 0 and at most 64");
  EXPECT_EQ(refusal("- {type: scale, factor: 1e39}\n", in),
            "layers.0 (scale \"scale\"): factor is 1e+39, must be a number of at most 3.4e+38");
  EXPECT_EQ(refusal("- {type: batch_norm, momentum: 0}\n", in),
            "layers.0 (batch_norm \"batch_norm\"): momentum is 0, must be in (0, 1]: the share of "
            "the new batch. Keras' 0.99 is 0.01");
}

TEST(ImageNodeErrors, SayWhereWeightKeysBelong) {
  const Value in = picture(8, 8, 3);
  EXPECT_EQ(refusal("- {type: flatten, trainable: false}\n", in),
            "layers.0 (flatten \"flatten\"): has no weights for trainable");
  EXPECT_EQ(refusal("- {type: conv2d, filters: 2, kernel: 1, lr_scale: 0}\n", in),
            "layers.0 (conv2d \"conv2d\"): lr_scale is 0, must be > 0; trainable: false keeps "
            "weights as they are");
  EXPECT_EQ(refusal("- {type: flatten}\n- {type: dense, units: 1, init: dirac}\n", in),
            "layers.1 (dense \"dense\"): init: dirac is for conv2d");
  EXPECT_EQ(
      refusal("- {type: max_pool2d}\n- {type: conv2d, filters: 2, kernel: 1, init: whiten}\n", in),
      "layers.1 (conv2d \"conv2d\"): init: whiten is for a layer that reads an input of the "
      "network");
}

}  // namespace
}  // namespace ingot::models::image_nodes_test
