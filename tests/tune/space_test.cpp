// SPDX-License-Identifier: Apache-2.0
#include "tune/space.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/error.h"

namespace ingot::tune::space_test {
namespace {

const std::vector<Axis> kAxes = {{"train.lr", {"0.1", "0.01", "0.001"}},
                                 {"layers.0.units", {"8", "16"}}};

std::string message_of(const std::vector<Axis>& axes, int64_t trials) {
  try {
    (void)draw_points(axes, trials, 1);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

TEST(TuneSpace, TheGridHasEveryCombinationTheLastAxisFastest) {
  const std::vector<Point> expected = {{"0.1", "8"},   {"0.1", "16"},  {"0.01", "8"},
                                       {"0.01", "16"}, {"0.001", "8"}, {"0.001", "16"}};
  EXPECT_EQ(draw_points(kAxes, 0, 1), expected);
  EXPECT_EQ(draw_points(kAxes, 6, 1), expected);
  EXPECT_EQ(draw_points(kAxes, 100, 2), expected);
}

TEST(TuneSpace, ADrawIsPartOfTheGridInItsOrderWithoutRepetition) {
  const std::vector<Point> all = draw_points(kAxes, 0, 1);
  std::set<std::vector<Point>> draws;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<Point> drawn = draw_points(kAxes, 3, seed);
    ASSERT_EQ(drawn.size(), 3U);
    auto from = all.begin();
    for (const Point& point : drawn) {
      from = std::find(from, all.end(), point);
      ASSERT_NE(from, all.end()) << "seed " << seed;
      ++from;
    }
    EXPECT_EQ(draw_points(kAxes, 3, seed), drawn);
    draws.insert(drawn);
  }
  EXPECT_EQ(draws.size(), 20U);  // three of six: each of them comes up in 200 draws
}

TEST(TuneSpace, AGridTooLargeToListCanBeDrawnFrom) {
  std::vector<Axis> axes(7, {"k", {}});
  for (int i = 0; i < 40; ++i) {
    for (Axis& axis : axes) axis.values.push_back(std::to_string(i));
  }
  const std::vector<Point> drawn = draw_points(axes, 50, 3);  // of 1.6e11
  EXPECT_EQ(std::set<Point>(drawn.begin(), drawn.end()).size(), 50U);
  EXPECT_EQ(message_of(axes, 0),
            "tune search: 163,840,000,000 combinations are more than 10,000 trials. "
            "tune.search.trials=20 draws so many at random");
  axes.push_back(axes[0]);
  EXPECT_EQ(message_of(axes, 50),
            "tune search: the values make more than 1,099,511,627,776 combinations. Give fewer");
}

TEST(TuneSpace, EveryCombinationGetsEverySeed) {
  const std::vector<Axis> axes = {
      {"train.lr", {"a", "b", "c"}}, {"seed", {"1", "2"}}, {"x", {"p"}}};
  const std::vector<Point> expected = {{"a", "1", "p"}, {"a", "2", "p"}, {"b", "1", "p"},
                                       {"b", "2", "p"}, {"c", "1", "p"}, {"c", "2", "p"}};
  EXPECT_EQ(draw_points(axes, 0, 1), expected);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<Point> drawn = draw_points(axes, 2, seed);
    ASSERT_EQ(drawn.size(), 4U);
    for (size_t i = 0; i < drawn.size(); i += 2) {
      EXPECT_EQ(drawn[i][0], drawn[i + 1][0]);
      EXPECT_EQ(drawn[i][1] + drawn[i + 1][1], "12");
    }
  }
  EXPECT_EQ(draw_points(std::vector<Axis>{{"seed", {"7", "8"}}}, 1, 1),
            (std::vector<Point>{{"7"}, {"8"}}));
}

TEST(TuneSpace, WhatCannotBeTriedIsTold) {
  EXPECT_EQ(message_of({{"train.lr", {}}}, 0),
            "tune search: train.lr has no values. Give some, such as train.lr=[VALUE, VALUE]");
  EXPECT_EQ(message_of({{"train.lr", {"1", "2", "1"}}}, 0),
            "tune search: train.lr has the value 1 twice. A combination is tried once");
  SearchConfig config;
  config.trials = -1;
  EXPECT_THROW(config.check(), Error);
  config.trials = 20;
  EXPECT_NO_THROW(config.check());
}

TEST(TuneSpace, APointReadsAsTheCommandLineTakesIt) {
  EXPECT_EQ(point_text(kAxes, {"0.01", "8"}), "train.lr=0.01 layers.0.units=8");
}

}  // namespace
}  // namespace ingot::tune::space_test
