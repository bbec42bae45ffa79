// SPDX-License-Identifier: Apache-2.0
// Single examples: how an answer is judged, which are kept as the worst, which as a sample.
#include "train/findings.h"

#include <cmath>

#include <gtest/gtest.h>

namespace ingot::train::findings_test {
namespace {

constexpr double kFloat = 1e-6;

Finding finding(int64_t example, double loss) {
  Finding f;
  f.example = example;
  f.loss = loss;
  return f;
}

TEST(Judge, TheLossOfAClassIsThatOfItsProbability) {
  Objective o;
  o.classes = 3;
  const std::vector<float> p = {0.2F, 0.7F, 0.1F};
  const Finding f = judge(o, {5, p, 0, 0.0F});
  EXPECT_EQ(f.example, 5);
  EXPECT_EQ(f.predicted, 1.0);
  EXPECT_TRUE(f.is_wrong());
  EXPECT_NEAR(f.probability, 0.7, kFloat);
  EXPECT_NEAR(f.loss, -std::log(0.2), kFloat);
}

TEST(Judge, OneProbabilityIsThatOfTheSecondClass) {
  Objective o;
  o.classes = 2;
  const std::vector<float> p = {0.6F};
  const Finding no = judge(o, {0, p, 0, 0.0F}), yes = judge(o, {0, p, 1, 0.0F});
  EXPECT_TRUE(no.is_wrong());
  EXPECT_FALSE(yes.is_wrong());
  EXPECT_NEAR(no.loss, -std::log(0.4), kFloat);
  EXPECT_NEAR(yes.loss, 0.510826, kFloat);
  const std::vector<float> sure = {1.0F};
  EXPECT_NEAR(judge(o, {0, sure, 0, 0.0F}).loss, 52 * std::log(2.0), kFloat);  // never infinite
}

TEST(Judge, NumbersAreComparedInTheirOwnScale) {
  Objective o;
  o.decode = [](double y) { return 10.0 * y + 1.0; };
  const std::vector<float> answer = {0.5F};
  const Finding f = judge(o, {0, answer, 0, 0.25F});
  EXPECT_EQ(f.predicted, 6.0);
  EXPECT_EQ(f.truth, 3.5);
  EXPECT_EQ(f.loss, 6.25);
}

TEST(WorstFindings, KeepTheLargestLossesAndAskForTheirCellsOnly) {
  WorstFindings worst(3);
  int asked = 0;
  const double losses[] = {1, 5, 2, 5, 0.5, 4};
  for (int64_t i = 0; i < 6; ++i) {
    worst.add(finding(i, losses[i]), [&] {
      ++asked;
      return std::vector<std::string>{std::to_string(i)};
    });
  }
  const std::vector<WorstFindings::Entry> kept = worst.take();
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].finding.example, 1);  // the earlier of two equal ones
  EXPECT_EQ(kept[1].finding.example, 3);
  EXPECT_EQ(kept[2].finding.example, 5);
  EXPECT_EQ(kept[2].cells, std::vector<std::string>{"5"});
  EXPECT_EQ(asked, 5);  // all but 0.5
}

TEST(FindingSample, IsAllWhileItFitsAndAFunctionOfTheNumbers) {
  FindingSample all(10), few(10), same(10);
  for (int64_t i = 0; i < 8; ++i) all.add(finding(i, 0));
  EXPECT_EQ(all.take().size(), 8U);
  for (int64_t i = 0; i < 1000; ++i) few.add(finding(i, 0));
  for (int64_t i = 999; i >= 0; --i) same.add(finding(i, 0));
  const std::vector<Finding> a = few.take(), b = same.take();
  ASSERT_EQ(a.size(), 10U);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(a[i].example, b[i].example);
  EXPECT_LT(a[0].example, a[9].example);
}

}  // namespace
}  // namespace ingot::train::findings_test
