// SPDX-License-Identifier: Apache-2.0
// base/philox.h against the known answers published with Random123 (kat_vectors, philox4x32-10),
// and the statistics and reproducibility of the streams on top.
#include "base/philox.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace ingot::philox_test {
namespace {

TEST(Philox, KnownAnswers) {
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) ==
                PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  static_assert(
      philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
      PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformStaysBelowOne) {
  EXPECT_EQ(philox_uniform(0), 0.0F);
  EXPECT_LT(philox_uniform(0xFFFFFFFFU), 1.0F);
}

TEST(Philox, ElementsAreDistinctAndLayoutIsFixed) {
  const auto words = philox4x32(philox_element_counter(16 + 5, 7, 9), philox_key(3));
  EXPECT_EQ(philox_element(3, 7, 9, 64 + 2 * 16 + 5), words[2]);
  EXPECT_NE(philox_element(3, 7, 9, 0), philox_element(3, 7, 10, 0));
  EXPECT_NE(philox_element(3, 7, 9, 0), philox_element(3, 8, 9, 0));
  EXPECT_NE(philox_element_counter(uint64_t{1} << 32, 7, 9), philox_element_counter(0, 7, 9));
}

TEST(Philox, SeekRepeatsTheStream) {
  Philox random(42, 1);
  std::vector<uint32_t> drawn;
  for (int i = 0; i < 10; ++i) drawn.push_back(random());
  random.seek(3);
  EXPECT_EQ(random(), drawn[3]);
  Philox resumed(42, 1);
  resumed.seek(7);
  EXPECT_EQ(resumed(), drawn[7]);
  EXPECT_EQ(resumed.position(), 8U);
  EXPECT_NE(Philox(42, 2)(), drawn[0]);
}

TEST(Philox, MomentsOfUniformAndNormal) {
  constexpr int kDraws = 100000;
  constexpr double kFiveSigma = 5.0 / 316.0;  // five standard errors of a mean of kDraws
  Philox random(1);
  double mean = 0.0, normal = 0.0, square = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    mean += random.uniform_double() / kDraws;
    const double z = random.normal();
    normal += z / kDraws;
    square += z * z / kDraws;
  }
  EXPECT_NEAR(mean, 0.5, kFiveSigma * 0.29);
  EXPECT_NEAR(normal, 0.0, kFiveSigma);
  EXPECT_NEAR(square, 1.0, kFiveSigma * 1.5);
}

TEST(Philox, BoundedCoversItsRangeEvenly) {
  Philox random(2);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70000; ++i) ++seen[random.bounded(7)];
  for (const int count : seen) EXPECT_NEAR(count, 10000, 500);  // five standard deviations
}

TEST(Permutation, IsAPureFunctionOfSeedAndEpoch) {
  auto order = permutation(5, 0, 1000);
  EXPECT_EQ(order, permutation(5, 0, 1000));
  EXPECT_NE(order, permutation(5, 1, 1000));
  EXPECT_NE(order, permutation(6, 0, 1000));
  std::sort(order.begin(), order.end());
  std::vector<int64_t> identity(1000);
  std::iota(identity.begin(), identity.end(), 0);
  EXPECT_EQ(order, identity);
  EXPECT_TRUE(permutation(5, 0, 0).empty());
}

}  // namespace
}  // namespace ingot::philox_test
