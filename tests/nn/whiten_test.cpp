// SPDX-License-Identifier: Apache-2.0
#include "nn/whiten.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/team.h"

namespace ingot::nn::whiten_test {
namespace {

constexpr double kDouble = 1e-12;
constexpr double kFloat = 1e-4;

TEST(Whiten, EigenOfAKnownMatrix) {
  // [[2, 1], [1, 2]]: 3 along (1, 1), 1 along (1, -1).
  const Eigen e = symmetric_eigen({2, 1, 1, 2}, 2);
  EXPECT_NEAR(e.values[0], 3.0, kDouble);
  EXPECT_NEAR(e.values[1], 1.0, kDouble);
  EXPECT_NEAR(e.vectors[0], e.vectors[1], kDouble);
  EXPECT_NEAR(e.vectors[2], -e.vectors[3], kDouble);
}

TEST(Whiten, EigenvectorsAreOrthonormalAndSolveTheMatrix) {
  constexpr int64_t kSize = 27;
  std::mt19937 random(3);
  std::vector<double> a(kSize * kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      a[static_cast<size_t>(i * kSize + j)] = a[static_cast<size_t>(j * kSize + i)] =
          static_cast<double>(random()) / 4e9 - 0.5;
    }
  }
  const Eigen e = symmetric_eigen(a, kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    const double* v = &e.vectors[static_cast<size_t>(i * kSize)];
    EXPECT_LE(e.values[static_cast<size_t>(i)],
              e.values[static_cast<size_t>(std::max<int64_t>(i - 1, 0))]);
    for (int64_t j = 0; j < kSize; ++j) {
      double product = 0.0, dot = 0.0;
      for (int64_t k = 0; k < kSize; ++k) {
        product += a[static_cast<size_t>(j * kSize + k)] * v[k];
        dot += v[k] * e.vectors[static_cast<size_t>(j * kSize + k)];
      }
      EXPECT_NEAR(product, e.values[static_cast<size_t>(i)] * v[j], kDouble);
      EXPECT_NEAR(dot, i == j ? 1.0 : 0.0, kDouble);
    }
  }
}

/// Patches projected on the filters have second moment 1 and do not go together.
TEST(Whiten, FiltersWhitenThePatchesTheyCameFrom) {
  Team team(1);
  Engine engine(team);
  std::mt19937 random(5);
  constexpr int64_t kBatch = 30, kSize = 7, kChannels = 2;
  std::vector<float> pixels(kBatch * kSize * kSize * kChannels);
  for (size_t i = 0; i < pixels.size(); ++i) {  // neighbours go together
    const float fresh = static_cast<float>(random()) / 4e9F - 0.5F;
    pixels[i] = i == 0 ? fresh : 0.7F * pixels[i - 1] + fresh;
  }
  const Tensor images = Tensor::from<float>(engine, pixels, {kBatch, kSize, kSize, kChannels});
  const Shape shape{16, 2, 2, kChannels};
  const std::vector<float> w = whitening_filters(images, shape, 1.0F, 0.0);
  double moments[16][16] = {};
  int64_t patches = 0;
  for (int64_t n = 0; n < kBatch; ++n) {
    for (int64_t y = 0; y + 2 <= kSize; ++y) {
      for (int64_t x = 0; x + 2 <= kSize; ++x, ++patches) {
        double out[16] = {};
        for (int64_t o = 0; o < 16; ++o) {
          for (int64_t u = 0; u < 2; ++u) {
            for (int64_t v = 0; v < 2; ++v) {
              for (int64_t c = 0; c < kChannels; ++c) {
                out[o] += double{w[static_cast<size_t>(((o * 2 + u) * 2 + v) * kChannels + c)]} *
                          double{pixels[static_cast<size_t>(
                              ((n * kSize + y + u) * kSize + x + v) * kChannels + c)]};
              }
            }
          }
        }
        for (int i = 0; i < 16; ++i) {
          for (int j = 0; j < 16; ++j) moments[i][j] += out[i] * out[j];
        }
      }
    }
  }
  for (int i = 0; i < 16; i += 2) {
    for (int j = 0; j < 16; j += 2) {
      const double moment = moments[i][j] / static_cast<double>(patches);
      EXPECT_NEAR(moment, i == j ? 1.0 : 0.0, kFloat);
    }
    EXPECT_NEAR(moments[i][i + 1] / static_cast<double>(patches), -1.0, kFloat);
  }
}

TEST(Whiten, RefusesMoreFiltersThanThereAre) {
  Team team(1);
  Engine engine(team);
  const Tensor images = Tensor::zeros(engine, {1, 4, 4, 1});
  EXPECT_EQ(testing::message_of([&] {
              (void)whitening_filters(images, {10, 2, 2, 1});
            }),
            "whiten: 10 filters over windows of 2 x 2 x 1 numbers; an even number up to 8 is "
            "possible, for windows of up to 512 numbers");
}

TEST(Whiten, BytesDoNotDependOnThreads) {
  std::vector<std::vector<float>> filters;
  for (const int threads : {1, 2, 3}) {
    Team team(threads);
    Engine engine(team);
    std::mt19937 random(7);
    const Tensor images = Tensor::zeros(engine, {20, 9, 8, 4});
    for (int64_t i = 0; i < images.size(); ++i) {
      images.data<float>()[i] = static_cast<float>(random()) / 4e9F - 0.5F;
    }
    filters.push_back(whitening_filters(images, {8, 3, 3, 4}));  // 36 numbers: three blocks of rows
  }
  EXPECT_EQ(filters[0], filters[1]);
  EXPECT_EQ(filters[0], filters[2]);
}

}  // namespace
}  // namespace ingot::nn::whiten_test
