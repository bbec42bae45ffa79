// SPDX-License-Identifier: Apache-2.0
// A network listed layer by layer: what it computes against hand-made sums, what its table says,
// and every message about lists that do not fit together.
#include "models/network/network.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/team.h"
#include "models/network/layer_lists.h"
#include "nn/parameter_store.h"

namespace ingot::models::network_test {
namespace {

using testing::message_of;

LayerConfig layer(LayerType type, const std::string& name = "",
                  std::vector<std::string> inputs = {}) {
  LayerConfig c;
  c.type = type;
  c.name = name;
  c.inputs = std::move(inputs);
  return c;
}
LayerConfig dense(int64_t units, const std::string& name = "",
                  std::vector<std::string> inputs = {}) {
  LayerConfig c = layer(LayerType::kDense, name, std::move(inputs));
  c.units = units;
  return c;
}
Value numbers(const std::string& name, int64_t width) {
  return {name, {width}, DType::kF32, 0, -1};
}
Value ids(const std::string& name, int64_t length, int64_t vocab) {
  return {name, {length}, DType::kI32, vocab, -1};
}

std::string refusal(const std::vector<LayerConfig>& layers, const std::vector<Value>& inputs) {
  return message_of([&] { const Network network(layers, inputs); });
}

class NetworkTest : public ::testing::Test {
 protected:
  Team team_{2};
  Engine engine_{team_};
};

TEST_F(NetworkTest, DenseIsTheSumOfProducts) {
  LayerConfig hidden = dense(2);
  hidden.activation = ActivationName::kRelu;
  Network network({hidden, dense(1)}, {numbers("table", 3)});
  const nn::ParameterStore store(engine_, network);
  const float w[] = {1, 2, 3, -1, 0, 1}, b[] = {0.5F, -10.0F}, v[] = {2, 7}, c[] = {1};
  const auto set = [&](const char* name, std::span<const float> values) {
    for (const nn::StoredParameter& p : store.list()) {
      if (p.name == name) std::copy(values.begin(), values.end(), p.parameter->value.data<float>());
    }
  };
  set("dense.weight", w);
  set("dense.bias", b);
  set("dense_1.weight", v);
  set("dense_1.bias", c);
  const float x[] = {1, 1, 1, 0, 0, 2};
  const Tensor in = Tensor::from<float>(engine_, x, {2, 3});
  const Tensor y = network.forward({&in, 1}, false);
  // relu(6.5), relu(-10) → 2 * 6.5 + 1; relu(6.5), relu(-8) alike
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{14.0F, 14.0F}));
}

TEST_F(NetworkTest, BranchesAreJoined) {
  Network network({dense(4, "left", {"table"}), dense(4, "right", {"table"}),
                   layer(LayerType::kAdd, "sum", {"left", "right"}),
                   layer(LayerType::kConcatenate, "both", {"sum", "table"}), dense(2)},
                  {numbers("table", 3)});
  const nn::ParameterStore store(engine_, network);
  const Tensor in = Tensor::full(engine_, {5, 3}, 1.0F);
  EXPECT_EQ(network.forward({&in, 1}, false).shape(), (Shape{5, 2}));
  const std::vector<LayerLine> lines = network.lines();
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[3].inputs, (std::vector<std::string>{"left", "right"}));
  EXPECT_EQ(lines[4].shape, "[7]");
  EXPECT_EQ(lines[5].parameters, 7 * 2 + 2);
  EXPECT_EQ(lines[5].flops, 2 * 7 * 2);
  EXPECT_NE(network.mermaid().find("n3 --> n4"), std::string::npos);
}

TEST_F(NetworkTest, ItsDiagramKeepsTheQuotesOfNamesInside) {
  const Network network({dense(1, "a<b>")}, {numbers("he said \"x\"", 3)});
  EXPECT_NE(network.mermaid().find("n0([\"he said #quot;x#quot; [3]\"])"), std::string::npos);
  EXPECT_NE(network.mermaid().find("n1[\"a&lt;b&gt;<br/>dense [1]\"]"), std::string::npos);
}

