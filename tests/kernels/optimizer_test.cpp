// SPDX-License-Identifier: Apache-2.0
// optimizer.h against scalar updates in double over several steps, every option; the row-sparse
// form against the dense one to the bit; norms, clipping, finite checks.
#include "kernels/optimizer.h"

#include <cmath>
#include <limits>

#include "kernels/kernel_testing.h"
#include "kernels/reference/optimizer.h"

namespace ingot::kernels::optimizer_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 3e-6;  // four steps of float32 rounding at parameters of size 2
constexpr int kSteps = 4;

Floats gradient(int64_t n, int step) { return uniform(n, static_cast<uint32_t>(10 + step)); }

TEST(Sgd, MatchesReferenceOverSteps) {
  const float lr = 0.05F, scale = 0.5F;
  for (const int64_t n : kSizes) {
    for (const float momentum : {0.0F, 0.9F}) {
      for (const bool nesterov : {false, true}) {
        const reference::SgdRule rule{lr, momentum, 0.01F, momentum != 0.0F, nesterov};
        const Floats start = uniform(n, 1);
        Doubles want = wide(start), buffer(want.size());
        for (int step = 1; step <= kSteps; ++step) {
          const Floats g = gradient(n, step);
          for (size_t i = 0; i < want.size(); ++i) {
            reference::sgd(rule, 0.5 * g[i], want[i], buffer[i]);
          }
        }
        const auto compute = [&](Team& t) {
          Floats param = start, buf(start.size());
          for (int step = 1; step <= kSteps; ++step) {
            const Floats g = gradient(n, step);
            SgdArgs a;
            a.param = param.data();
            a.grad = g.data();
            a.momentum_buffer = momentum != 0.0F ? buf.data() : nullptr;
            a.lr = &lr;
            a.grad_scale = &scale;
            a.n = n;
            a.momentum = momentum;
            a.weight_decay = 0.01F;
            a.nesterov = nesterov;
            sgd(a, t);
          }
          return param;
        };
        expect_kernel(compute, want, kTolerance);
      }
    }
  }
}

struct Moments {
  Floats param, m, v;
};

AdamArgs adam_args(Moments& state, const float* lr, const int64_t* step) {
  AdamArgs a;
  a.param = state.param.data();
  a.m = state.m.data();
  a.v = state.v.data();
  a.lr = lr;
  a.step = step;
  a.n = static_cast<int64_t>(state.param.size());
  return a;
}

TEST(Adam, MatchesReferenceOverSteps) {
  const float lr = 0.01F;
  for (const int64_t n : kSizes) {
    for (const bool decoupled : {false, true}) {
      for (const int form : {0, 1, 2}) {
        const bool correction = form > 0;
        const bool eps_hat = form == 2;
        const double eps = eps_hat ? 0.1 : 1e-8;  // large enough that its place shows
        const reference::AdamRule rule{lr, 0.9, 0.95, eps, 0.1, decoupled, correction, eps_hat};
        const Floats start = uniform(n, 1);
        Doubles want = wide(start), m(want.size()), v(want.size());
        for (int step = 1; step <= kSteps; ++step) {
          const Floats g = gradient(n, step);
          for (size_t i = 0; i < want.size(); ++i) {
            reference::adam(rule, step, g[i], want[i], m[i], v[i]);
          }
        }
        const auto compute = [&](Team& t) {
          Moments state{start, Floats(start.size()), Floats(start.size())};
          for (int64_t step = 1; step <= kSteps; ++step) {
            const Floats g = gradient(n, static_cast<int>(step));
            AdamArgs a = adam_args(state, &lr, &step);
            a.grad = g.data();
            a.beta2 = 0.95;
            a.weight_decay = 0.1;
            a.decoupled = decoupled;
            a.bias_correction = correction;
            a.eps = eps;
            a.eps_hat = eps_hat;
            adam(a, t);
          }
          return state.param;
        };
        expect_kernel(compute, want, kTolerance);
      }
    }
  }
}

TEST(Adam, PaddingStaysZeroAndNanShows) {
  Moments state{Floats(40), Floats(40), Floats(40)};
  Floats g(40);
  g[7] = std::nanf("");
  const float lr = 0.1F;
  const int64_t step = 1;
  AdamArgs a = adam_args(state, &lr, &step);
  a.grad = g.data();
  a.weight_decay = 0.1;
  for_each_target([&] {
    adam(a, team_of(0));
    for (size_t i = 0; i < 40; ++i) {
      if (i != 7) {
        EXPECT_EQ(state.param[i], 0.0F);
      } else {
        EXPECT_TRUE(std::isnan(state.param[i]));
      }
    }
  });
}

/// Dense and row-sparse updates of a [rows, cols] table from the same gradient.
struct Sparse {
  int64_t rows, cols, count;
  std::vector<int64_t> ids;
  Floats values, dense;
  Sparse(int64_t r, int64_t c, std::vector<int64_t> touched)
      : rows(r),
        cols(c),
        count(static_cast<int64_t>(touched.size())),
        ids(std::move(touched)),
        values(uniform(count * cols, 4)),
        dense(static_cast<size_t>(rows * cols)) {
    for (size_t u = 0; u < ids.size(); ++u) {
      std::copy_n(values.begin() + static_cast<long>(u) * cols, cols,
                  dense.begin() + static_cast<long>(ids[u]) * cols);
    }
    ids.push_back(-7);  // room behind the count is not read
  }
};

