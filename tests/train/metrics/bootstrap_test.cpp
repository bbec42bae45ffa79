// SPDX-License-Identifier: Apache-2.0
// Weights with the moments and frequencies of Poisson(1), each a function of its position; bounds
// as numpy.percentile gives them; refusals.
#include "train/metrics/bootstrap.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::train::bootstrap_test {
namespace {

using testing::message_of;

TEST(Bootstrap, WeightsArePoissonOfMeanOne) {
  std::vector<uint8_t> weights(400000);
  poisson_weights(1, 0, weights);
  double counts[14] = {};
  for (const uint8_t w : weights) ++counts[w];
  // Frequencies of 400,000 draws: within five standard deviations.
  const auto n = static_cast<double>(weights.size());
  double term = std::exp(-1.0);
  for (int k = 0; k < 6; ++k) {
    EXPECT_NEAR(counts[k] / n, term, 5.0 * std::sqrt(term / n)) << k;
    term /= k + 1;
  }
}

TEST(Bootstrap, AWeightDependsOnSeedReplicateAndPositionOnly) {
  std::vector<uint8_t> whole(100), part(40), replicate(100), seed(100);
  poisson_weights(7, 3, whole);
  poisson_weights(7, 3, part);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin()));
  poisson_weights(7, 4, replicate);
  poisson_weights(8, 3, seed);
  EXPECT_NE(whole, replicate);
  EXPECT_NE(whole, seed);
}

TEST(Bootstrap, ManyValuesGetFewerReplicates) {
  EXPECT_EQ(affordable_replicates(1000, 0, 1), 1000);
  EXPECT_EQ(affordable_replicates(1000, 1'000'000, 1), 1000);
  EXPECT_EQ(affordable_replicates(1000, 100'000, 10), 1000);
  EXPECT_EQ(affordable_replicates(1000, 2'000'000, 1), 500);
  EXPECT_EQ(affordable_replicates(1000, 10'000'000, 10), 100) << "never fewer";
  EXPECT_EQ(affordable_replicates(50, 10'000'000, 10), 50) << "but where fewer are wanted";
  EXPECT_EQ(affordable_replicates(0, 10, 1), 0);
}

TEST(Bootstrap, BoundsArePercentilesWithLinearInterpolation) {
  MetricValue v{"x", 3.0, 0.0, 0.0};
  set_interval(v, {5.0, 1.0, 4.0, NAN, 2.0, 3.0}, 0.9);
  EXPECT_NEAR(v.low, 1.2, 1e-12);   // numpy.percentile([1, 2, 3, 4, 5], 5)
  EXPECT_NEAR(v.high, 4.8, 1e-12);  // numpy.percentile([1, 2, 3, 4, 5], 95)
  set_interval(v, {NAN}, 0.9);
  EXPECT_TRUE(std::isnan(v.low) && std::isnan(v.high));
}

TEST(Bootstrap, RefusalsNameTheUsualValue) {
  EXPECT_EQ(message_of([] {
              check({-1, 0.95, 0});
            }),
            "metrics: -1 bootstrap replicates; 1000 is usual, 0 turns intervals off");
  EXPECT_EQ(message_of([] {
              check({10, 1.0, 0});
            }),
            "metrics: confidence 1 is not in (0, 1); 0.95 is usual");
  const std::vector<MetricValue> values = {{"mse", 0, 0, 0}, {"mae", 0, 0, 0}};
  EXPECT_EQ(message_of([&] { (void)find_metric(values, "r2"); }),
            "metrics: no \"r2\" among mse, mae");
}

}  // namespace
}  // namespace ingot::train::bootstrap_test
