// SPDX-License-Identifier: Apache-2.0
// The two areas by hand and against all pairs, with ties and weights; scikit-learn's figures are
// checked through classification_test.cpp.
#include "train/metrics/ranking.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/philox.h"

namespace ingot::train::ranking_test {
namespace {

TEST(ScoreOrder, ByHand) {
  const std::vector<float> scores = {0.9F, 0.8F, 0.7F, 0.6F};
  const std::vector<uint8_t> positive = {1, 0, 1, 0};
  const RankingAreas a = ScoreOrder(scores, positive).areas();
  EXPECT_EQ(a.roc_auc, 0.75);                               // 3 of 4 pairs in order
  EXPECT_EQ(a.average_precision, (1.0 + 2.0 / 3.0) / 2.0);  // precision at each positive
}

TEST(ScoreOrder, EqualScoresAreHalfAPairAndOneThreshold) {
  const std::vector<float> scores = {0.5F, 0.5F, 0.5F, 0.5F};
  const std::vector<uint8_t> positive = {1, 0, 0, 0};
  const RankingAreas a = ScoreOrder(scores, positive).areas();
  EXPECT_EQ(a.roc_auc, 0.5);
  EXPECT_EQ(a.average_precision, 0.25);
}

TEST(ScoreOrder, UndefinedWithoutBothKinds) {
  const std::vector<float> scores = {0.5F, 0.25F};
  const RankingAreas none = ScoreOrder(scores, std::vector<uint8_t>{0, 0}).areas();
  EXPECT_TRUE(std::isnan(none.roc_auc) && std::isnan(none.average_precision));
  const RankingAreas all = ScoreOrder(scores, std::vector<uint8_t>{1, 1}).areas();
  EXPECT_TRUE(std::isnan(all.roc_auc));
  EXPECT_EQ(all.average_precision, 1.0);
}

TEST(ScoreOrder, WeightsAreRepeatedExamplesAndAllPairsAgree) {
  Philox random(11);
  std::vector<float> scores, repeated;
  std::vector<uint8_t> positive, weights, repeated_positive;
  for (int i = 0; i < 200; ++i) {
    scores.push_back(static_cast<float>(random.bounded(20)) / 20.0F);
    positive.push_back(static_cast<uint8_t>(random.bounded(2)));
    weights.push_back(static_cast<uint8_t>(random.bounded(4)));
    for (int k = 0; k < weights.back(); ++k) {
      repeated.push_back(scores.back());
      repeated_positive.push_back(positive.back());
    }
  }
  const RankingAreas weighted = ScoreOrder(scores, positive).areas(weights);
  const RankingAreas plain = ScoreOrder(repeated, repeated_positive).areas();
  EXPECT_EQ(weighted.roc_auc, plain.roc_auc);
  EXPECT_NEAR(weighted.average_precision, plain.average_precision, 1e-15);
  double pairs = 0.0, won = 0.0;
  for (size_t i = 0; i < repeated.size(); ++i) {
    for (size_t j = 0; j < repeated.size(); ++j) {
      if (repeated_positive[i] == 0 || repeated_positive[j] == 1) continue;
      pairs += 1.0;
      won += repeated[i] > repeated[j] ? 1.0 : repeated[i] == repeated[j] ? 0.5 : 0.0;
    }
  }
  EXPECT_NEAR(weighted.roc_auc, won / pairs, 1e-14);
}

TEST(ScoreOrder, ACurveHasAPointPerThreshold) {
  const std::vector<float> scores = {0.9F, 0.8F, 0.8F, 0.3F};
  const std::vector<uint8_t> positive = {1, 0, 1, 0};
  const std::vector<RankingPoint> curve = ScoreOrder(scores, positive).curve(100);
  ASSERT_EQ(curve.size(), 4U);
  const double expected[4][3] = {{0, 0, 1}, {0, 0.5, 1}, {0.5, 1, 2.0 / 3.0}, {1, 1, 0.5}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(curve[i].false_positive_rate, expected[i][0]);
    EXPECT_EQ(curve[i].recall, expected[i][1]);
    EXPECT_EQ(curve[i].precision, expected[i][2]);
  }
  EXPECT_TRUE(ScoreOrder(scores, std::vector<uint8_t>(4, 1)).curve(100).empty());
}

TEST(ScoreOrder, ACurveIsThinned) {
  std::vector<float> scores;
  std::vector<uint8_t> positive;
  for (int i = 0; i < 10'000; ++i) {
    scores.push_back(static_cast<float>(i) / 10'000.0F);
    positive.push_back(static_cast<uint8_t>(i % 2));
  }
  const std::vector<RankingPoint> curve = ScoreOrder(scores, positive).curve(50);
  EXPECT_LE(curve.size(), 102U);
  EXPECT_EQ(curve.back().recall, 1.0);
  EXPECT_EQ(curve.back().false_positive_rate, 1.0);
}

}  // namespace
}  // namespace ingot::train::ranking_test
