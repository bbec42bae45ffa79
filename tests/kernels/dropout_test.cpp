// SPDX-License-Identifier: Apache-2.0
// dropout.h against one scalar Philox call per element: the same mask on every instruction set and
// team, from any step, and the share of dropped elements.
#include "kernels/dropout.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/dropout.h"

namespace ingot::kernels::dropout_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 5e-7;  // factor, product and sum rounded, of values up to 5

struct Problem {
  reference::DropoutKey key;
  int64_t n;
  bool accumulate = false;
};

Floats run(const Problem& p, const Floats& x, const Floats& before, Team& t) {
  Floats y = p.accumulate ? before : x;  // in place unless accumulating
  DropoutArgs a;
  a.x = p.accumulate ? x.data() : y.data();
  a.step = &p.key.step;
  a.y = y.data();
  a.n = p.n;
  a.seed = p.key.seed;
  a.op_id = p.key.op_id;
  a.p = static_cast<float>(p.key.p);
  a.accumulate = p.accumulate;
  dropout(a, t);
  return y;
}

TEST(Dropout, MaskIsTheScalarGenerators) {
  for (const int64_t n : kSizes) {
    for (const double p : {0.0, 0.125, 0.5, 0.984375}) {
      for (const bool accumulate : {false, true}) {
        const Problem problem{{0x123456789ABCDEFULL, 77, (int64_t{5} << 32) + 9, p}, n, accumulate};
        const Floats x = uniform(n, 1);
        const Floats before = uniform(n, 2);
        const Doubles wx = wide(x);
        Doubles want(x.size());
        reference::dropout(problem.key, n, wx.data(), want.data());
        for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
        expect_kernel([&](Team& t) { return run(problem, x, before, t); }, want, kTolerance);
      }
    }
  }
}

TEST(Dropout, EverythingDropsAtOneAndNanStays) {
  Floats x(130, 2.0F);
  x[5] = std::nanf("");
  const Floats y = run({{1, 2, 3, 1.0}, 130}, x, x, team_of(0));
  for (size_t i = 0; i < y.size(); ++i) {
    if (i == 5) {
      EXPECT_TRUE(std::isnan(y[i]));
    } else {
      EXPECT_EQ(y[i], 0.0F);
    }
  }
}

TEST(Dropout, ShareAndIndependenceOfStepOpAndSeed) {
  constexpr int64_t kCount = 100000;
  const Floats x(static_cast<size_t>(kCount), 1.0F);
  const auto dropped = [&](uint64_t seed, uint32_t op, int64_t step) {
    return run({{seed, op, step, 0.25}, kCount}, x, x, team_of(0));
  };
  const Floats base = dropped(1, 1, 1);
  int64_t zeros = 0;
  for (const float v : base) zeros += v == 0.0F ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(zeros), 25000.0, 700.0);  // five standard deviations
  for (const Floats& other : {dropped(2, 1, 1), dropped(1, 2, 1), dropped(1, 1, 2)}) {
    int64_t both = 0;
    for (size_t i = 0; i < other.size(); ++i) both += other[i] == 0.0F && base[i] == 0.0F ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(both), 6250.0, 400.0);
  }
}

}  // namespace
}  // namespace ingot::kernels::dropout_test
