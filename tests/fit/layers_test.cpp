// SPDX-License-Identifier: Apache-2.0
// From drawn layers to a list as a recipe has it: order, names, branches, and drawings that are
// none.
#include "fit/layers.h"

#include <set>

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::layers_test {
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

TEST(Layers, MakeWayForNamesThatAreGivenFurtherOn) {
  const Flow x = input("table", {3});
  const LayerList list =
      list_layers({x}, dense(1, Activation::kNone, {.name = "dense"})(dense(4)(x)));
  EXPECT_EQ(list.layers[0].name, "dense_1");
  EXPECT_EQ(list.layers[1].name, "dense");
  EXPECT_EQ(list.layers[1].inputs, std::vector<std::string>{"dense_1"});
}

/// The types of a list and of the lists inside.
void add_types(const std::vector<models::LayerConfig>& layers, std::set<models::LayerType>& types) {
  for (const models::LayerConfig& layer : layers) {
    types.insert(layer.type);
    if (layer.layers) add_types(*layer.layers, types);
  }
}

TEST(Layers, EveryLayerOfARecipeCanBeDrawn) {
  const Flow image = input("image", {12, 10, 3}), words = input_ids("words", 6, 100);
  Flow p = conv2d(8, {3}, {.padding = same(), .activation = Activation::kRelu})(image);
  p = batch_norm({.activation = Activation::kRelu})(p);
  p = residual({conv2d(8, {3, 3}, {.padding = pixels(1), .bias = false}), batch_norm()},
               {.activation = Activation::kRelu, .repeat = 2})(p);
  p = average_pool2d({.kernel = {{3}}, .stride = {{1}}, .padding = same()})(max_pool2d()(p));
  p = upsample2d({.factor = 2.0F})(pad2d(pixels(1), {.mode = models::PixelMode::kReflect})(p));
  p = conv2d_transpose(4, {2}, {.stride = {{2}}})(block({scale(0.5F), dropout(0.1F)})(p));
  const Flow a = adaptive_max_pool2d({2, 2})(p), b = adaptive_average_pool2d({2})(p);
  const Flow picture = flatten()(multiply()({add()({a, b}), a}));
  Flow t = position_embedding()(embedding(8)(words));
  t = rms_norm()(layer_norm()(attention(2, {.mask = true, .causal = true})(t)));
  t = lstm(5, {.return_sequences = true, .bidirectional = true})(t);
  t = gru(4, {.return_sequences = true})(t);
  const Flow text = concatenate()({global_average_pool(true)(t), global_max_pool()(t)});
  const Flow both = concatenate()({reshape({16})(picture), activation(Activation::kTanh)(text)});
  const LayerList list = list_layers({image, words}, dense(2)(both));
  const models::Network network(list.layers, list.inputs);
  EXPECT_EQ(network.output().shape, (Shape{2}));
  std::set<models::LayerType> drawn;
  add_types(list.layers, drawn);
  for (const models::LayerRow& row : models::layer_rows()) {
    EXPECT_EQ(drawn.count(row.type), 1U) << enum_name(row.type);
  }
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
}  // namespace ingot::layers_test
