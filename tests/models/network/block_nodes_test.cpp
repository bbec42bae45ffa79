// SPDX-License-Identifier: Apache-2.0
// Layers that hold layers: names of their weights, what a shortcut adds, what the table of layers
// says, and messages that name the outer and the inner layer.
#include <gtest/gtest.h>

#include "base/team.h"
#include "models/network/layer_lists.h"
#include "nn/parameter_store.h"

namespace ingot::models::block_nodes_test {
namespace {

using testing::layers_of;
using testing::picture;
using testing::refusal;

std::vector<std::string> names_of(Network& network) {
  std::vector<std::string> names;
  for (const nn::NamedParameter& p : nn::parameters(network)) names.push_back(p.name);
  return names;
}

class BlockNodes : public ::testing::Test {
 protected:
  std::vector<float> run(const std::string& yaml, const Tensor& x, const Shape& example) {
    Network network(layers_of(yaml), {{"x", example, DType::kF32, 0, -1}});
    const nn::ParameterStore store(engine_, network);
    return network.forward({&x, 1}, false).to_vector<float>();
  }
  Team team_{2};
  Engine engine_{team_};
};

/// f(x) = (4, 5, 6) and x = (1, 2, 3) give (5, 7, 9).
TEST_F(BlockNodes, ResidualAddsItsInput) {
  Network network(layers_of("- {type: residual, layers: [{type: dense, units: 3}]}\n"),
                  {{"x", {3}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(engine_, network);
  for (const nn::StoredParameter& p : store.list()) {
    float* value = p.parameter->value.data<float>();
    std::fill_n(value, p.parameter->shape.size(), 0.0F);
    if (p.name == "residual.dense.bias") value[0] = 4, value[1] = 5, value[2] = 6;
  }
  const float rows[] = {1, 2, 3};
  const Tensor x = Tensor::from<float>(engine_, rows, {1, 3});
  EXPECT_EQ(network.forward({&x, 1}, false).to_vector<float>(), (std::vector<float>{5, 7, 9}));
}

TEST_F(BlockNodes, ActivationComesAfterTheSum) {
  const float rows[] = {-3, 2};
  const Tensor x = Tensor::from<float>(engine_, rows, {1, 2});
  EXPECT_EQ(
      run("- {type: residual, activation: relu, layers: [{type: scale, factor: 0.5}]}\n", x, {2}),
      (std::vector<float>{0, 3}));
}

TEST_F(BlockNodes, RepeatGivesEachItsOwnWeights) {
  Network network(layers_of("- {type: block, name: b, repeat: 2, layers: [{type: dense, units: 4},"
                            " {type: dense, name: out, units: 4, bias: false}]}\n"
                            "- {type: block, layers: [{type: dense, units: 1}]}\n"),
                  {{"x", {4}, DType::kF32, 0, -1}});
  EXPECT_EQ(names_of(network),
            (std::vector<std::string>{"b.0.dense.weight", "b.0.dense.bias", "b.0.out.weight",
                                      "b.1.dense.weight", "b.1.dense.bias", "b.1.out.weight",
                                      "block.dense.weight", "block.dense.bias"}));
}

TEST_F(BlockNodes, BranchesInsideReadTheInputByName) {
  const float rows[] = {1, 2};
  const Tensor x = Tensor::from<float>(engine_, rows, {1, 2});
  EXPECT_EQ(run("- type: block\n  layers:\n    - {type: scale, name: two, factor: 2}\n"
                "    - {type: scale, name: three, factor: 3, inputs: input}\n"
                "    - {type: concatenate, inputs: [two, three, input]}\n",
                x, {2}),
            (std::vector<float>{2, 4, 3, 6, 1, 2}));
}

TEST_F(BlockNodes, PaddedShortcutTakesEverySecondPixelAndAddsZeroChannels) {
  const float pixels[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 7, 70, 8, 80, 9, 90};
  const Tensor x = Tensor::from<float>(engine_, pixels, {1, 3, 3, 2});
  const std::vector<float> y =
      run("- type: residual\n  shortcut: pad\n  layers:\n"
          "    - {type: conv2d, filters: 4, kernel: 1, stride: 2, bias: false, init: zeros}\n",
          x, {3, 3, 2});
  EXPECT_EQ(y, (std::vector<float>{0, 1, 10, 0, 0, 3, 30, 0, 0, 7, 70, 0, 0, 9, 90, 0}));
}

constexpr const char* kResnet18 = R"(
- {type: conv2d, filters: 64, kernel: 3, padding: 1, bias: false}
- {type: batch_norm, activation: relu}
- {type: residual, name: stage1, repeat: 2, activation: relu, layers: [
    {type: conv2d, filters: 64, kernel: 3, padding: 1, bias: false}, {type: batch_norm, activation: relu},
    {type: conv2d, filters: 64, kernel: 3, padding: 1, bias: false}, {type: batch_norm}]}
- {type: residual, name: stage2, activation: relu, layers: [
    {type: conv2d, filters: 128, kernel: 3, stride: 2, padding: 1, bias: false}, {type: batch_norm, activation: relu},
    {type: conv2d, filters: 128, kernel: 3, padding: 1, bias: false}, {type: batch_norm}]}
- {type: residual, name: stage2b, activation: relu, layers: [
    {type: conv2d, filters: 128, kernel: 3, padding: 1, bias: false}, {type: batch_norm, activation: relu},
    {type: conv2d, filters: 128, kernel: 3, padding: 1, bias: false}, {type: batch_norm}]}
- {type: global_average_pool}
- {type: dense, units: 10}
)";

TEST_F(BlockNodes, AutoShortcutProjectsWhereShapesDiffer) {
  Network network(layers_of(kResnet18), {picture(32, 32, 3)});
  // Without the running values: 3 x 3 kernels, two numbers per batch norm channel, the projection.
  int64_t trained = 0;
  for (const nn::NamedParameter& p : nn::parameters(network)) {
    trained += p.parameter->trainable ? p.parameter->shape.size() : 0;
  }
  EXPECT_EQ(trained, 27 * 64 + 128 + 4 * (9 * 64 * 64 + 128) + 9 * 64 * 128 + 256 +
                         3 * (9 * 128 * 128 + 256) + 64 * 128 + 256 + 128 * 10 + 10);
  const std::vector<std::string> names = names_of(network);
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  EXPECT_TRUE(has("stage1.0.conv2d.weight"));
  EXPECT_TRUE(has("stage1.1.batch_norm_1.running_var"));
  EXPECT_TRUE(has("stage2.shortcut.conv2d.weight"));
  EXPECT_FALSE(has("stage2b.shortcut.conv2d.weight"));
}

TEST_F(BlockNodes, TheTableListsWhatIsInsideAndCountsItOnce) {
  Network network(layers_of(kResnet18), {picture(32, 32, 3)});
  int64_t parameters = 0, flops = 0;
  std::vector<std::string> names;
  for (const LayerLine& line : network.lines()) {
    parameters += line.parameters;
    flops += line.flops;
    names.push_back(line.name);
    EXPECT_TRUE(line.type != "residual" || line.parameters == 0);
  }
  EXPECT_EQ(parameters, nn::parameter_count(network));
  EXPECT_EQ(flops, network.flops());
  EXPECT_EQ(names[3], "stage1");
  EXPECT_EQ(names[4], "stage1.0.conv2d");
  EXPECT_EQ(names[8], "stage1.1.conv2d");
  EXPECT_EQ(network.flops(), 2 * (1024 * 27 * 64 + 1024 * 4 * 9 * 64 * 64 + 256 * 9 * 64 * 128 +
                                  256 * 3 * 9 * 128 * 128 + 256 * 64 * 128 + 1280));
}

TEST_F(BlockNodes, FreezingABlockFreezesWhatIsInside) {
  Network network(layers_of("- {type: block, trainable: false, layers: [{type: dense, units: 2}]}\n"
                            "- {type: dense, units: 1}\n"),
                  {{"x", {3}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(engine_, network);
  EXPECT_EQ(store.list()[0].name, "dense.weight");
  EXPECT_EQ(store.list()[2].name, "block.dense.weight");
  EXPECT_LT(store.trained_size(), store.size());
}

TEST(BlockNodeErrors, NameTheOuterAndTheInnerLayer) {
  const Value in = picture(8, 8, 4);
  EXPECT_EQ(
      refusal("- {type: flatten}\n- {type: residual, name: r, layers: [{type: conv2d, filters:"
              " 2, kernel: 3}]}\n",
              in),
      "layers.1 (residual \"r\"): layers.0 (conv2d \"conv2d\"): needs a picture [height, "
      "width, channels], its input \"input\" [256] does not fit. A reshape layer gives it other "
      "axes");
  EXPECT_EQ(refusal("- {type: residual, shortcut: identity, layers: [{type: conv2d, filters: 2, "
                    "kernel: 1}]}\n",
                    in),
            "layers.0 (residual \"residual\"): its input \"image\" [8, 8, 4] and its last layer "
            "\"conv2d\" [8, 8, 2] have different shapes. Leave shortcut out, and the input is "
            "brought to the other shape where that can be");
  EXPECT_EQ(
      refusal("- {type: residual, layers: [{type: conv2d, filters: 2, kernel: 3}]}\n", in),
      "layers.0 (residual \"residual\"): its input \"image\" [8, 8, 4] and its last layer "
      "\"conv2d\" [6, 6, 2] cannot be joined by a shortcut: 8 pixels in steps of 2 are not 6. "
      "Give the layers inside padding: same");
  EXPECT_EQ(refusal("- {type: residual, shortcut: pad, layers: [{type: conv2d, filters: 2, kernel: "
                    "1}]}\n",
                    in),
            "layers.0 (residual \"residual\"): its input \"image\" [8, 8, 4] and its last layer "
            "\"conv2d\" [8, 8, 2]: a padded shortcut cannot lose channels; use shortcut: project");
  EXPECT_EQ(refusal("- {type: residual, layers: [{type: flatten}]}\n", in),
            "layers.0 (residual \"residual\"): its input \"image\" [8, 8, 4] and its last layer "
            "\"flatten\" [256] cannot be joined by a projection. Only the last axis may differ");
  EXPECT_EQ(refusal("- {type: block, layers: []}\n", in),
            "layers.0 (block \"block\"): layers: the list is empty. Give at least one, such as "
            "{type: dense, units: 1}");
  // few words, very many layers
  EXPECT_EQ(
      refusal("- {type: block, repeat: 1024, layers: [{type: block, repeat: 1024, layers: "
              "[{type: block, repeat: 1024, layers: [{type: scale, factor: 1}]}]}]}\n",
              in),
      "layers.0 (block \"block\"): layers.0 (block \"block\"): 4100 layers are too many, those "
      "inside blocks counted; 4096 can be");
  EXPECT_EQ(refusal("- {type: block, repeat: 0, layers: [{type: flatten}]}\n", in),
            "layers.0 (block \"block\"): repeat is 0, must be 1 to 1024");
  EXPECT_EQ(
      refusal("- {type: residual, layers: [{type: flatten, name: shortcut}]}\n", in),
      "layers.0 (residual \"residual\"): \"shortcut\" is no name for a layer inside: it has a "
      "meaning of its own");
}

}  // namespace
}  // namespace ingot::models::block_nodes_test
