// SPDX-License-Identifier: Apache-2.0
// A saved network comes back with the same bytes, and damaged folders are named.
#include "models/network/network_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/team.h"
#include "models/network/runner.h"
#include "source_dir.h"

namespace ingot::models::network_file_test {
namespace {

using testing::code_of;
using testing::message_of;

class NetworkFileTest : public ::testing::Test {
 protected:
  NetworkFileTest() {
    LayerConfig embedding, pool, last;
    embedding.type = LayerType::kEmbedding;
    embedding.size = 5;
    pool.type = LayerType::kGlobalAveragePool;
    last.units = 2;
    last.activation = ActivationName::kTanh;
    layers_ = {embedding, pool, last};
  }
  static std::vector<float> answers(Engine& engine, Network& network) {
    NetworkRunner runner(engine, network, 1, Link::kNone);
    for (int32_t i = 0; i < 4; ++i) runner.input(0).data<int32_t>()[i] = i * 2;
    const std::span<const float> y = runner.run(1);
    return {y.begin(), y.end()};
  }
  void save() {
    Network network(layers_, {{"text", {4}, DType::kI32, 9, -1}});
    const nn::ParameterStore store(engine_, network);
    save_network(*files_, network, layers_, folder_);
    before_ = answers(engine_, network);
  }
  Team team_{1};
  Engine engine_{team_};
  std::unique_ptr<FileSystem> files_ = real_files();
  std::vector<LayerConfig> layers_;
  testing::TempDir dir_;
  std::string folder_ = dir_.path();
  std::vector<float> before_;
};

TEST_F(NetworkFileTest, ComesBackWithTheSameBytes) {
  save();
  const LoadedNetwork loaded = load_network(engine_, folder_);
  EXPECT_EQ(answers(engine_, *loaded.network), before_);
  EXPECT_EQ(loaded.network->inputs()[0].vocab, 9);
}

TEST_F(NetworkFileTest, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(code_of([&] { (void)load_network(engine_, folder_); }), "not_found");
  save();
  std::string yaml = read_file(join_path(folder_, "network.yaml"));
  yaml.replace(yaml.find("units: 2"), 8, "units: 3");
  write_atomically(*files_, join_path(folder_, "network.yaml"), yaml);
  const std::string text = message_of([&] { (void)load_network(engine_, folder_); });
  EXPECT_NE(text.find("\"dense.weight\" is float32 [2, 5], the layers need float32 [3, 5]"),
            std::string::npos)
      << text;
  std::filesystem::resize_file(join_path(folder_, "model.safetensors"), 20);
  EXPECT_EQ(code_of([&] { (void)load_network(engine_, folder_); }), "corrupt_file");
}

TEST_F(NetworkFileTest, ACutListOfLayersIsADamagedFile) {
  save();
  const std::string path = join_path(folder_, "network.yaml");
  const std::string yaml = read_file(path);
  const size_t needed = yaml.find("units: 2");  // what comes after may be left out of a layer
  ASSERT_NE(needed, std::string::npos);
  for (size_t size = 0; size < yaml.size(); ++size) {
    std::ofstream(path, std::ios::binary) << yaml.substr(0, size);
    const bool is_within_line = size == 0 || yaml[size - 1] != '\n';
    if (!is_within_line && size > needed) continue;
    EXPECT_EQ(code_of([&] { (void)load_network(engine_, folder_); }), "corrupt_file") << size;
    EXPECT_TRUE(message_of([&] { (void)load_network(engine_, folder_); }).starts_with(path + ":"))
        << size;
  }
}

TEST_F(NetworkFileTest, LayersThatCannotBeNameTheFile) {
  save();
  const std::string path = join_path(folder_, "network.yaml");
  const auto message_with = [&](const std::string& from, const std::string& to) {
    std::string yaml = read_file(path);
    yaml.replace(yaml.find(from), from.size(), to);
    write_atomically(*files_, path, yaml);
    return message_of([&] { (void)load_network(engine_, folder_); });
  };
  const std::string lost = message_with("units: 2", "unitz: 2");
  EXPECT_TRUE(lost.starts_with(path + ":")) << lost;
  EXPECT_NE(lost.find("unknown key \"unitz\". Did you mean \"units\"?"), std::string::npos) << lost;
  save();
  const std::string impossible = message_with("type: global_average_pool", "type: max_pool2d");
  EXPECT_TRUE(impossible.starts_with(path + ": layers.1 ")) << impossible;
  save();
  EXPECT_EQ(message_with("vocab: 9", "vocab: -9223372036854775808"),
            path + ": input \"text\" has a vocab of -9223372036854775808");
}

/// What the fuzz target starts from; "bad" in a name says that the list is none.
TEST(NetworkText, SurvivesBeingWrittenAndReadAgain) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(INGOT_SOURCE_DIR "/tests/fuzz/seeds/layers")) {
    const std::string name = entry.path().filename().string();
    const std::string text = read_file(entry.path().string());
    ++count;
    if (name.starts_with("bad")) {
      EXPECT_EQ(code_of([&] { (void)parse_network(text, name); }), "corrupt_file") << name;
      continue;
    }
    const ListedNetwork listed = parse_network(text, name);
    const std::string printed = network_text(*listed.network, listed.layers);
    const ListedNetwork again = parse_network(printed, name);
    EXPECT_EQ(network_text(*again.network, again.layers), printed) << name;
    EXPECT_EQ(again.network->mermaid(), listed.network->mermaid()) << name;
    int64_t parameters = 0, flops = 0;
    for (const LayerLine& line : listed.network->lines()) {
      EXPECT_GE(line.parameters, 0) << name << " " << line.name;
      EXPECT_GE(line.flops, 0) << name << " " << line.name;
      parameters += line.parameters;
      flops += line.flops;
    }
    EXPECT_EQ(parameters, nn::parameter_count(*listed.network)) << name;
    EXPECT_EQ(flops, listed.network->flops()) << name;
  }
  EXPECT_GE(count, 14);
}

}  // namespace
}  // namespace ingot::models::network_file_test
