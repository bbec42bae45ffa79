// SPDX-License-Identifier: Apache-2.0
// Layer lists that somebody might write by mistake: the lists of tests/fuzz/seeds/recipe, which
// hold every type of layer, with layers left out, exchanged, given other values and other inputs.
// Each gives a network of sizes that make sense, whose forward pass has the shapes that were said,
// or a message that names the place. What fuzz_layers tries by chance, key by key and the same
// every time.
#include <cstddef>
#include <functional>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/team.h"
#include "models/network/forward_shape.h"
#include "models/network/layer_lists.h"
#include "source_dir.h"

namespace ingot::models::any_list_test {
namespace {

using testing::LayerList;

constexpr const char* kValues[] = {"0",
                                   "-1",
                                   "1",
                                   "3",
                                   "0.5",
                                   "1e30",
                                   "4294967296",
                                   "2147483647",
                                   "9223372036854775807",
                                   "[0, 0]",
                                   "[-1, 1, -1, 1]",
                                   "[2147483647, 2147483647]",
                                   "true",
                                   "same",
                                   "softmax",
                                   "reflect",
                                   "pad",
                                   "project",
                                   "whiten",
                                   "orthogonal"};

const Value kImage{"image", {8, 8, 3}, DType::kF32, 0, -1};
const Value kText{"text", {12}, DType::kI32, 50, -1};
const Value kTable{"table", {5}, DType::kF32, 0, -1};

struct Start {
  const char* file;
  std::vector<Value> inputs;
};

std::vector<Start> starts() {
  return {{"layers_image.yaml", {kImage}},
          {"layers_words.yaml", {kText}},
          {"layers_branches.yaml", {kImage, kText, kTable}}};
}

std::vector<LayerConfig> layers_of(const Start& start) {
  LayerList list;
  const std::string path = std::string(INGOT_SOURCE_DIR "/tests/fuzz/seeds/recipe/") + start.file;
  bind_text(read_file(path), start.file, list);
  return list.layers;
}

class AnyList : public ::testing::Test {
 protected:
  /// Its sizes make sense, and what comes out has the shape that was said.
  void try_network(Network& network, const std::string& what) {
    EXPECT_GE(network.flops(), 0) << what;
    EXPECT_GE(nn::parameter_count(network), 0) << what;
    EXPECT_FALSE(network.lines().empty()) << what;
    for (int i = 0; i < network.output().shape.rank(); ++i) {
      EXPECT_GE(network.output().shape[i], 1) << what;
    }
    if (!testing::is_recordable(network)) return;
    ++recorded_;
    constexpr int64_t kBatch = 2;
    const std::string refusal = testing::message_of([&] {
      EXPECT_EQ(testing::forward_shape(engine_, network, kBatch),
                testing::batch_shape(kBatch, network.output().shape))
          << what;
    });
    EXPECT_EQ(refusal, "no error") << what;
  }
  void try_list(const std::vector<LayerConfig>& layers, const std::vector<Value>& inputs,
                const std::string& what) {
    std::unique_ptr<Network> network;
    try {
      network = std::make_unique<Network>(layers, inputs);
    } catch (const Error& error) {
      ++refused_;
      EXPECT_NE(error.code(), Code::kInternal) << what << ": " << error.what();
      EXPECT_NE(std::string(error.what()).find("layers"), std::string::npos)
          << what << ": " << error.what();
      return;
    }
    ++made_;
    try_network(*network, what);
  }
  /// The mistakes have to be of both kinds, or nothing is shown.
  void TearDown() override {
    EXPECT_GT(made_, 0);
    EXPECT_GT(refused_, 0);
    EXPECT_GT(recorded_, 0);
  }
  Team team_{1};
  Engine engine_{team_};
  int made_ = 0, refused_ = 0, recorded_ = 0;
};

void add_types(const std::vector<LayerConfig>& layers, std::set<LayerType>& types) {
  for (const LayerConfig& layer : layers) {
    types.insert(layer.type);
    if (layer.layers) add_types(*layer.layers, types);
  }
}

TEST_F(AnyList, TheListsHoldEveryTypeOfLayer) {
  std::set<LayerType> types;
  for (const Start& start : starts()) {
    const std::vector<LayerConfig> layers = layers_of(start);
    add_types(layers, types);
    try_list(layers, start.inputs, start.file);
    EXPECT_EQ(refused_, 0) << start.file;
  }
  for (const LayerRow& row : layer_rows()) {
    EXPECT_TRUE(types.contains(row.type)) << enum_name(row.type);
  }
  try_list({}, {kTable}, "no layers");
}

TEST_F(AnyList, WithALayerLeftOutOrTwoExchanged) {
  for (const Start& start : starts()) {
    const std::vector<LayerConfig> layers = layers_of(start);
    for (size_t i = 0; i < layers.size(); ++i) {
      const std::string what = std::string(start.file) + " " + std::to_string(i);
      std::vector<LayerConfig> without = layers;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      try_list(without, start.inputs, what + " left out");
      for (size_t j = 0; j < i; ++j) {
        std::vector<LayerConfig> exchanged = layers;
        std::swap(exchanged[i], exchanged[j]);
        try_list(exchanged, start.inputs, what + " and " + std::to_string(j));
      }
    }
  }
}

/// Calls take(changed, what) for every key and value that the layer's fields accept.
void each_change(const LayerConfig& layer,
                 const std::function<void(const LayerConfig&, const std::string&)>& take) {
  FieldLister lister;
  LayerConfig scratch;
  scratch.visit(lister);
  for (const Field& field : lister.fields) {
    for (const char* value : kValues) {
      const std::string assignment = std::string(field.name) + "=" + value;
      LayerConfig changed = layer;
      const bool is_taken =
          testing::message_of([&] { apply_override(assignment, changed); }) == "no error";
      if (is_taken) take(changed, assignment);
    }
  }
}

TEST_F(AnyList, WithAnotherValueOfAnyKey) {
  for (const Start& start : starts()) {
    const std::vector<LayerConfig> layers = layers_of(start);
    for (size_t i = 0; i < layers.size(); ++i) {
      const std::string where = std::string(start.file) + " " + std::to_string(i) + " ";
      std::vector<LayerConfig> list = layers;
      each_change(layers[i], [&](const LayerConfig& changed, const std::string& what) {
        list[i] = changed;
        try_list(list, start.inputs, where + what);
      });
    }
  }
}

TEST_F(AnyList, WithOtherInputs) {
  constexpr int64_t kLarge = int64_t{1} << 31;
  const std::vector<Shape> shapes = {
      {1},       {7},        {1, 1},       {3, 4},         {1, 1, 1},
      {2, 3, 1}, {9, 5, 64}, {2, 2, 2, 2}, {kLarge, 1, 1}, {kLarge, 8}};
  for (const Start& start : starts()) {
    const std::vector<LayerConfig> layers = layers_of(start);
    for (size_t i = 0; i < start.inputs.size(); ++i) {
      for (const Shape& shape : shapes) {
        for (const DType dtype : {DType::kF32, DType::kI32}) {
          std::vector<Value> inputs = start.inputs;
          inputs[i].shape = shape;
          inputs[i].dtype = dtype;
          inputs[i].vocab = dtype == DType::kI32 ? 5 : 0;
          try_list(layers, inputs, std::string(start.file) + " " + shape.text());
        }
      }
    }
  }
}

}  // namespace
}  // namespace ingot::models::any_list_test
