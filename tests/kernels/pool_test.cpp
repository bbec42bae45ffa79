// SPDX-License-Identifier: Apache-2.0
// pool.h against plain loops in double, for every instruction set and team size; ties, NaN, and
// gradients of windows that overlap, tile or leave pixels out.
#include "kernels/pool.h"

#include <limits>

#include "kernels/kernel_testing.h"
#include "kernels/reference/pool.h"

namespace ingot::kernels::pool_test {
namespace {

using testing::Doubles;
using testing::Floats;
using testing::wide;

// A mean adds a window's numbers and divides: a few roundings of 2^-24.
constexpr double kMeanTolerance = 2e-6;
// Sums of gradients of overlapping windows, alike.
constexpr double kGradTolerance = 2e-6;

PoolAxis windows(int64_t in, int64_t kernel, int64_t stride, int64_t before = 0,
                 int64_t after = 0) {
  return {in, (in + before + after - kernel) / stride + 1, kernel, stride, before, after, false};
}
PoolAxis bins(int64_t in, int64_t out) { return {in, out, 1, 1, 0, 0, true}; }

struct Problem {
  const char* what;
  PoolShape shape;
};

const Problem kProblems[] = {
    {"one element", {1, 1, windows(1, 1, 1), windows(1, 1, 1)}},
    {"tiles", {2, 19, windows(6, 2, 2), windows(8, 2, 2)}},
    {"tiles and a rest", {2, 5, windows(7, 2, 2), windows(9, 3, 3)}},
    {"overlaps", {2, 37, windows(7, 3, 2), windows(8, 3, 1)}},
    {"padded", {1, 3, windows(7, 3, 2, 1, 1), windows(8, 4, 3, 2, 1)}},
    {"gaps", {1, 17, windows(9, 2, 3), windows(8, 1, 4)}},
    {"hangs over", {1, 4, {6, 3, 3, 2, 1, 1, false}, {7, 4, 2, 2, 0, 0, false}}},
    {"adaptive", {2, 6, bins(7, 3), bins(9, 4)}},
    {"adaptive tiles", {2, 70, bins(8, 4), bins(6, 2)}},
    {"adaptive grows", {1, 5, bins(3, 5), bins(2, 7)}},
    {"global", {3, 130, bins(8, 1), bins(7, 1)}},
    {"no images", {0, 4, windows(4, 2, 2), windows(4, 2, 2)}},
    {"for a team", {6, 70, windows(31, 3, 2, 1, 1), windows(30, 3, 2, 1, 1)}},
    {"tiles for a team", {5, 66, windows(32, 2, 2), windows(32, 2, 2)}}};

size_t inputs(const PoolShape& s) {
  return static_cast<size_t>(s.batch * s.y.in * s.x.in * s.channels);
}
size_t outputs(const PoolShape& s) {
  return static_cast<size_t>(s.batch * s.y.out * s.x.out * s.channels);
}

/// Few distinct values, so that windows have ties.
Floats steps(size_t n, uint32_t seed) {
  Floats v = testing::uniform(static_cast<int64_t>(n), seed, -3.0F, 3.0F);
  for (float& x : v) x = std::round(x);
  return v;
}

std::vector<int32_t> indices(const PoolShape& s, const Floats& x) {
  Doubles y(outputs(s));
  std::vector<int32_t> index(outputs(s));
  reference::max_pool(s, wide(x).data(), y.data(), index.data());
  return index;
}

TEST(Pool, MaximumAndFirstIndexEqualDoubleLoops) {
  for (const Problem& p : kProblems) {
    SCOPED_TRACE(p.what);
    const Floats x = steps(inputs(p.shape), 1);
    Doubles want(outputs(p.shape));
    std::vector<int32_t> want_index(outputs(p.shape));
    reference::max_pool(p.shape, wide(x).data(), want.data(), want_index.data());
    testing::on_every_team(
        [&](Team& team) {
          Floats y(outputs(p.shape), 9.0F), both = y;
          std::vector<int32_t> index(outputs(p.shape), -1);
          MaxPoolArgs a;
          a.x = x.data(), a.y = y.data(), a.shape = p.shape;
          max_pool(a, team);  // without the index: the same values
          a.y = both.data(), a.index = index.data();
          max_pool(a, team);
          EXPECT_TRUE(testing::same_bits(y, both));
          EXPECT_EQ(index, want_index);
          return y;
        },
        [&](const Floats& y) { testing::expect_close(y, want, 0.0); });
  }
}

TEST(Pool, GradientOfTheMaximumGoesToItsIndex) {
  for (const Problem& p : kProblems) {
    SCOPED_TRACE(p.what);
    const std::vector<int32_t> index = indices(p.shape, steps(inputs(p.shape), 2));
    const Floats dy = testing::uniform(static_cast<int64_t>(outputs(p.shape)), 3);
    const Floats start = testing::uniform(static_cast<int64_t>(inputs(p.shape)), 4);
    Doubles want(inputs(p.shape));
    reference::max_pool_grad(p.shape, wide(dy).data(), index.data(), want.data());
    for (const bool accumulate : {false, true}) {
      Doubles sum = want;
      for (size_t i = 0; i < sum.size(); ++i)
        sum[i] += accumulate ? static_cast<double>(start[i]) : 0;
      testing::expect_kernel(
          [&](Team& team) {
            Floats dx = start;
            MaxPoolGradArgs a;
            a.dy = dy.data(), a.index = index.data(), a.dx = dx.data();
            a.shape = p.shape, a.accumulate = accumulate;
            max_pool_grad(a, team);
            return dx;
          },
          sum, kGradTolerance);
    }
  }
}

TEST(Pool, MeanEqualsDoubleLoopsWithAndWithoutPadding) {
  for (const Problem& p : kProblems) {
    for (const bool counts_padding : {false, true}) {
      SCOPED_TRACE(p.what);
      const Floats x = testing::uniform(static_cast<int64_t>(inputs(p.shape)), 5);
      const Floats dy = testing::uniform(static_cast<int64_t>(outputs(p.shape)), 6);
      Doubles want(outputs(p.shape)), want_grad(inputs(p.shape));
      reference::avg_pool(p.shape, counts_padding, wide(x).data(), want.data());
      reference::avg_pool_grad(p.shape, counts_padding, wide(dy).data(), want_grad.data());
      testing::expect_kernel(
          [&](Team& team) {
            Floats y(outputs(p.shape), 9.0F);
            AvgPoolArgs a;
            a.x = x.data(), a.y = y.data(), a.shape = p.shape, a.counts_padding = counts_padding;
            avg_pool(a, team);
            return y;
          },
          want, kMeanTolerance);
      for (const bool accumulate : {false, true}) {
        Doubles sum = want_grad;
        for (size_t i = 0; i < sum.size(); ++i)
          sum[i] += accumulate ? static_cast<double>(x[i]) : 0;
        testing::expect_kernel(
            [&](Team& team) {
              Floats dx = x;
              AvgPoolGradArgs a;
              a.dy = dy.data(), a.dx = dx.data(), a.shape = p.shape;
              a.counts_padding = counts_padding, a.accumulate = accumulate;
              avg_pool_grad(a, team);
              return dx;
            },
            sum, kGradTolerance);
      }
    }
  }
}

TEST(Pool, TheFirstNaNWinsAndMinusInfinityIsAValue) {
  const PoolShape shape{1, 1, windows(2, 2, 2), windows(6, 2, 2)};
  const float inf = std::numeric_limits<float>::infinity();
  const Floats x = {1.0F, NAN,  -inf, -inf, 5.0F, 5.0F,  //
                    NAN,  9.0F, -inf, -inf, 4.0F, 5.0F};
  for_each_target([&] {
    Floats y(3);
    std::vector<int32_t> index(3);
    MaxPoolArgs a;
    a.x = x.data(), a.y = y.data(), a.index = index.data(), a.shape = shape;
    max_pool(a, testing::team_of(0));
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], -inf);
    EXPECT_EQ(y[2], 5.0F);
    EXPECT_EQ(index, (std::vector<int32_t>{1, 2, 4}));
  });
}

}  // namespace
}  // namespace ingot::kernels::pool_test
