// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <cmath>

#include "base/config_types.h"
#include "base/message_of.h"

namespace ingot::config_test {
namespace {

using config_cases::Recipe;
using config_cases::Schedule;
using testing::code_of;
using testing::message_of;

std::string bind_error(std::string_view text) {
  Recipe recipe;
  const std::string message = message_of([&] { bind_text(text, "recipe.yaml", recipe); });
  EXPECT_EQ(recipe, Recipe{}) << "a failed bind must not change the config";
  return message;
}

std::string override_error(std::string_view assignment) {
  Recipe recipe;
  recipe.groups.resize(2);
  const Recipe before = recipe;
  const std::string message = message_of([&] { apply_override(assignment, recipe); });
  EXPECT_EQ(recipe, before) << "a failed override must not change the config";
  return message;
}

TEST(ConfigBind, SetsEveryFieldType) {
  Recipe recipe;
  bind_text(R"(
name: news
train:
  replay: false
  steps: 5
  tokens: 2e7
  seed: 18446744073709551615
  lr: 1e-3
  schedule: constant
  cap: 8GB
  every: 90s
groups:
  - match: "norm"
    adam: {weight_decay: 0}
    widths: [1, 2_000, -3]
  - match: rest
paths: [x, 'y z']
grid: [[1, 2], []]
phases: [cosine, "off"]
clip: 1
note: 3
second:
  learning_rate: 0.5
)",
            "recipe.yaml", recipe);
  EXPECT_EQ(recipe.name, "news");
  EXPECT_FALSE(recipe.train.replay);
  EXPECT_EQ(recipe.train.steps, 5);
  EXPECT_EQ(recipe.train.tokens, 20'000'000);
  EXPECT_EQ(recipe.train.seed, UINT64_MAX);
  EXPECT_EQ(recipe.train.lr, 1e-3F);
  EXPECT_EQ(recipe.train.schedule, Schedule::kConstant);
  EXPECT_EQ(recipe.train.cap.bytes, 8'000'000'000);
  EXPECT_EQ(recipe.train.every.seconds, 90);
  ASSERT_EQ(recipe.groups.size(), 2U);
  EXPECT_EQ(recipe.groups[0].adam.weight_decay, 0);
  EXPECT_EQ(recipe.groups[0].adam.learning_rate, 3e-4F);  // its default stays
  EXPECT_EQ(recipe.groups[0].widths, (std::vector<int64_t>{1, 2000, -3}));
  EXPECT_EQ(recipe.paths, (std::vector<std::string>{"x", "y z"}));
  EXPECT_EQ(recipe.grid, (std::vector<std::vector<int32_t>>{{1, 2}, {}}));
  EXPECT_EQ(recipe.phases, (std::vector<Schedule>{Schedule::kCosine, Schedule::kOff}));
  EXPECT_EQ(recipe.clip, 1.0);
  EXPECT_EQ(recipe.note, "3");
  EXPECT_EQ(recipe.second->learning_rate, 0.5F);
  bind_text("clip: ~\nsecond: null\n", "recipe.yaml", recipe);
  EXPECT_EQ(recipe.clip, std::nullopt);
  EXPECT_EQ(recipe.second, std::nullopt);
  EXPECT_EQ(recipe.name, "news");  // what is not mentioned stays
}

TEST(ConfigBind, EmptyTextAndEmptySectionsChangeNothing) {
  Recipe recipe;
  bind_text("", "r", recipe);
  bind_text("train:\n", "r", recipe);
  EXPECT_EQ(recipe, Recipe{});
}

TEST(ConfigBind, UnknownKeyNamesTheNearestAndThePlace) {
  EXPECT_EQ(bind_error("name: x\noptimizer:\n  learning_rte: 1\n"),
            "recipe.yaml:3:3: optimizer: unknown key \"learning_rte\". Did you mean "
            "\"learning_rate\"?");
  EXPECT_EQ(bind_error("trian: {}\n"),
            "recipe.yaml:1:1: unknown key \"trian\". Did you mean \"train\"?");
  EXPECT_EQ(bind_error("groups: [{}, {adam: {decay: 1}}]\n"),
            "recipe.yaml:1:22: groups.1.adam: unknown key \"decay\". Did you mean "
            "\"weight_decay\"?");
  EXPECT_EQ(bind_error("groups: [{}, {adam: {rho: 1}}]\n"),
            "recipe.yaml:1:22: groups.1.adam: unknown key \"rho\". Known: learning_rate, "
            "weight_decay.");
}

TEST(ConfigBind, UnknownKeyInTheWrongSectionIsFoundElsewhere) {
  EXPECT_EQ(bind_error("seed: 3\n"),
            "recipe.yaml:1:1: unknown key \"seed\". Did you mean \"train.seed\"?");
  EXPECT_EQ(bind_error("adam: {learning_rate: 3}\n"),
            "recipe.yaml:1:1: unknown key \"adam\". Did you mean \"groups.N.adam\"?")
      << "a section is found as a key is";
  EXPECT_EQ(bind_error("optimizer: {steps: 3}\n"),
            "recipe.yaml:1:13: optimizer: unknown key \"steps\". Did you mean \"train.steps\"?");
  EXPECT_EQ(
      bind_error("optimizer: {match: 3}\n"),
      "recipe.yaml:1:13: optimizer: unknown key \"match\". Known: learning_rate, weight_decay.")
      << "groups.N.match is none of this section's neighbours";
}

TEST(ConfigBind, WrongTypesNamePathAndValue) {
  EXPECT_EQ(bind_error("name: x\n\ntrain:\n  lr:   fast\n"),
            "recipe.yaml:4:9: train.lr: expected a number, got \"fast\"");
  EXPECT_EQ(bind_error("train: {steps: 1.5}"),
            "recipe.yaml:1:16: train.steps: expected a whole number, got \"1.5\"");
  EXPECT_EQ(bind_error("train: {steps: 3000000000}"),
            "recipe.yaml:1:16: train.steps: expected a whole number from -2147483648 to "
            "2147483647, got \"3000000000\"");
  EXPECT_EQ(bind_error("train: {seed: -1}"),
            "recipe.yaml:1:15: train.seed: expected a whole number from 0 to "
            "18446744073709551615, got \"-1\"");
  EXPECT_EQ(bind_error("train: {lr: 1e60}"),
            "recipe.yaml:1:13: train.lr: expected a number that fits in 32 bits, got \"1e60\"");
  EXPECT_EQ(bind_error("train: {lr: \"1\"}"),
            "recipe.yaml:1:13: train.lr: expected a number without quotes, got \"1\"");
  EXPECT_EQ(bind_error("train: {replay: yes}"),
            "recipe.yaml:1:17: train.replay: expected true or false, got \"yes\"");
  EXPECT_EQ(bind_error("train: {schedule: cosin}"),
            "recipe.yaml:1:19: train.schedule: expected one of constant, cosine, off, got "
            "\"cosin\". Did you mean \"cosine\"?");
  EXPECT_EQ(bind_error("train: {cap: 8G}"),
            "recipe.yaml:1:14: train.cap: expected a size such as 512MiB, 8GB or a number of "
            "bytes, got \"8G\"");
  EXPECT_EQ(bind_error("train: {every: 5 weeks}"),
            "recipe.yaml:1:16: train.every: expected a time such as 90s, 5m, 1h30m or a number of "
            "seconds, got \"5 weeks\"");
  EXPECT_EQ(bind_error("train: {lr: }"), "recipe.yaml:1:13: train.lr: expected a number, got null");
  EXPECT_EQ(bind_error("train: {lr: [1]}"),
            "recipe.yaml:1:13: train.lr: expected a number, got a list");
  EXPECT_EQ(bind_error("name: {}"), "recipe.yaml:1:7: name: expected text, got a map");
  EXPECT_EQ(bind_error("train: 3"), "recipe.yaml:1:8: train: expected a map of keys, got \"3\"");
  EXPECT_EQ(bind_error("paths: {a: b}"), "recipe.yaml:1:8: paths: expected a list, got a map");
  EXPECT_EQ(bind_error("grid: 3"), "recipe.yaml:1:7: grid: expected a list, got \"3\"");
  EXPECT_EQ(bind_error("grid: [[1], [2, x]]"),
            "recipe.yaml:1:17: grid.1.1: expected a whole number, got \"x\"");
  EXPECT_EQ(bind_error("train: lr:3"),
            "recipe.yaml:1:8: train: expected a map of keys, got \"lr:3\". A space parts key and "
            "value: \"key: value\"");
  EXPECT_EQ(bind_error("- 1"), "recipe.yaml:1:1: expected a map of keys, got a list");
  EXPECT_EQ(code_of([] {
              Recipe recipe;
              bind_text("- 1", "r", recipe);
            }),
            "invalid_argument");
}

TEST(ConfigBind, TakesASingleValueForAListOfOne) {
  Recipe recipe;
  bind_text("paths: a.txt\nphases: cosine\n", "recipe.yaml", recipe);
  EXPECT_EQ(recipe.paths, (std::vector<std::string>{"a.txt"}));
  EXPECT_EQ(recipe.phases, (std::vector<Schedule>{Schedule::kCosine}));
  EXPECT_EQ(bind_error("phases: cosin"),
            "recipe.yaml:1:9: phases: expected one of constant, cosine, off, got \"cosin\". Did "
            "you mean \"cosine\"?");
}

TEST(ConfigOverride, SetsKeysOfEveryType) {
  Recipe recipe;
  recipe.groups.resize(2);
  apply_override("train.lr=3e-4", recipe);
  apply_override("train.schedule=constant", recipe);
  apply_override("name=a: b # c", recipe);
  apply_override("paths=[x, y]", recipe);
  apply_override("groups.1.match=k=v", recipe);
  apply_override("groups.1.widths=[4]", recipe);
  apply_override("grid=[[1], [2, 3]]", recipe);
  apply_override("grid.1.0=9", recipe);
  apply_override("train.cap=1.5GiB", recipe);
  apply_override("clip=0.5", recipe);
  apply_override("note=", recipe);
  apply_override("second.learning_rate=2", recipe);
  EXPECT_EQ(recipe.train.lr, 3e-4F);
  EXPECT_EQ(recipe.train.schedule, Schedule::kConstant);
  EXPECT_EQ(recipe.name, "a: b # c");
  EXPECT_EQ(recipe.paths, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(recipe.groups[1].match, "k=v");
  EXPECT_EQ(recipe.groups[1].widths, (std::vector<int64_t>{4}));
  EXPECT_EQ(recipe.grid, (std::vector<std::vector<int32_t>>{{1}, {9, 3}}));
  EXPECT_EQ(recipe.train.cap.bytes, int64_t{1536} << 20);
  EXPECT_EQ(recipe.clip, 0.5);
  EXPECT_EQ(recipe.note, "");
  EXPECT_EQ(recipe.second->learning_rate, 2);
  apply_override("clip=null", recipe);
  apply_override("note=null", recipe);
  EXPECT_EQ(recipe.clip, std::nullopt);
  EXPECT_EQ(recipe.note, std::nullopt);
}

TEST(ConfigOverride, ErrorsQuoteTheOverride) {
  EXPECT_EQ(override_error("train.lr=fast"),
            "override \"train.lr=fast\": train.lr: expected a number, got \"fast\"");
  EXPECT_EQ(override_error("optimizer.learning_rte=1"),
            "override \"optimizer.learning_rte=1\": optimizer: unknown key \"learning_rte\". Did "
            "you mean \"learning_rate\"?");
  EXPECT_EQ(override_error("steps=1"),
            "override \"steps=1\": unknown key \"steps\". Did you mean \"train.steps\"?");
  EXPECT_EQ(override_error("train.lr"),
            "override \"train.lr\": expected key=value, such as train.lr=3e-4");
  EXPECT_EQ(override_error("=3"), "override \"=3\": expected key=value, such as train.lr=3e-4");
  EXPECT_EQ(override_error("train.lr.x=1"),
            "override \"train.lr.x=1\": train.lr: is a single value and has no key \"x\"");
  EXPECT_EQ(override_error("groups.2.match=x"),
            "override \"groups.2.match=x\": groups: has 2 elements, numbered from 0; there is no "
            "\"2\"");
  EXPECT_EQ(override_error("groups.-1.match=x"),
            "override \"groups.-1.match=x\": groups: has 2 elements, numbered from 0; there is no "
            "\"-1\"");
  EXPECT_EQ(override_error("train.schedule=fast"),
            "override \"train.schedule=fast\": train.schedule: expected one of constant, cosine, "
            "off, got \"fast\"");
  EXPECT_EQ(override_error("train.lr="),
            "override \"train.lr=\": train.lr: expected a number, got null");
  const std::string broken = override_error("paths=[a");
  EXPECT_EQ(broken,
            "override \"paths=[a\": the bracket is not closed. Put the whole word in quotes: "
            "'paths=[a, ...]'");
}

TEST(ConfigFields, EnumNamesGoBothWays) {
  EXPECT_EQ(enum_name(Schedule::kCosine), "cosine");
  EXPECT_EQ(enum_name(static_cast<Schedule>(99)), "?");
  EXPECT_EQ(parse_enum<Schedule>("off", "train: schedule"), Schedule::kOff);
  EXPECT_EQ(message_of([] { (void)parse_enum<Schedule>("cosin", "train: schedule"); }),
            "train: schedule: expected one of constant, cosine, off, got \"cosin\". Did you mean "
            "\"cosine\"?");
}

}  // namespace
}  // namespace ingot::config_test