TEST_F(NetworkTest, MaskedPoolLeavesPaddingOut) {
  LayerConfig table = layer(LayerType::kEmbedding);
  table.size = 2;
  LayerConfig pool = layer(LayerType::kGlobalAveragePool);
  const auto mean_of = [&](bool is_masked) {
    pool.mask = is_masked;
    Network network({table, pool}, {ids("text", 4, 3)});
    const nn::ParameterStore store(engine_, network);
    const float rows[] = {100, 200, 1, 2, 3, 6};
    std::copy(std::begin(rows), std::end(rows), store.list()[0].parameter->value.data<float>());
    const int32_t text[] = {0, 0, 1, 2, 0, 0, 0, 0};
    const Tensor in = Tensor::from<int32_t>(engine_, text, {2, 4});
    return network.forward({&in, 1}, false).to_vector<float>();
  };
  EXPECT_EQ(mean_of(true), (std::vector<float>{2, 4, 0, 0}));
  EXPECT_EQ(mean_of(false), (std::vector<float>{51, 102, 100, 200}));
}

TEST_F(NetworkTest, WhatIsJoinedFromOneTextKeepsItsPadding) {
  LayerConfig table = layer(LayerType::kEmbedding, "e");
  table.size = 2;
  LayerConfig pool = layer(LayerType::kGlobalAveragePool);
  pool.mask = true;
  Network network({table, layer(LayerType::kAdd, "twice", {"e", "e"}), pool}, {ids("text", 4, 3)});
  const nn::ParameterStore store(engine_, network);
  const float rows[] = {100, 200, 1, 2, 3, 6};
  std::copy(std::begin(rows), std::end(rows), store.list()[0].parameter->value.data<float>());
  const int32_t text[] = {0, 0, 1, 2, 0, 0, 0, 0};
  const Tensor in = Tensor::from<int32_t>(engine_, text, {2, 4});
  EXPECT_EQ(network.forward({&in, 1}, false).to_vector<float>(), (std::vector<float>{4, 8, 0, 0}));
}

TEST_F(NetworkTest, DropoutActsInTrainingOnly) {
  LayerConfig drop = layer(LayerType::kDropout);
  drop.rate = 0.5F;
  Network network({drop}, {numbers("table", 64)});
  const nn::ParameterStore store(engine_, network);
  const Tensor in = Tensor::full(engine_, {1, 64}, 1.0F);
  EXPECT_EQ(network.forward({&in, 1}, false).to_vector<float>(), std::vector<float>(64, 1.0F));
  int zeros = 0;
  for (const float x : network.forward({&in, 1}, true).to_vector<float>()) zeros += x == 0.0F;
  EXPECT_GT(zeros, 0);
  EXPECT_LT(zeros, 64);
}

TEST_F(NetworkTest, ShapesAreGivenByAllLayers) {
  LayerConfig reshape = layer(LayerType::kReshape);
  reshape.shape = std::vector<int64_t>{-1, 3};
  const Network network({reshape, layer(LayerType::kLayerNorm), layer(LayerType::kFlatten)},
                        {numbers("table", 6)});
  EXPECT_EQ(network.output().shape, (Shape{6}));
}

