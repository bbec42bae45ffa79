// SPDX-License-Identifier: Apache-2.0
#include "tune/ranking.h"

#include <gtest/gtest.h>

namespace ingot::tune::ranking_test {
namespace {

using Places = std::vector<size_t>;

TEST(TuneRanking, TheSmallestErrorOrTheLargestShareIsTheBest) {
  const std::vector<Axis> axes = {{"train.lr", {"a", "b", "c"}}};
  const std::vector<Trial> trials = {{{"a"}, 0.5}, {{"b"}, 0.7}, {{"c"}, 0.6}};
  const std::vector<Rank> errors = rank_trials(axes, trials, is_higher_better("log_loss"));
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].trials, Places{0});
  EXPECT_EQ(errors[1].trials, Places{2});
  EXPECT_EQ(errors[2].trials, Places{1});
  const std::vector<Rank> shares = rank_trials(axes, trials, is_higher_better("accuracy"));
  EXPECT_EQ(shares[0].trials, Places{1});
  EXPECT_EQ(shares[2].trials, Places{0});
  EXPECT_EQ(shares[0].deviation, 0.0);
}

TEST(TuneRanking, SeedsAreAveragedAndALuckyOneDoesNotDecide) {
  const std::vector<Axis> axes = {{"seed", {"1", "2"}}, {"train.lr", {"a", "b"}}};
  const std::vector<Trial> trials = {
      {{"1", "a"}, 0.1}, {{"1", "b"}, 0.4}, {{"2", "a"}, 0.9}, {{"2", "b"}, 0.2}};
  const std::vector<Rank> ranks = rank_trials(axes, trials, false);
  ASSERT_EQ(ranks.size(), 2U);
  EXPECT_EQ(ranks[0].trials, (Places{1, 3}));
  EXPECT_DOUBLE_EQ(ranks[0].mean, 0.3);
  EXPECT_NEAR(ranks[0].deviation, 0.1 * std::sqrt(2.0), 1e-15);  // (0.1² + 0.1²) / (2 - 1)
  EXPECT_DOUBLE_EQ(ranks[1].mean, 0.5);
}

TEST(TuneRanking, EqualScoresStayInOrderAndFailuresComeLast) {
  const std::vector<Axis> axes = {{"train.lr", {"a", "b", "c", "d"}}, {"seed", {"1", "2"}}};
  const std::vector<Trial> trials = {
      {{"a", "1"}}, {{"a", "2"}, 0.0}, {{"b", "1"}, 1.0}, {{"c", "1"}, 1.0}, {{"d", "1"}}};
  const std::vector<Rank> ranks = rank_trials(axes, trials, false);
  ASSERT_EQ(ranks.size(), 4U);
  EXPECT_EQ(ranks[0].trials, Places{2});
  EXPECT_EQ(ranks[1].trials, Places{3});
  EXPECT_EQ(ranks[2].trials, (Places{0, 1}));
  EXPECT_TRUE(ranks[2].has_failed());
  EXPECT_EQ(ranks[3].trials, Places{4});
}

TEST(TuneRanking, LossesAndErrorsAreSmallWhereTheyAreGood) {
  for (const char* name :
       {"loss", "log_loss", "brier", "calibration_error", "mse", "rmse", "mae"}) {
    EXPECT_FALSE(is_higher_better(name)) << name;
  }
  for (const char* name : {"accuracy", "top_5", "recall_macro", "f1_micro", "roc_auc", "r2"}) {
    EXPECT_TRUE(is_higher_better(name)) << name;
  }
}

}  // namespace
}  // namespace ingot::tune::ranking_test
