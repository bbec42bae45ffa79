// SPDX-License-Identifier: Apache-2.0
// Lines and columns counted by hand in the recipe below.
#include "cli/recipe_places.h"

#include <gtest/gtest.h>

namespace ingot::cli::recipe_places_test {
namespace {

constexpr const char* kText =
    "threads: -1\n"
    "train:\n"
    "  lr: -1\n"
    "  steps: -5\n"
    "layers:\n"
    "  - {type: dense, units: 0}\n"
    "data: {path: corpus}\n";

std::string located(const std::string& message, std::vector<std::string> overrides = {}) {
  RecipePlaces places;
  places.set("r.yaml", kText, std::move(overrides));
  return places.located(message);
}

TEST(RecipePlaces, TheKeyThatAMessageBeginsWithHasAPlace) {
  EXPECT_EQ(located("train.lr: -1 must be positive"), "r.yaml:3:7: train.lr: -1 must be positive");
  EXPECT_EQ(located("train.lr is -1"), "r.yaml:3:7: train.lr is -1");
  EXPECT_EQ(located("train: steps -5, epochs 0"), "r.yaml:4:10: train: steps -5, epochs 0");
  EXPECT_EQ(located("train: train.lr is -1"), "r.yaml:3:7: train: train.lr is -1");
  EXPECT_EQ(located("data: data.path is \"corpus\""), "r.yaml:7:14: data: data.path is \"corpus\"");
  EXPECT_EQ(located("recipe: train.lr -1"), "r.yaml:3:7: recipe: train.lr -1");
  EXPECT_EQ(located("recipe: threads -1"), "r.yaml:1:10: recipe: threads -1");
  EXPECT_EQ(located("threads: 2000"), "r.yaml:1:10: threads: 2000");
  EXPECT_EQ(located("layers.0.units: 0"), "r.yaml:6:26: layers.0.units: 0");
}

TEST(RecipePlaces, OthersStayAsTheyAre) {
  for (const char* message :
       {"", "data: no usable text", "data: say what to do", "train.momentum: 2", "loader: a.shard",
        "layers.7.units: 0", "r.yaml:3:7: train.lr: expected a number"}) {
    EXPECT_EQ(located(message), message);
  }
  EXPECT_EQ(RecipePlaces().located("train.lr: -1"), "train.lr: -1");
}

TEST(RecipePlaces, WherePathsStartIsSaidOfARecipeInAnotherFolder) {
  const std::string plain = "table: table.path is \"a.csv\", which is not there.";
  const auto said = [&](const char* file, const char* text, std::vector<std::string> overrides) {
    RecipePlaces places;
    places.set(file, text, std::move(overrides));
    return places.with_start_of_paths(plain);
  };
  constexpr const char* kTable = "table: {path: a.csv}\n";
  EXPECT_EQ(said("sub/r.yaml", kTable, {}),
            plain + " Paths start from the current folder, not from \"sub\", where the recipe is.");
  EXPECT_EQ(said("r.yaml", kTable, {}), plain);
  EXPECT_EQ(said("sub/r.yaml", kTable, {"table.path=a.csv"}), plain);
  EXPECT_EQ(said("sub/r.yaml", "table: {path: /a.csv}\n", {}), plain);
  EXPECT_EQ(said("sub/r.yaml", "name: r\n", {}), plain);
  EXPECT_EQ(RecipePlaces().with_start_of_paths(plain), plain);
}

TEST(RecipePlaces, AValueOfTheCommandLineNeedsNone) {
  EXPECT_EQ(located("train.lr: -2", {"train.lr=-2"}), "train.lr: -2");
  EXPECT_EQ(located("train: steps -2", {"train.steps=-2"}), "train: steps -2");
  EXPECT_EQ(located("train: train.lr is -2", {"train.lr=-2"}), "train: train.lr is -2");
  EXPECT_EQ(located("recipe: threads -2", {"threads=-2"}), "recipe: threads -2");
  EXPECT_EQ(located("layers.0.units: 0", {"layers=[]"}), "layers.0.units: 0");
  // Another key that the message speaks of may be the one at fault.
  EXPECT_EQ(located("train.lr: over train.steps 9.", {"train.steps=9"}),
            "train.lr: over train.steps 9.");
  EXPECT_EQ(located("train.lr: -1", {"train.steps=9"}), "r.yaml:3:7: train.lr: -1");
}

}  // namespace
}  // namespace ingot::cli::recipe_places_test