std::vector<Sparse> sparse_cases() {
  std::vector<int64_t> many;
  for (int64_t i = 0; i < 3000; i += 7) many.push_back(i);
  return {{5, 17, {}}, {5, 17, {0, 4}}, {6, 33, {2, 3, 4}}, {3000, 130, many}};
}

TEST(RowSparse, AdamAndSgdEqualTheDenseUpdateToTheBit) {
  const float lr = 0.01F, scale = 0.7F;
  for (const Sparse& s : sparse_cases()) {
    const int64_t n = s.rows * s.cols;
    const auto run_adam = [&](bool sparse, Team& t) {
      Moments state{uniform(n, 1), uniform(n, 2), uniform(n, 3, 0.0F, 1.0F)};
      const int64_t step = 5;
      AdamArgs a = adam_args(state, &lr, &step);
      a.grad = sparse ? s.values.data() : s.dense.data();
      a.grad_scale = &scale;
      a.unique_ids = sparse ? s.ids.data() : nullptr;
      a.unique_count = sparse ? &s.count : nullptr;
      a.cols = s.cols;
      a.weight_decay = 0.1;
      adam(a, t);
      state.param.insert(state.param.end(), state.m.begin(), state.m.end());
      state.param.insert(state.param.end(), state.v.begin(), state.v.end());
      return state.param;
    };
    const auto run_sgd = [&](bool sparse, Team& t) {
      Floats param = uniform(n, 1), buffer = uniform(n, 2);
      SgdArgs a;
      a.param = param.data();
      a.grad = sparse ? s.values.data() : s.dense.data();
      a.momentum_buffer = buffer.data();
      a.lr = &lr;
      a.grad_scale = &scale;
      a.unique_ids = sparse ? s.ids.data() : nullptr;
      a.unique_count = sparse ? &s.count : nullptr;
      a.n = n;
      a.cols = s.cols;
      a.momentum = 0.9F;
      a.weight_decay = 0.01F;
      sgd(a, t);
      return param;
    };
    on_every_team(
        [&](Team& t) { return run_adam(true, t); },
        [&](const Floats& got) { EXPECT_TRUE(same_bits(got, run_adam(false, team_of(0)))); });
    on_every_team(
        [&](Team& t) { return run_sgd(true, t); },
        [&](const Floats& got) { EXPECT_TRUE(same_bits(got, run_sgd(false, team_of(0)))); });
  }
}

TEST(SumSquares, MatchesDoubleSumAndCountsRows) {
  for (const int64_t n : kSizes) {
    const Floats x = uniform(n, 1);
    double want = 0.0;
    for (const float v : x) want += static_cast<double>(v) * static_cast<double>(v);
    for_each_target([&] {
      double first = 0.0;
      for (size_t k = 0; k < 4; ++k) {
        double out = 0.0;
        auto scratch = scratch_of(block_scratch_bytes(n));
        sum_squares({x.data(), nullptr, &out, scratch.data(), n, false}, team_of(k));
        if (k == 0) first = out;
        EXPECT_EQ(out, first);
        EXPECT_NEAR(out, want, 1e-12 * want);
        sum_squares({x.data(), nullptr, &out, scratch.data(), n, true}, team_of(k));
        EXPECT_EQ(out, first + first);
      }
    });
  }
  const Floats x(30, 2.0F);
  const int64_t rows = 2;
  double out = 0.0;
  auto scratch = scratch_of(block_scratch_bytes(30));
  sum_squares({x.data(), &rows, &out, scratch.data(), 10, false}, team_of(0));
  EXPECT_EQ(out, 80.0);
}

TEST(Clip, FollowsPyTorch) {
  const auto clip = [](double squares, float limit) {
    float coefficient = -1.0F, norm = -1.0F;
    clip_coefficient({&squares, &coefficient, &norm, limit}, team_of(0));
    EXPECT_EQ(norm, static_cast<float>(std::sqrt(squares)));
    return coefficient;
  };
  EXPECT_EQ(clip(16.0, 1.0F), static_cast<float>(1.0 / (4.0 + 1e-6)));
  EXPECT_EQ(clip(0.25, 1.0F), 1.0F);
  EXPECT_EQ(clip(16.0, 0.0F), 1.0F);
  double nan = std::nan("");
  float coefficient = 0.0F;
  clip_coefficient({&nan, &coefficient, nullptr, 1.0F}, team_of(0));
  EXPECT_TRUE(std::isnan(coefficient));
}

TEST(FiniteCheck, NamesTheFirstBadElement) {
  const auto first_of = [](const Floats& x, Team& t) {
    int64_t first = -2;
    const auto n = static_cast<int64_t>(x.size());
    auto scratch = scratch_of(block_scratch_bytes(n));
    finite_check({x.data(), nullptr, &first, scratch.data(), n}, t);
    return first;
  };
  for_each_target([&] {
    for (const int64_t n : kSizes) {
      Floats x = uniform(n, 1, -1.5e38F, 1.5e38F);
      EXPECT_EQ(first_of(x, team_of(2)), -1);
      if (n == 0) continue;
      x.back() = std::nanf("");
      EXPECT_EQ(first_of(x, team_of(2)), n - 1);
      x[static_cast<size_t>(n / 3)] = -std::numeric_limits<float>::infinity();
      EXPECT_EQ(first_of(x, team_of(2)), n / 3);
    }
  });
}

}  // namespace
}  // namespace ingot::kernels::optimizer_test