TEST(NetworkErrors, NameLayersAndShapes) {
  const std::vector<Value> one = {numbers("table", 3)};
  EXPECT_EQ(refusal({}, one),
            "layers: the list is empty. Give at least one, such as {type: dense, units: 1}");
  EXPECT_EQ(refusal({layer(LayerType::kDense)}, one),
            "layers.0 (dense \"dense\"): needs the key \"units\" (dense: outputs; lstm, gru: "
            "size of the state)");
  LayerConfig wrong_key = dense(2);
  wrong_key.rate = 0.5F;
  EXPECT_EQ(
      refusal({wrong_key}, one),
      "layers.0 (dense \"dense\"): takes no key \"rate\". Its keys: units activation bias init "
      "init_scale");
  EXPECT_EQ(refusal({dense(2, "a"), dense(2, "a")}, one),
            "layers.1 (dense \"a\"): the name is taken by layers.0. Give it another");
  EXPECT_EQ(refusal({dense(2, "table")}, one),
            "layers.0 (dense \"table\"): the name is taken by an input. Give it another");
  EXPECT_EQ(refusal({dense(2, "first"), dense(2, "", {"frist"})}, one),
            "layers.1 (dense \"dense\"): \"frist\" is no input and no earlier layer. Did you mean "
            "\"first\"? Known: table, first");
  EXPECT_EQ(refusal({dense(2, "a", {"b"})}, one),
            "layers.0 (dense \"a\"): \"b\" is no input and no earlier layer. Known: table");
  EXPECT_EQ(refusal({dense(2, "a", {"b"}), dense(2, "b", {"a"})}, one),
            "layers.0 (dense \"a\"): \"b\" is layers.1, which does not stand before it. A layer "
            "reads what stands before it in the list: there are no loops");
  EXPECT_EQ(refusal({dense(2, "a", {"a"})}, one),
            "layers.0 (dense \"a\"): \"a\" is layers.0, which does not stand before it. A layer "
            "reads what stands before it in the list: there are no loops");
  EXPECT_EQ(refusal({dense(2)}, {numbers("table", 3), numbers("more", 3)}),
            "layers.0 (dense \"dense\"): the data has 2 inputs; say which with inputs: [table]");
  EXPECT_EQ(
      refusal({dense(2, "", {"table"})}, {numbers("table", 3), numbers("more", 4)}),
      "layers: no layer reads the input \"more\" [4]. Name it in a layer's inputs, or leave it "
      "out");
  EXPECT_EQ(
      refusal({dense(2, "a"), dense(3, "b", {"table"}), layer(LayerType::kAdd, "sum", {"a", "b"})},
              one),
      "layers.2 (add \"sum\"): inputs \"a\" [2] and \"b\" [3] have different shapes. A dense layer "
      "gives them one width; concatenate takes different ones");
  EXPECT_EQ(refusal({dense(2)}, {ids("text", 5, 10)}),
            "layers.0 (dense \"dense\"): needs numbers, its input \"text\" holds token ids. Put an "
            "embedding between them");
  LayerConfig table = layer(LayerType::kEmbedding);
  table.size = 4;
  EXPECT_EQ(refusal({table}, one),
            "layers.0 (embedding \"embedding\"): needs token ids, its input \"table\" [3] holds "
            "numbers. Leave the layer out: numbers need none, or name a feature of text in its "
            "inputs");
  table.vocab = 5;
  EXPECT_EQ(refusal({table}, {ids("text", 5, 10)}),
            "layers.0 (embedding \"embedding\"): vocab is 5, but the ids of \"text\" are below 10. "
            "Leave vocab out");
  LayerConfig reshape = layer(LayerType::kReshape);
  reshape.shape = std::vector<int64_t>{2, 2};
  EXPECT_EQ(refusal({reshape}, one),
            "layers.0 (reshape \"reshape\"): cannot give 3 elements of its input \"table\" [3] the "
            "shape [2, 2]. One axis may be -1, which takes what is left");
  reshape.shape = std::vector<int64_t>{3, 1, 1, 1, 1, 1};
  EXPECT_EQ(refusal({reshape}, one),
            "layers.0 (reshape \"reshape\"): shape has 6 axes, 1 to 5 can be");
}

TEST(NetworkErrors, NameBothShapesThatAreToBeJoined) {
  const Value in = testing::picture(8, 8, 3);
  EXPECT_EQ(testing::refusal(
                "- {type: flatten, name: a}\n- {type: concatenate, inputs: [image, a]}\n", in),
            "layers.1 (concatenate \"concatenate\"): inputs \"image\" [8, 8, 3] and \"a\" [192] "
            "differ in more than the last axis, along which they are joined. Flatten or pool what "
            "has more axes, or reshape it");
}

/// The padding of one text is not that of another: a mask behind both would leave words out.
TEST(NetworkErrors, TwoTextsHaveNoPaddingInCommon) {
  LayerConfig first = layer(LayerType::kEmbedding, "first", {"a"}), second = first;
  first.size = second.size = 2;
  second.name = "second";
  second.inputs = {"b"};
  LayerConfig rows = layer(LayerType::kReshape, "rows", {"numbers"});
  rows.shape = std::vector<int64_t>{4, 2};
  LayerConfig pool = layer(LayerType::kGlobalAveragePool, "pool");
  pool.mask = true;
  const std::vector<Value> texts = {ids("a", 4, 3), ids("b", 4, 3)};
  const std::string expected =
      "layers.3 (global_average_pool \"pool\"): mask=true needs a sequence that comes from token "
      "ids, its input is \"both\" ";
  for (const LayerType type : {LayerType::kAdd, LayerType::kMultiply, LayerType::kConcatenate}) {
    const std::string shape = type == LayerType::kConcatenate ? "[4, 4]" : "[4, 2]";
    const LayerConfig both = layer(type, "both", {"first", "second"});
    EXPECT_EQ(refusal({first, second, both, pool}, texts), expected + shape);
    const LayerConfig mixed = layer(type, "both", {"first", "rows"});
    EXPECT_EQ(refusal({first, rows, mixed, pool}, {ids("a", 4, 3), numbers("numbers", 8)}),
              expected + shape);
    pool.mask = false;
    EXPECT_EQ(refusal({first, second, both, pool}, texts), "no error");
    pool.mask = true;
  }
}

