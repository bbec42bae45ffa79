// SPDX-License-Identifier: Apache-2.0
// What mixtures are drawn: the moments of Beta(a, a), partners everywhere, the same every time.
#include "train/mixup.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::train::mixup_test {
namespace {

TEST(Mixup, SharesHaveTheMomentsOfBeta) {
  constexpr int kRows = 20000;
  for (const double alpha : {0.01, 0.2, 1.0, 4.0}) {
    double sum = 0, squares = 0;
    for (int row = 0; row < kRows; ++row) {
      const double share = double{draw_mix(7, 1, row, 10, alpha).share};
      ASSERT_TRUE(share >= 0 && share <= 1);
      sum += share;
      squares += (share - 0.5) * (share - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    // Five standard errors; the fourth moment about the middle is at most variance / 4.
    EXPECT_NEAR(sum / kRows, 0.5, 5 * std::sqrt(variance / kRows));
    EXPECT_NEAR(squares / kRows, variance, 5 * std::sqrt(variance / 4 / kRows)) << alpha;
  }
}

TEST(Mixup, PartnersAreUniform) {
  constexpr int kRows = 9000;
  std::vector<int> counts(9);
  for (int row = 0; row < kRows; ++row) {
    ++counts.at(static_cast<size_t>(draw_mix(7, 1, row, 9, 0.2).partner));
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000 * 8.0 / 9));
}

TEST(Mixup, IsAFunctionOfSeedEpochAndRow) {
  const auto key = [](uint64_t seed, uint64_t epoch, int64_t row) {
    const Mix mix = draw_mix(seed, epoch, row, 1000, 0.5);
    return std::pair(mix.partner, mix.share);
  };
  EXPECT_EQ(key(1, 2, 3), key(1, 2, 3));
  EXPECT_NE(key(1, 2, 3), key(2, 2, 3));
  EXPECT_NE(key(1, 2, 3), key(1, 3, 3));
  EXPECT_NE(key(1, 2, 3), key(1, 2, 4));
}

}  // namespace
}  // namespace ingot::train::mixup_test
