// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/config_types.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/message_of.h"

namespace ingot::config_print_test {
namespace {

using config_cases::Group;
using config_cases::Nothing;
using config_cases::Recipe;
using config_cases::Schedule;

Recipe rich() {
  Recipe recipe;
  recipe.name = "a: \"b\"";
  recipe.train.schedule = Schedule::kOff;
  recipe.train.lr = 0.1F;
  recipe.groups = {{.match = "norm", .adam = {.weight_decay = 0}, .widths = {1, 2}}, Group{}};
  recipe.grid = {{1, 2}, {}};
  recipe.phases = {Schedule::kCosine, Schedule::kOff};
  recipe.clip = 1.5;
  recipe.second = config_cases::Optimizer{};
  return recipe;
}

constexpr std::string_view kRichYaml = R"(name: "a: \"b\""
train:
  replay: true
  steps: 100
  tokens: 1000000
  seed: 7
  lr: 0.1
  schedule: "off"
  cap: 512MiB
  every: 5m
optimizer:
  learning_rate: 0.0003
  weight_decay: 0.1
groups:
  - match: norm
    adam:
      learning_rate: 0.0003
      weight_decay: 0
    widths: [1, 2]
  - match: ""
    adam:
      learning_rate: 0.0003
      weight_decay: 0.1
    widths: []
paths: [a.txt, "b c"]
grid: [[1, 2], []]
phases: [cosine, "off"]
clip: 1.5
note: null
second:
  learning_rate: 0.0003
  weight_decay: 0.1
)";

TEST(ConfigYaml, ReadsLikeAWrittenRecipe) { EXPECT_EQ(to_yaml(rich()), kRichYaml); }

TEST(ConfigYaml, BindsBackToAnEqualConfig) {
  for (const Recipe& recipe : {Recipe{}, rich()}) {
    Recipe back;
    back.paths.clear();
    bind_text(to_yaml(recipe), "resolved.yaml", back);
    EXPECT_EQ(back, recipe);
    EXPECT_EQ(to_yaml(back), to_yaml(recipe));
  }
}

TEST(ConfigYaml, EmptyAggregateIsAnEmptyMap) {
  EXPECT_EQ(to_yaml(Nothing{}), "{}\n");
  Nothing nothing;
  bind_text(to_yaml(nothing), "r", nothing);
  EXPECT_EQ(to_json(nothing), "{}");
  EXPECT_EQ(help(nothing), "");
}

TEST(ConfigJson, HoldsEveryKeyInOrder) {
  const std::string text = to_json(rich());
  EXPECT_EQ(
      text,
      R"({"name":"a: \"b\"","train":{"replay":true,"steps":100,"tokens":1000000,"seed":7,"lr":0.1,)"
      R"("schedule":"off","cap":536870912,"every":300},"optimizer":{"learning_rate":0.0003,)"
      R"("weight_decay":0.1},"groups":[{"match":"norm","adam":{"learning_rate":0.0003,)"
      R"("weight_decay":0},"widths":[1,2]},{"match":"","adam":{"learning_rate":0.0003,)"
      R"("weight_decay":0.1},"widths":[]}],"paths":["a.txt","b c"],"grid":[[1,2],[]],)"
      R"("phases":["cosine","off"],"clip":1.5,"note":null,"second":{"learning_rate":0.0003,)"
      R"("weight_decay":0.1}})");
  EXPECT_EQ(parse_json(text, "t").dump(), nlohmann::ordered_json::parse(text).dump());
}

TEST(ConfigKeys, ListsEveryLeafWithItsPath) {
  const Recipe recipe;
  std::vector<std::string> paths;
  for (const KeyInfo& key : list_keys(recipe)) paths.push_back(key.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"name",
                                             "train.replay",
                                             "train.steps",
                                             "train.tokens",
                                             "train.seed",
                                             "train.lr",
                                             "train.schedule",
                                             "train.cap",
                                             "train.every",
                                             "optimizer.learning_rate",
                                             "optimizer.weight_decay",
                                             "groups.N.match",
                                             "groups.N.adam.learning_rate",
                                             "groups.N.adam.weight_decay",
                                             "groups.N.widths",
                                             "paths",
                                             "grid",
                                             "phases",
                                             "clip",
                                             "note",
                                             "second.learning_rate",
                                             "second.weight_decay"}));
  EXPECT_TRUE(recipe.groups.empty()) << "listing must not change the config";
  EXPECT_FALSE(recipe.second.has_value());
}

TEST(ConfigKeys, CarryTypeDefaultAndHelp) {
  const std::vector<KeyInfo> keys = list_keys(Recipe{});
  const KeyInfo& schedule = keys[6];
  EXPECT_EQ(schedule.type, "one of constant, cosine, off");
  EXPECT_EQ(schedule.default_value, "cosine");
  EXPECT_EQ(schedule.help, "shape of the step size");
  EXPECT_EQ(keys[7].default_value, "512MiB");
  EXPECT_EQ(keys[18].type, "float or null");
  EXPECT_EQ(keys[18].default_value, "null");
}

TEST(ConfigKeys, OfAMapInsideItsOwnKindAreListedOnce) {
  std::vector<std::string> paths;
  for (const KeyInfo& key : list_keys(config_cases::Tree{})) paths.push_back(key.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"leaves", "height", "branches"}));
}

TEST(ConfigYaml, LeavesOutWhatIsNotSetInTheMapsOfAList) {
  config_cases::Tree tree;
  bind_text("branches: [{leaves: 2, branches: [{leaves: 3, height: 0.5}]}]", "tree.yaml", tree);
  const std::string text = to_yaml(tree);
  EXPECT_EQ(text,
            "leaves: 1\n"
            "height: null\n"
            "branches:\n"
            "  - leaves: 2\n"
            "    branches:\n"
            "      - leaves: 3\n"
            "        height: 0.5\n");
  config_cases::Tree again;
  bind_text(text, "tree.yaml", again);
  EXPECT_EQ(to_yaml(again), text);
}

TEST(ConfigHelp, HasOneAlignedLinePerKey) {
  EXPECT_EQ(help(config_cases::Train{}),
            "replay    bool                      true     replay recorded steps\n"
            "steps     int                       100      optimiser steps\n"
            "tokens    int                       1000000  tokens to see\n"
            "seed      int >= 0                  7        random seed\n"
            "lr        float                     0.0003   step size, > 0\n"
            "schedule  one of constant, cosine, off  cosine   shape of the step size\n"
            "cap       size                      512MiB   memory cap\n"
            "every     time                      5m       time between checkpoints\n");
}

TEST(ConfigHash, FollowsTheResolvedYaml) {
  Recipe recipe = rich();
  EXPECT_EQ(config_hash(recipe), sha256_hex(kRichYaml).substr(0, 16));
  const std::string before = config_hash(recipe);
  recipe.train.steps = 101;
  EXPECT_NE(config_hash(recipe), before);
}

}  // namespace
}  // namespace ingot::config_print_test
