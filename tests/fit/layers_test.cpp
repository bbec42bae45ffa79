// SPDX-License-Identifier: Apache-2.0
// From drawn layers to a list as a recipe has it: order, names, branches, and drawings that are
// none.
#include "fit/layers.h"

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot {
namespace {

using testing::message_of;

TEST(Layers, AreListedAfterWhatTheyRead) {
  const Flow x = input("table", {3});
  const Flow a = dense(4, Activation::kRelu)(x);
  const Flow b = dense(4)(x);
  const LayerList list = list_layers({x}, add()({b, a}));
  ASSERT_EQ(list.layers.size(), 3U);
  EXPECT_EQ(list.layers[0].name, "dense");
  EXPECT_EQ(list.layers[1].name, "dense_1");
  EXPECT_EQ(list.layers[2].inputs, (std::vector<std::string>{"dense", "dense_1"}));
  EXPECT_EQ(list.layers[1].activation, Activation::kRelu);
  EXPECT_FALSE(list.layers[0].activation.has_value());
  EXPECT_EQ(list.inputs[0].name, "table");
}

TEST(Layers, AFlowThatIsReadTwiceIsOneLayer) {
  const Flow x = input("table", {3});
  const Flow h = dense(3)(x);
  const LayerList list = list_layers({x}, multiply()({h, h}));
  EXPECT_EQ(list.layers.size(), 2U);
  EXPECT_EQ(list.layers[1].inputs, (std::vector<std::string>{"dense", "dense"}));
}

TEST(Layers, KeepTheNamesTheyWereGiven) {
  const Flow x = input_ids("words", 7, 100);
  Layer table = embedding(5);
  table.config.name = "dense";  // taken before the one without a name
  const LayerList list = list_layers({x}, dense(2)(global_average_pool(true)(table(x))));
  EXPECT_EQ(list.layers[0].name, "dense");
  EXPECT_EQ(list.layers[2].name, "dense_1");
  EXPECT_EQ(list.layers[1].mask, true);
  EXPECT_EQ(list.inputs[0].dtype, DType::kI32);
  EXPECT_EQ(list.inputs[0].vocab, 100);
}

TEST(Layers, EveryLayerOfTheListCanBeMade) {
  const Flow x = input("table", {6});
  Flow flow = reshape({2, 3})(dropout(0.1F)(activation(Activation::kTanh)(x)));
  flow = rms_norm()(layer_norm()(flow));
  const Flow pooled = concatenate()({global_average_pool()(flow), global_max_pool()(flow)});
  const LayerList list = list_layers({x}, concatenate()({pooled, flatten()(flow)}));
  models::Network network(list.layers, list.inputs);
  EXPECT_EQ(network.output().shape, (Shape{12}));
}

TEST(Layers, DrawingsThatAreNoNetworkAreRefused) {
  const Flow x = input("table", {3}), y = input("words", {3});
  EXPECT_EQ(message_of([&] { (void)list_layers({x}, x); }),
            "model: the output is the input \"table\" itself; put a layer between them");
  EXPECT_EQ(message_of([&] {
              (void)list_layers({x}, add()({dense(3)(x), y}));
            }),
            "model: the output depends on the input \"words\", which is not among the inputs");
  EXPECT_EQ(message_of([&] { (void)list_layers({dense(3)(x)}, dense(1)(x)); }),
            "model: a layer (dense) stands among the inputs. Inputs come from input() or "
            "input_ids()");
}

}  // namespace
}  // namespace ingot
