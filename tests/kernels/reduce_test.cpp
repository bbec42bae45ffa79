// SPDX-License-Identifier: Apache-2.0
// reduce.h against plain loops in double: rows, columns and triples around block borders, gradients
// against the reference and its finite differences, NaN and empty axes, sum_to for many broadcasts.
#include "kernels/reduce.h"

#include <cmath>
#include <limits>

#include "kernels/kernel_testing.h"
#include "kernels/reference/elementwise.h"
#include "kernels/reference/reduce.h"

namespace ingot::kernels::reduce_test {
namespace {

using namespace testing;  // NOLINT: test file

// Values of size 2 summed in blocks: error grows like 2^-24 sqrt(n) * 2; n is up to 300,000.
constexpr double kSum = 1e-4;
constexpr double kMeanError = 1e-6;

const reference::Triple kTriples[] = {{1, 1, 1},      {1, 17, 1},   {3, 1000, 1}, {5, 4097, 1},
                                      {1, 262147, 1}, {2, 9000, 1}, {1, 5, 17},   {3, 129, 33},
                                      {1, 300, 1000}, {2, 1000, 3}, {4, 3, 700},  {7000, 40, 1},
                                      {0, 5, 2},      {2, 5, 0}};
constexpr ReduceOp kOps[] = {ReduceOp::kSum, ReduceOp::kMean, ReduceOp::kMax, ReduceOp::kVariance};

ReduceArgs args_of(const reference::Triple& s, ReduceOp op) {
  ReduceArgs a;
  a.outer = s.outer;
  a.reduce = s.reduce;
  a.inner = s.inner;
  a.op = op;
  return a;
}

Floats run(ReduceArgs a, const Floats& x, const Floats& before, Team& t) {
  Floats out = before;
  auto scratch = scratch_of(reduce_scratch_bytes(a.outer, a.reduce, a.inner, t.size()));
  a.x = x.data();
  a.out = out.data();
  a.scratch = scratch.data();
  reduce(a, t);
  return out;
}

TEST(Reduce, MatchesReference) {
  for (const auto& s : kTriples) {
    for (const ReduceOp op : kOps) {
      for (const bool accumulate : {false, true}) {
        if (accumulate && (op == ReduceOp::kMax || op == ReduceOp::kVariance)) continue;
        SCOPED_TRACE(::testing::Message() << s.outer << " " << s.reduce << " " << s.inner << " op "
                                          << static_cast<int>(op));
        const Floats x = uniform(s.outer * s.reduce * s.inner, 1);
        const Doubles wx = wide(x);
        const Floats before = uniform(s.outer * s.inner, 2);
        Doubles want(before.size());
        reference::reduce(op, 0, s, wx.data(), want.data());
        for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
        ReduceArgs a = args_of(s, op);
        a.accumulate = accumulate;
        expect_kernel([&](Team& t) { return run(a, x, before, t); }, want,
                      op == ReduceOp::kSum ? kSum : kMeanError * 4);
      }
    }
  }
}

TEST(Reduce, SampleVarianceWithALargeMean) {
  const reference::Triple s{4, 5000, 1};
  Floats x = uniform(20000, 1);
  for (float& v : x) v += 1000.0F;
  const Doubles wx = wide(x);
  Doubles want(4);
  reference::reduce(ReduceOp::kVariance, 1, s, wx.data(), want.data());
  ReduceArgs a = args_of(s, ReduceOp::kVariance);
  a.correction = 1;
  // The mean is rounded to 6e-5 and enters squared.
  expect_kernel([&](Team& t) { return run(a, x, Floats(4), t); }, want, 1e-5);
}

TEST(Reduce, NanAndEmptyAxes) {
  const double nan = std::nan("");
  const double inf = std::numeric_limits<double>::infinity();
  for (const int64_t inner : {int64_t{1}, int64_t{3}}) {
    for (const ReduceOp op : kOps) {
      Floats x(static_cast<size_t>(100 * inner), 1.0F);
      x[static_cast<size_t>(41 * inner)] = static_cast<float>(nan);
      const Floats zero(static_cast<size_t>(inner));
      for_each_target([&] {
        EXPECT_TRUE(std::isnan(run(args_of({1, 100, inner}, op), x, zero, team_of(0))[0]));
      });
    }
    Doubles none(static_cast<size_t>(inner), nan);
    const Floats before(none.size(), 5.0F);
    const auto empty = [&](ReduceOp op) {
      return [&, op](Team& t) { return run(args_of({1, 0, inner}, op), {}, before, t); };
    };
    expect_kernel(empty(ReduceOp::kMean), none, 0);
    expect_kernel(empty(ReduceOp::kSum), Doubles(none.size(), 0.0), 0);
    expect_kernel(empty(ReduceOp::kMax), Doubles(none.size(), -inf), 0);
  }
}

TEST(Argmax, FirstLargestAndFirstNan) {
  for (const auto& s : kTriples) {
    if (s.reduce == 0) continue;
    Floats x = uniform(s.outer * s.reduce * s.inner, 3);
    for (float& v : x) v = std::round(v * 8.0F);  // many ties
    if (x.size() > 500) x[400] = std::nanf("");
    const Doubles wx = wide(x);
    std::vector<int64_t> want(static_cast<size_t>(s.outer * s.inner));
    reference::argmax(s, wx.data(), want.data());
    for_each_target([&] {
      for (size_t k = 0; k < 4; ++k) {
        std::vector<int64_t> index(want.size());
        Floats value(want.size());
        argmax({x.data(), index.data(), value.data(), s.outer, s.reduce, s.inner}, team_of(k));
        ASSERT_EQ(index, want) << s.outer << " " << s.reduce << " " << s.inner;
        for (size_t i = 0; i < want.size(); ++i) {
          const auto o = static_cast<int64_t>(i) / s.inner, c = static_cast<int64_t>(i) % s.inner;
          const float v = x[static_cast<size_t>((o * s.reduce + want[i]) * s.inner + c)];
          ASSERT_TRUE(value[i] == v || std::isnan(v));
        }
      }
    });
  }
}

TEST(ReduceGrad, MatchesReference) {
  for (const auto& s : kTriples) {
    for (const ReduceOp op : kOps) {
      const Floats x = uniform(s.outer * s.reduce * s.inner, 1);
      const Floats dy = uniform(s.outer * s.inner, 2);
      const Floats before = uniform(s.outer * s.reduce * s.inner, 3);
      const Doubles wx = wide(x), wdy = wide(dy);
      std::vector<int64_t> index(dy.size());
      reference::argmax(s, wx.data(), index.data());
      for (const bool accumulate : {false, true}) {
        Doubles want(x.size());
        reference::reduce_grad(op, 0, s, wdy.data(), wx.data(), want.data());
        for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
        const auto compute = [&](Team& t) {
          Floats dx = before;
          ReduceGradArgs a;
          a.dy = dy.data();
          a.x = x.data();
          a.index = index.data();
          a.dx = dx.data();
          a.outer = s.outer;
          a.reduce = s.reduce;
          a.inner = s.inner;
          a.op = op;
          a.accumulate = accumulate;
          reduce_grad(a, t);
          return dx;
        };
        expect_kernel(compute, want, kMeanError);
      }
    }
  }
}

TEST(ReduceGrad, ReferenceAgreesWithDifferences) {
  const reference::Triple s{2, 5, 3};
  const Doubles dy = wide(uniform(6, 2));
  for (const ReduceOp op : kOps) {
    Doubles x = wide(uniform(30, 1)), dx(30), up(6), down(6);
    reference::reduce_grad(op, 1, s, dy.data(), x.data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = x[i], h = 1e-6;
      x[i] = at + h;
      reference::reduce(op, 1, s, x.data(), up.data());
      x[i] = at - h;
      reference::reduce(op, 1, s, x.data(), down.data());
      x[i] = at;
      double slope = 0.0;
      for (size_t k = 0; k < 6; ++k) slope += dy[k] * (up[k] - down[k]) / (2 * h);
      EXPECT_NEAR(dx[i], slope, 1e-7);
    }
  }
}

TEST(ColumnSum, StridedRowsAndAccumulation) {
  for (const auto& size :
       {std::pair<int64_t, int64_t>{0, 5}, {1, 1}, {127, 17}, {129, 513}, {1000, 1}, {1031, 300}}) {
    const int64_t rows = size.first, cols = size.second;
    const int64_t stride = cols + 3;
    const Floats x = uniform(rows * stride + 1, 1);
    const Floats before = uniform(cols, 2);
    for (const bool accumulate : {false, true}) {
      Doubles want(before.size());
      for (int64_t c = 0; c < cols; ++c) {
        auto& w = want[static_cast<size_t>(c)];
        w = accumulate ? before[static_cast<size_t>(c)] : 0.0;
        for (int64_t r = 0; r < rows; ++r) w += x[static_cast<size_t>(r * stride + c)];
      }
      const auto compute = [&](Team& t) {
        Floats out = before;
        auto scratch = scratch_of(column_sum_scratch_bytes(rows, cols, t.size()));
        column_sum({x.data(), out.data(), reinterpret_cast<float*>(scratch.data()), rows, cols,
                    stride, accumulate},
                   t);
        return out;
      };
      expect_kernel(compute, want, 1e-5);
    }
  }
}

TEST(SumTo, EveryPatternOfKeptAxes) {
  const std::vector<int64_t> shapes[] = {
      {}, {7}, {130, 9}, {3, 40, 5, 7}, {2, 3, 2, 3, 2, 150}, {2, 130, 1, 1030}, {4, 0, 3}};
  for (const auto& shape : shapes) {
    const auto dims = static_cast<int64_t>(shape.size());
    const Floats x = uniform(reference::count_of(dims, shape.data()), 1);
    const Doubles wx = wide(x);
    for (int mask = 0; mask < 1 << dims; ++mask) {
      std::vector<int64_t> out_shape = shape;
      for (int64_t i = 0; i < dims; ++i) {
        if ((mask >> i & 1) != 0) out_shape[static_cast<size_t>(i)] = 1;
      }
      const int64_t n = reference::count_of(dims, out_shape.data());
      const Floats before = uniform(n, 2);
      for (const bool accumulate : {false, true}) {
        Doubles want(static_cast<size_t>(n));
        reference::sum_to(dims, shape.data(), out_shape.data(), wx.data(), want.data());
        for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
        const auto compute = [&](Team& t) {
          Floats out = before;
          auto scratch =
              scratch_of(sum_to_scratch_bytes(dims, shape.data(), out_shape.data(), t.size()));
          SumToArgs a;
          a.x = x.data();
          a.out = out.data();
          a.scratch = reinterpret_cast<float*>(scratch.data());
          a.dims = dims;
          std::copy(shape.begin(), shape.end(), a.shape);
          std::copy(out_shape.begin(), out_shape.end(), a.out_shape);
          a.accumulate = accumulate;
          sum_to(a, t);
          return out;
        };
        SCOPED_TRACE(::testing::Message() << "dims " << dims << " mask " << mask);
        expect_kernel(compute, want, kSum);
      }
    }
  }
}

}  // namespace
}  // namespace ingot::kernels::reduce_test
