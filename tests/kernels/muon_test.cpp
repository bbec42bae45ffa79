// SPDX-License-Identifier: Apache-2.0
// The elementwise parts of Muon against plain formulas in double. The whole rule is checked in
// tests/optim/rules_test.cpp.
#include "kernels/muon.h"

#include <cmath>

#include "kernels/kernel_testing.h"

namespace ingot::kernels::muon_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 1e-6;  // a few roundings of values around 2

TEST(Muon, MomentumMatchesItsFormula) {
  const float scale = 0.5F;
  for (const int64_t n : kSizes) {
    for (const bool nesterov : {false, true}) {
      const Floats grad = uniform(n, 1), start = uniform(n, 2);
      Doubles want, buffers;
      for (size_t i = 0; i < grad.size(); ++i) {
        const double g = 0.5 * static_cast<double>(grad[i]);
        buffers.push_back(0.9 * static_cast<double>(start[i]) + 0.1 * g);
        want.push_back(nesterov ? 0.9 * buffers.back() + 0.1 * g : buffers.back());
      }
      want.insert(want.end(), buffers.begin(), buffers.end());
      const auto compute = [&](Team& t) {
        Floats buffer = start, out(grad.size());
        muon_momentum({grad.data(), buffer.data(), out.data(), &scale, n, 0.9F, nesterov}, t);
        out.insert(out.end(), buffer.begin(), buffer.end());
        return out;
      };
      expect_kernel(compute, want, kTolerance);
    }
  }
}

TEST(Muon, NormalizeDividesByTheNormOrByEps) {
  for (const int64_t n : kSizes) {
    const Floats x = uniform(n, 1);
    for (const double squares : {16.0, 0.0}) {
      Doubles want;
      for (const float v : x) want.push_back(static_cast<double>(v) / (squares > 0.0 ? 4.0 : 0.5));
      const auto compute = [&](Team& t) {
        Floats y = x;
        muon_normalize({y.data(), &squares, n, 0.5}, t);
        return y;
      };
      expect_kernel(compute, want, kTolerance);
    }
  }
}

TEST(Muon, BlendAndApply) {
  const float lr = 0.1F;
  for (const int64_t n : kSizes) {
    const Floats x = uniform(n, 1), start = uniform(n, 2);
    Doubles blended, applied;
    for (size_t i = 0; i < x.size(); ++i) {
      const auto a = static_cast<double>(x[i]), b = static_cast<double>(start[i]);
      blended.push_back(1.5 * a - 0.25 * b);
      applied.push_back(b * (1.0 - static_cast<double>(lr) * 0.5) -
                        static_cast<double>(lr) * 3.0 * a);
    }
    const auto blend_of = [&](Team& t) {
      Floats y = start;
      blend({x.data(), y.data(), n, 1.5F, -0.25F}, t);
      return y;
    };
    const auto apply_of = [&](Team& t) {
      Floats y = start;
      muon_apply({y.data(), x.data(), &lr, n, 3.0, 0.5}, t);
      return y;
    };
    expect_kernel(blend_of, blended, kTolerance);
    expect_kernel(apply_of, applied, kTolerance);
  }
}

}  // namespace
}  // namespace ingot::kernels::muon_test