TEST(NetworkErrors, LeaveTheLinesOfTheLayersBefore) {
  const std::vector<LayerConfig> layers = {dense(4, "a"), dense(5, "b", {"table"}),
                                           layer(LayerType::kAdd, "sum", {"a", "b"}), dense(1)};
  const std::vector<LayerLine> lines = Network::lines_before_error(layers, {numbers("table", 3)});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].name, "table");
  EXPECT_EQ(lines[1].shape, "[4]");
  EXPECT_EQ(lines[2].name, "b");
  EXPECT_EQ(lines[2].shape, "[5]");
  EXPECT_EQ(lines[2].parameters, 3 * 5 + 5);
}

TEST(NetworkErrors, AnInputHasAxes) {
  const auto refusal_of = [](const Shape& shape) {
    return refusal({layer(LayerType::kFlatten)}, {{"x", shape, DType::kF32, 0, -1}});
  };
  EXPECT_EQ(refusal_of({2, 0}),
            "layers: the input \"x\" has the shape [2, 0]; at most 5 axes of 1 or more can be");
  EXPECT_EQ(refusal_of({1, 2, 3, 4, 5, 6}),
            "layers: the input \"x\" has the shape [1, 2, 3, 4, 5, 6]; at most 5 axes of 1 or more "
            "can be");
  EXPECT_EQ(
      refusal_of({int64_t{1} << 40, int64_t{1} << 40}),
      "layers: the input \"x\": 1099511627776 x 1099511627776 is beyond 2^48; make it smaller");
}

TEST(NetworkErrors, TooManyLayersAreRefused) {
  LayerConfig same = layer(LayerType::kScale), many = layer(LayerType::kBlock);
  same.factor = 1.0F;
  many.layers = std::vector<LayerConfig>{same};
  many.repeat = 1024;
  EXPECT_EQ(refusal({many, many, many}, {numbers("table", 3)}), "no error");
  EXPECT_EQ(refusal({many, many, many, many}, {numbers("table", 3)}),
            "layers.3 (block \"block_3\"): 4100 layers are too many, those inside blocks counted; "
            "4096 can be");
}

/// Products of sizes from a recipe or a network.yaml stay far from the end of 64 bits.
TEST(NetworkSizes, ThatNoMemoryHoldsAreRefused) {
  const Value table{"table", {3}, DType::kF32, 0, -1};
  const Value words{"words", {4}, DType::kI32, 9, -1};
  EXPECT_EQ(testing::refusal(
                "- {type: dense, units: 4611686018427387904}\n- {type: dense, units: 1}\n", table),
            "layers.0 (dense \"dense\"): units is 4611686018427387904, must be 1 to 2147483647");
  EXPECT_EQ(
      testing::refusal("- {type: dense, units: 2147483647}\n- {type: dense, units: 2147483647}\n",
                       table),
      "layers.1 (dense \"dense_1\"): 2147483647 x 2147483647 is beyond 2^48; make it smaller");
  for (const char* yaml :
       {"- {type: embedding, vocab: 2147483647, size: 2147483647}\n",
        "- {type: embedding, size: 8}\n- {type: lstm, units: 2147483647}\n",
        "- {type: embedding, size: 8388608}\n- {type: attention, heads: 32768}\n"}) {
    EXPECT_NE(testing::refusal(yaml, words).find("beyond 2^48"), std::string::npos) << yaml;
  }
  for (const char* yaml :
       {"- {type: conv2d, filters: 2147483647, kernel: 65536, padding: same}\n",
        "- {type: conv2d_transpose, filters: 2147483647, kernel: 1, stride: 65536}\n",
        "- {type: reshape, shape: [9223372036854775807, 3]}\n"}) {
    EXPECT_NE(testing::refusal(yaml, testing::picture(8, 8, 3)), "") << yaml;
  }
}

}  // namespace
}  // namespace ingot::models::network_test
