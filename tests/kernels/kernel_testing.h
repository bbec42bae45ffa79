// SPDX-License-Identifier: Apache-2.0
// What the tests of elementwise, row-wise and reducing kernels share: seeded values, comparison
// with a double reference, and a runner that asks every instruction set and team size for equal
// bytes.
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/team.h"
#include "kernels/each_target.h"

namespace ingot::kernels::testing {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/// Odd sizes around vector widths, tiles (8192) and the serial limit (about 200,000).
inline constexpr int64_t kSizes[] = {0, 1, 3, 17, 1000, 4097, 262147};

inline Floats uniform(int64_t n, uint32_t seed, float low = -2.0F, float high = 2.0F) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> distribution(low, high);
  Floats v(static_cast<size_t>(n));
  for (float& x : v) x = distribution(engine);
  return v;
}

inline Doubles wide(const Floats& v) { return {v.begin(), v.end()}; }

inline bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// |got - want| <= tolerance * max(1, |want|) everywhere; NaN equals NaN, infinity its own sign.
inline void expect_close(const Floats& got, const Doubles& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const double g = static_cast<double>(got[i]);
    if (std::isnan(want[i]) && std::isnan(g)) continue;
    if (g == want[i] || static_cast<float>(want[i]) == got[i]) continue;
    const double limit = tolerance * std::fmax(1.0, std::fabs(want[i]));
    ASSERT_LE(std::fabs(g - want[i]), limit) << "at " << i << ": " << g << " for " << want[i];
  }
}

/// Teams of 1, 2, 3 and 8 workers, started once.
inline Team& team_of(size_t index) {
  static const std::array<std::unique_ptr<Team>, 4> teams = {
      std::make_unique<Team>(1), std::make_unique<Team>(2), std::make_unique<Team>(3),
      std::make_unique<Team>(8)};
  return *teams[index];
}

/// compute(team) -> Floats on every instruction set; equal bytes for every team; check(Floats) once
/// per instruction set.
template <class Compute, class Check>
void on_every_team(const Compute& compute, const Check& check) {
  for_each_target([&] {
    const Floats first = compute(team_of(0));
    check(first);
    for (size_t t = 1; t < 4; ++t) {
      ASSERT_TRUE(same_bits(first, compute(team_of(t)))) << team_of(t).size() << " workers";
    }
  });
}

/// The same, compared with a reference.
template <class Compute>
void expect_kernel(const Compute& compute, const Doubles& want, double tolerance) {
  on_every_team(compute, [&](const Floats& got) { expect_close(got, want, tolerance); });
}

/// Uninitialised-looking scratch of at least one byte, 8-byte aligned.
inline std::vector<double> scratch_of(int64_t bytes) {
  return std::vector<double>(static_cast<size_t>(bytes / 8 + 2), -1.25e300);
}

}  // namespace ingot::kernels::testing
