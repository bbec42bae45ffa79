// SPDX-License-Identifier: Apache-2.0
// Weights in channels-first layouts: permutations by hand, and messages. Whole networks of PyTorch
// with their answers are in torch_network_test.cpp.
#include "models/network/channels_first.h"

#include <numeric>

#include <gtest/gtest.h>

#include "base/team.h"
#include "models/network/layer_lists.h"
#include "nn/parameter_store.h"

namespace ingot::models::channels_first_test {
namespace {

using testing::layers_of;
using testing::message_of;
using testing::picture;

std::vector<float> counting(size_t n) {
  std::vector<float> v(n);
  std::iota(v.begin(), v.end(), 0.0F);
  return v;
}

class ChannelsFirst : public ::testing::Test {
 protected:
  ChannelsFirst()
      : network_(layers_of("- {type: conv2d, filters: 2, kernel: [1, 2], bias: false}\n"
                           "- {type: activation, activation: relu}\n- {type: flatten}\n"
                           "- {type: dropout, rate: 0.5}\n- {type: dense, units: 1}\n"),
                 {picture(2, 3, 3)}),
        store_(engine_, network_) {}
  std::vector<float> values(const char* name) {
    for (const nn::StoredParameter& p : store_.list()) {
      if (p.name == name) return p.parameter->value.to_vector<float>();
    }
    return {};
  }
  Team team_{1};
  Engine engine_{team_};
  Network network_;
  nn::ParameterStore store_;
};

TEST_F(ChannelsFirst, WeightsArePermuted) {
  const std::vector<float> conv = counting(12), dense = counting(8), bias = {0.5F};
  const ForeignTensor tensors[] = {
      {"0.weight", {2, 3, 1, 2}, conv}, {"4.weight", {1, 8}, dense}, {"4.bias", {1}, bias}};
  load_channels_first(tensors, network_, "file");
  EXPECT_EQ(values("conv2d.weight"), (std::vector<float>{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}));
  // The convolution leaves [2, 2, 2]: pixels 0..3 of channel 0, then of channel 1.
  EXPECT_EQ(values("dense.weight"), (std::vector<float>{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(values("dense.bias"), (std::vector<float>{0.5F}));
}

TEST_F(ChannelsFirst, MessagesNameBothTensors) {
  const std::vector<float> conv = counting(12), dense = counting(8), bias = {0.5F};
  const std::vector<ForeignTensor> good = {
      {"0.weight", {2, 3, 1, 2}, conv}, {"4.weight", {1, 8}, dense}, {"4.bias", {1}, bias}};
  const auto refusal = [&](std::vector<ForeignTensor> tensors) {
    return message_of([&] { load_channels_first(tensors, network_, "a.pt"); });
  };
  EXPECT_EQ(
      refusal({{"0.weight", {2, 1, 2, 3}, conv}, good[1], good[2]}),
      "a.pt: \"0.weight\" is [2, 1, 2, 3], the network's \"conv2d.weight\" needs [2, 3, 1, 2]");
  EXPECT_EQ(refusal({good[0], good[1]}),
            "a.pt: holds 2 tensors, the network has 3; the first that is left over is "
            "\"dense.bias\"");
  EXPECT_EQ(refusal({good[0], good[1], good[2], good[2]}),
            "a.pt: holds 4 tensors, the network has 3; the first that is left over is \"4.bias\"");
}

/// A network of its own with what a file gave it.
struct Imported {
  Imported(const std::string& yaml, const std::vector<Value>& inputs)
      : network(layers_of(yaml), inputs), store(engine, network) {}
  std::vector<float> operator[](const std::string& name) {
    for (const nn::StoredParameter& p : store.list()) {
      if (p.name == name) return p.parameter->value.to_vector<float>();
    }
    return {};
  }
  Team team{1};
  Engine engine{team};
  Network network;
  nn::ParameterStore store;
};

const std::vector<float> kPermuted = {0, 4, 1, 5, 2, 6, 3, 7};  // of a picture [2, 2, 2]

TEST(ChannelsFirstBlocks, DenseLayersInsideBlocksArePermuted) {
  const std::vector<float> dense = counting(8);
  const ForeignTensor tensors[] = {{"fc.weight", {1, 8}, dense}};
  const char* kLists[][2] = {
      {"head.dense.weight",
       "- type: block\n  name: head\n  layers:\n    - {type: flatten}\n"
       "    - {type: dense, units: 1, bias: false}\n"},
      {"head.0.dense.weight",
       "- type: block\n  name: head\n  repeat: 1\n  layers:\n    - {type: flatten}\n"
       "    - {type: dense, units: 1, bias: false}\n"},
      {"head.dense.weight",
       "- {type: flatten}\n- {type: dropout, rate: 0.5}\n- type: block\n  name: head\n"
       "  layers:\n    - {type: dense, units: 1, bias: false}\n"},
  };
  for (const auto& [name, yaml] : kLists) {
    Imported imported(yaml, {picture(2, 2, 2)});
    load_channels_first(tensors, imported.network, "file");
    EXPECT_EQ(imported[name], kPermuted) << yaml;
  }
}

TEST(ChannelsFirstBlocks, AShortcutBehindFlattenIsPermuted) {
  Imported imported(
      "- {type: flatten}\n- type: residual\n  name: r\n  layers:\n"
      "    - {type: dense, units: 1, bias: false}\n",
      {picture(2, 2, 2)});
  const std::vector<float> dense = counting(8);
  const ForeignTensor tensors[] = {{"fc.weight", {1, 8}, dense}, {"down.weight", {1, 8}, dense}};
  load_channels_first(tensors, imported.network, "file");
  EXPECT_EQ(imported["r.shortcut.dense.weight"], kPermuted);
}

TEST(ChannelsFirstBlocks, NormsBehindFlattenArePermutedAndBiasesOfDenseLayersAreNot) {
  Imported imported(
      "- {type: flatten}\n- {type: batch_norm}\n- {type: layer_norm}\n"
      "- {type: dense, units: 8}\n- {type: layer_norm, name: plain}\n",
      {picture(2, 2, 2)});
  const std::vector<float> eight = counting(8), dense = counting(64);
  std::vector<ForeignTensor> tensors;
  for (const nn::NamedParameter& p : nn::parameters(imported.network)) {
    const bool is_matrix = p.parameter->shape.rank() == 2;
    tensors.push_back({p.name, p.parameter->shape, is_matrix ? dense : eight});
  }
  load_channels_first(tensors, imported.network, "file");
  for (const char* name : {"batch_norm.weight", "batch_norm.running_var", "layer_norm.bias"}) {
    EXPECT_EQ(imported[name], kPermuted) << name;
  }
  EXPECT_EQ(imported["dense.bias"], eight);
  EXPECT_EQ(imported["plain.weight"], eight);
}

TEST(ChannelsFirstBlocks, FlattenedPicturesThatAreJoinedOrReshapedAreRefused) {
  const auto refused = [](const std::string& yaml, const std::vector<Value>& inputs) {
    Imported imported(yaml, inputs);
    return message_of([&] { load_channels_first({}, imported.network, "a.pt"); });
  };
  const Value table{"table", {8}, DType::kF32, 0, -1};
  const std::string flat = "- {type: flatten, inputs: [image]}\n";
  const std::string end = "- {type: dense, units: 1}\n";
  const std::string message =
      "a.pt: the layer \"m\" joins or reshapes a flattened picture, whose numbers stand in another "
      "order in programs with channels before pixels, so that weights behind it cannot be carried "
      "over. Put a dense layer between flatten and it";
  for (const char* type : {"concatenate", "add"}) {
    const std::string join = std::string("- {name: m, inputs: [flatten, table], type: ") + type;
    EXPECT_EQ(refused(flat + join + "}\n" + end, {picture(2, 2, 2), table}), message) << type;
  }
  EXPECT_EQ(
      refused(flat + "- {name: m, type: reshape, shape: [4, 2, 1]}\n- {type: flatten}\n" + end,
              {picture(2, 2, 2)}),
      message);
  EXPECT_EQ(
      refused("- {name: m, type: reshape, shape: [2, 2, 2]}\n- {type: flatten}\n" + end, {table}),
      message);
  EXPECT_EQ(refused("- {type: flatten}\n- type: residual\n  name: m\n  layers:\n"
                    "    - {type: dense, units: 8}\n" +
                        end,
                    {picture(2, 2, 2)}),
            message);
  // The order is the same where there is one pixel, and where the channels stay last.
  for (const char* yaml :
       {"- {type: reshape, shape: [4, 2]}\n- {type: flatten}\n",
        "- {type: flatten}\n- {type: reshape, shape: [2, 2, 2]}\n- {type: flatten}\n"}) {
    EXPECT_NE(refused(yaml + end, {picture(2, 2, 2)}), message) << yaml;
  }
  EXPECT_NE(refused(flat + "- {name: m, inputs: [flatten, table], type: concatenate}\n" + end,
                    {picture(1, 1, 8), table}),
            message);
}

TEST(ChannelsFirstLstm, TwoBiasesBecomeTheirSum) {
  const Value words{"words", {3, 2}, DType::kF32, 0, -1};
  Imported imported("- {type: lstm, units: 1, bidirectional: true}\n- {type: dense, units: 1}\n",
                    {words});
  const std::vector<float> ih = counting(8), hh = counting(4), a = {1, 2, 3, 4},
                           b = {10, 20, 30, 40};
  const std::vector<float> dense = {5, 6}, bias = {7};
  std::vector<ForeignTensor> tensors;
  for (const char* end : {"", "_reverse"}) {
    tensors.push_back({std::string("lstm.weight_ih_l0") + end, {4, 2}, ih});
    tensors.push_back({std::string("lstm.weight_hh_l0") + end, {4, 1}, hh});
    tensors.push_back({std::string("lstm.bias_ih_l0") + end, {4}, a});
    tensors.push_back({std::string("lstm.bias_hh_l0") + end, {4}, b});
  }
  tensors.push_back({"fc.weight", {1, 2}, dense});
  tensors.push_back({"fc.bias", {1}, bias});
  load_channels_first(tensors, imported.network, "a.pt");
  const std::vector<float> sum = {11, 22, 33, 44};
  EXPECT_EQ(imported["lstm.forward.bias_ih"], sum);
  EXPECT_EQ(imported["lstm.backward.bias_ih"], sum);
  EXPECT_EQ(imported["dense.weight"], dense);

  Imported gru("- {type: gru, units: 1}\n", {words});
  const std::vector<float> six = counting(6), three = {1, 2, 3}, more = {4, 5, 6};
  const ForeignTensor of_gru[] = {{"weight_ih_l0", {3, 2}, six},
                                  {"weight_hh_l0", {3, 1}, three},
                                  {"bias_ih_l0", {3}, three},
                                  {"bias_hh_l0", {3}, more}};
  load_channels_first(of_gru, gru.network, "a.pt");
  EXPECT_EQ(gru["gru.bias_ih"], three);
  EXPECT_EQ(gru["gru.bias_hh"], more);
}

TEST_F(ChannelsFirst, WeightsStandBelowANameOnlyWhenThereAreMore) {
  const std::vector<std::string> plain = {"model.weight", "head.weight", "head.bias"};
  EXPECT_EQ(weights_prefix(plain, network_), "");
  const std::vector<std::string> training = {"model.0.weight", "model.4.weight", "model.4.bias",
                                             "optimizer.state.0.exp_avg"};
  EXPECT_EQ(weights_prefix(training, network_), "model.");
}

}  // namespace
}  // namespace ingot::models::channels_first_test
