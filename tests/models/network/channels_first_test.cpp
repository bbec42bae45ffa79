// SPDX-License-Identifier: Apache-2.0
// Weights in channels-first layouts: permutations by hand, and messages. Whole networks of PyTorch
// with their answers are in torch_network_test.cpp.
#include "models/network/channels_first.h"

#include <numeric>

#include <gtest/gtest.h>

#include "base/team.h"
#include "models/network/layer_lists.h"
#include "nn/parameter_store.h"

namespace ingot::models {
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

}  // namespace
}  // namespace ingot::models
