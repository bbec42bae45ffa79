// SPDX-License-Identifier: Apache-2.0
#include "data/transforms/quantiles.h"

#include <gtest/gtest.h>

namespace ingot::data::quantiles_test {
namespace {

TEST(Quantiles, InterpolateBetweenOrderedValues) {
  Quantiles quantiles;
  for (const double x : {40.0, 10.0, 20.0, 30.0}) quantiles.add(x);
  // numpy.quantile([10, 20, 30, 40], q)
  EXPECT_DOUBLE_EQ(quantiles.at(0), 10);
  EXPECT_DOUBLE_EQ(quantiles.at(0.5), 25);
  EXPECT_DOUBLE_EQ(quantiles.at(0.1), 13);
  EXPECT_DOUBLE_EQ(quantiles.at(1), 40);
  quantiles.add(5);
  EXPECT_DOUBLE_EQ(quantiles.at(0), 5) << "values may follow a question";
  EXPECT_EQ(quantiles.count(), 5);
}

TEST(Quantiles, OfOneValueAreThatValue) {
  Quantiles quantiles;
  quantiles.add(-3);
  EXPECT_DOUBLE_EQ(quantiles.at(0.01), -3);
  EXPECT_DOUBLE_EQ(quantiles.at(0.99), -3);
}

TEST(Quantiles, OfASampleStayNearAndRepeat) {
  // A tenth is kept: the standard error of a rank is 0.5 / √10000; five of them.
  constexpr double kBound = 5 * 0.5 / 100 * 100'000;
  Quantiles a(10'000);
  Quantiles b(10'000);
  for (int i = 0; i < 100'000; ++i) {
    const double x = (i * 7919) % 100'000;
    a.add(x);
    b.add(x);
  }
  for (const double q : {0.01, 0.5, 0.99}) {
    EXPECT_NEAR(a.at(q), q * 100'000, kBound);
    EXPECT_EQ(a.at(q), b.at(q));
  }
}

}  // namespace
}  // namespace ingot::data::quantiles_test
