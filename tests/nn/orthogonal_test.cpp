// SPDX-License-Identifier: Apache-2.0
// Orthonormal rows: inside a panel, across panels, square, on any number of threads.
#include "nn/orthogonal.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::nn::orthogonal_test {
namespace {

constexpr double kAccuracy = 1e-10;  // of a square random matrix, whose last rows lose digits

std::vector<double> random_rows(int64_t count, int64_t length) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> rows(static_cast<size_t>(count * length));
  for (double& v : rows) v = normal(random);
  return rows;
}

double product(const std::vector<double>& a, int64_t i, const std::vector<double>& b, int64_t j,
               int64_t length) {
  double dot = 0.0;
  for (int64_t k = 0; k < length; ++k) {
    dot += a[static_cast<size_t>(i * length + k)] * b[static_cast<size_t>(j * length + k)];
  }
  return dot;
}

TEST(Orthogonal, RowsAreOrthonormalAndSpanWhatTheyDid) {
  Team team(2);
  const int64_t sizes[][2] = {{1, 1}, {5, 12}, {16, 16}, {17, 40}, {70, 70}};
  for (const auto& [count, length] : sizes) {
    const std::vector<double> before = random_rows(count, length);
    std::vector<double> rows = before;
    orthonormalise(rows, count, length, team);
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        EXPECT_NEAR(product(rows, i, rows, j, length), i == j ? 1.0 : 0.0, kAccuracy);
      }
      // Row j of before lies in the first j + 1 rows, on the positive side of row j.
      for (int64_t j = 0; j < i; ++j) {
        EXPECT_NEAR(product(rows, i, before, j, length), 0.0, kAccuracy * 10);
      }
      EXPECT_GT(product(rows, i, before, i, length), 0.0);
    }
  }
}

TEST(Orthogonal, BytesDoNotDependOnThreads) {
  constexpr int64_t kCount = 60, kLength = 300;
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 3}) {
    Team team(threads);
    results.push_back(random_rows(kCount, kLength));
    orthonormalise(results.back(), kCount, kLength, team);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace ingot::nn::orthogonal_test
