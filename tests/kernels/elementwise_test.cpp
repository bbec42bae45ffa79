// SPDX-License-Identifier: Apache-2.0
// elementwise.h against plain loops in double: unary ops, arithmetic with broadcasting, selection,
// gated activations; in place, accumulated, on NaN and infinity, for every team and instruction
// set.
#include "kernels/elementwise.h"

#include <limits>

#include "kernels/copy.h"
#include "kernels/kernel_testing.h"
#include "kernels/reference/elementwise.h"

namespace ingot::kernels::elementwise_test {
namespace {

using namespace testing;  // NOLINT: test file

// math-inl.h promises 4e-7 relative for the functions; gradients chain two or three of them.
constexpr double kValue = 2e-6;
// Central differences in double at 1e-6: truncation and cancellation of about 1e-9.
constexpr double kDifference = 1e-7;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Unary {
  UnaryOp op;
  float p0 = 0.0F;
  float p1 = 0.0F;
  bool positive = false;
};

const Unary kUnary[] = {
    {UnaryOp::kNeg},
    {UnaryOp::kExp},
    {UnaryOp::kLog, 0, 0, true},
    {UnaryOp::kSqrt, 0, 0, true},
    {UnaryOp::kAbs},
    {UnaryOp::kTanh},
    {UnaryOp::kSigmoid},
    {UnaryOp::kRelu},
    {UnaryOp::kLeakyRelu, 0.1F},
    {UnaryOp::kGelu},
    {UnaryOp::kGeluTanh},
    {UnaryOp::kSilu},
    {UnaryOp::kPow, 3.0F},
    {UnaryOp::kPow, -2.0F},
    {UnaryOp::kPow, 0.0F},
    {UnaryOp::kPow, 19.0F},
    {UnaryOp::kPow, 0.5F, 0, true},
    {UnaryOp::kPow, 1.7F, 0, true},
    {UnaryOp::kClamp, -0.5F, 0.75F},
};

Floats inputs(const Unary& u, int64_t n) {
  return u.positive ? uniform(n, 5, 0.01F, 9.0F) : uniform(n, 5, -3.0F, 3.0F);
}

Floats run_unary(const Unary& u, const Floats& x, Team& team, bool in_place = false) {
  Floats y = in_place ? x : Floats(x.size());
  UnaryArgs a;
  a.x = in_place ? y.data() : x.data();
  a.y = y.data();
  a.n = static_cast<int64_t>(x.size());
  a.op = u.op;
  a.p0 = u.p0;
  a.p1 = u.p1;
  unary(a, team);
  return y;
}

TEST(Unary, MatchesReference) {
  for (const Unary& u : kUnary) {
    for (const int64_t n : kSizes) {
      SCOPED_TRACE(::testing::Message() << "op " << static_cast<int>(u.op) << " n " << n);
      const Floats x = inputs(u, n);
      Doubles want;
      for (const float v : x) want.push_back(reference::unary_value(u.op, v, u.p0, u.p1));
      expect_kernel([&](Team& t) { return run_unary(u, x, t); }, want, kValue);
      EXPECT_TRUE(same_bits(run_unary(u, x, team_of(0)), run_unary(u, x, team_of(1), true)));
    }
  }
}

TEST(Unary, SpecialValuesFollowC) {
  const Floats x = {kNan, kInf, -kInf, 0.0F, -0.0F, 1.0F, 100.0F, -100.0F, 1e30F};
  for (const Unary& u : kUnary) {
    // gelu and silu of -inf are 0 * inf: documented as NaN, unlike the limit.
    const bool product =
        u.op == UnaryOp::kGelu || u.op == UnaryOp::kGeluTanh || u.op == UnaryOp::kSilu;
    SCOPED_TRACE(::testing::Message() << "op " << static_cast<int>(u.op) << " p " << u.p0);
    Doubles want;
    for (const float v : x) {
      double w = reference::unary_value(u.op, v, u.p0, u.p1);
      if (product && v == -kInf) w = std::nan("");
      if (u.op == UnaryOp::kGeluTanh && v == kInf) w = kInf;
      want.push_back(w);
    }
    expect_kernel([&](Team& t) { return run_unary(u, x, t); }, want, kValue);
  }
}

TEST(UnaryGrad, MatchesReferenceAndDifferences) {
  for (const Unary& u : kUnary) {
    for (const int64_t n : kSizes) {
      SCOPED_TRACE(::testing::Message() << "op " << static_cast<int>(u.op) << " n " << n);
      const Floats x = inputs(u, n);
      const Floats y = run_unary(u, x, team_of(0));
      const Floats dy = uniform(n, 6);
      const Floats before = uniform(n, 7);
      for (const bool accumulate : {false, true}) {
        Doubles want;
        for (size_t i = 0; i < x.size(); ++i) {
          const double slope = reference::unary_slope(u.op, x[i], u.p0, u.p1);
          want.push_back(dy[i] * slope + (accumulate ? before[i] : 0.0));
        }
        const auto compute = [&](Team& t) {
          Floats dx = before;
          UnaryGradArgs a;
          a.dy = dy.data();
          a.saved = unary_saves_output(u.op) ? y.data() : x.data();
          a.dx = dx.data();
          a.n = n;
          a.op = u.op;
          a.p0 = u.p0;
          a.p1 = u.p1;
          a.accumulate = accumulate;
          unary_grad(a, t);
          return dx;
        };
        expect_kernel(compute, want, 4 * kValue);
      }
    }
    for (const double x : {0.3, 0.9, 2.5}) {
      const double h = 1e-6;
      const double slope = (reference::unary_value(u.op, x + h, u.p0, u.p1) -
                            reference::unary_value(u.op, x - h, u.p0, u.p1)) /
                           (2 * h);
      const double want = reference::unary_slope(u.op, x, u.p0, u.p1);
      EXPECT_NEAR(slope, want, kDifference * std::fmax(1.0, std::fabs(want)) * 10);
    }
  }
}

struct Broadcast {
  std::vector<int64_t> shape, stride_a, stride_b;
};

const Broadcast kBroadcasts[] = {
    {{}, {}, {}},
    {{17}, {1}, {1}},
    {{1000}, {1}, {0}},
    {{1000}, {0}, {1}},
    {{33, 17}, {17, 1}, {0, 1}},
    {{33, 17}, {17, 1}, {1, 0}},
    {{33, 17}, {1, 33}, {17, 1}},
    {{3, 5, 7}, {35, 7, 1}, {0, 7, 0}},
    {{2, 3, 4, 5, 2, 3}, {360, 120, 30, 6, 3, 1}, {0, 1, 0, 3, 0, 0}},
    {{600, 500}, {500, 1}, {0, 1}},
    {{2, 150000}, {150000, 1}, {150000, 1}},
    {{2, 150001}, {0, 1}, {1, 0}},
    {{4, 0, 3}, {0, 3, 1}, {0, 0, 1}},
};

int64_t extent(const std::vector<int64_t>& shape, const std::vector<int64_t>& stride) {
  int64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i) last += std::max<int64_t>(shape[i] - 1, 0) * stride[i];
  return last + 1;
}

struct Case {
  Broadcast b;
  int64_t n, dims;
  Floats x, y;
  Doubles wx, wy;
  explicit Case(const Broadcast& from)
      : b(from),
        n(reference::count_of(static_cast<int64_t>(b.shape.size()), b.shape.data())),
        dims(static_cast<int64_t>(b.shape.size())),
        x(uniform(extent(b.shape, b.stride_a), 1)),
        y(uniform(extent(b.shape, b.stride_b), 2, 0.5F, 2.0F)),
        wx(wide(x)),
        wy(wide(y)) {}
  template <class Args>
  void fill_in(Args& a) const {
    a.dims = dims;
    std::copy(b.shape.begin(), b.shape.end(), a.shape);
    std::copy(b.stride_a.begin(), b.stride_a.end(), a.stride_a);
    std::copy(b.stride_b.begin(), b.stride_b.end(), a.stride_b);
  }
};

constexpr BinaryOp kBinary[] = {BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul, BinaryOp::kDiv};

TEST(Binary, BroadcastsLikeReference) {
  for (const Broadcast& b : kBroadcasts) {
    const Case c(b);
    for (const BinaryOp op : kBinary) {
      for (const bool accumulate : {false, true}) {
        SCOPED_TRACE(::testing::Message() << "n " << c.n << " op " << static_cast<int>(op));
        const Floats before = uniform(c.n, 3);
        Doubles want(static_cast<size_t>(c.n));
        reference::binary(op, c.dims, b.shape.data(), {c.wx.data(), b.stride_a.data()},
                          {c.wy.data(), b.stride_b.data()}, want.data());
        for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += before[i];
        const auto compute = [&](Team& t) {
          Floats out = before;
          BinaryArgs a;
          c.fill_in(a);
          a.a = c.x.data();
          a.b = c.y.data();
          a.out = out.data();
          a.op = op;
          a.accumulate = accumulate;
          binary(a, t);
          return out;
        };
        expect_kernel(compute, want, 3e-7);
      }
    }
  }
}

TEST(BinaryGrad, MatchesReference) {
  for (const Broadcast& b : kBroadcasts) {
    const Case c(b);
    const Floats dy = uniform(c.n, 4);
    const Doubles wdy = wide(dy);
    for (const BinaryOp op : kBinary) {
      for (const int wrt : {0, 1}) {
        Doubles want(static_cast<size_t>(c.n));
        reference::binary_grad(op, wrt, c.dims, b.shape.data(), wdy.data(),
                               {c.wx.data(), b.stride_a.data()}, {c.wy.data(), b.stride_b.data()},
                               want.data());
        const auto compute = [&](Team& t) {
          Floats dx(static_cast<size_t>(c.n), kNan);
          BinaryGradArgs a;
          c.fill_in(a);
          a.dy = dy.data();
          a.a = c.x.data();
          a.b = c.y.data();
          a.dx = dx.data();
          a.op = op;
          a.wrt = wrt;
          binary_grad(a, t);
          return dx;
        };
        expect_kernel(compute, want, 1e-6);
      }
    }
  }
}

TEST(Where, SelectsAndItsGradientRoutes) {
  for (const Broadcast& b : kBroadcasts) {
    const Case c(b);
    std::vector<uint8_t> cond(static_cast<size_t>(c.n));
    Doubles wcond;
    for (size_t i = 0; i < cond.size(); ++i)
      cond[i] = static_cast<uint8_t>(i * 7 % 3 == 0 ? 200 : 0);
    for (const uint8_t v : cond) wcond.push_back(v);
    std::vector<int64_t> dense(kMaxDims);
    contiguous_strides(c.dims, b.shape.data(), dense.data());
    Doubles want(static_cast<size_t>(c.n));
    reference::where(c.dims, b.shape.data(), {wcond.data(), dense.data()},
                     {c.wx.data(), b.stride_a.data()}, {c.wy.data(), b.stride_b.data()},
                     want.data());
    const auto compute = [&](Team& t) {
      Floats out(static_cast<size_t>(c.n));
      WhereArgs a;
      c.fill_in(a);
      std::copy(dense.begin(), dense.end(), a.stride_cond);
      a.cond = cond.data();
      a.a = c.x.data();
      a.b = c.y.data();
      a.out = out.data();
      where(a, t);
      return out;
    };
    expect_kernel(compute, want, 0.0);
    const Floats dy = uniform(c.n, 9);
    for (const int wrt : {0, 1}) {
      Doubles routed;
      for (size_t i = 0; i < dy.size(); ++i)
        routed.push_back((cond[i] != 0) == (wrt == 0) ? dy[i] : 0);
      const auto grad = [&](Team& t) {
        Floats dx(static_cast<size_t>(c.n));
        WhereGradArgs a;
        a.dims = c.dims;
        std::copy(b.shape.begin(), b.shape.end(), a.shape);
        std::copy(dense.begin(), dense.end(), a.stride_cond);
        a.cond = cond.data();
        a.dy = dy.data();
        a.dx = dx.data();
        a.wrt = wrt;
        where_grad(a, t);
        return dx;
      };
      expect_kernel(grad, routed, 0.0);
    }
  }
}

TEST(ScaleAdd, ScalesByValueAndPointer) {
  for (const int64_t n : kSizes) {
    const Floats x = uniform(n, 1);
    const Floats before = uniform(n, 2);
    const float factor = 0.75F;
    for (const bool accumulate : {false, true}) {
      Doubles want;
      for (size_t i = 0; i < x.size(); ++i)
        want.push_back(-1.5 * x[i] + (accumulate ? before[i] : 0));
      const auto compute = [&](Team& t) {
        Floats dst = before;
        ScaleAddArgs a;
        a.x = x.data();
        a.scale = &factor;
        a.dst = dst.data();
        a.n = n;
        a.alpha = -2.0F;
        a.accumulate = accumulate;
        scale_add(a, t);
        return dst;
      };
      expect_kernel(compute, want, 2e-7);
    }
    FillArgs f;
    Floats filled(static_cast<size_t>(n));
    f.dst = filled.data();
    f.n = n;
    f.value = 3.5F;
    fill(f, team_of(1));
    EXPECT_EQ(filled, Floats(static_cast<size_t>(n), 3.5F));
  }
}

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                       Activation::kGeluTanh, Activation::kSilu};

TEST(Gated, ForwardAndGradientOverStridedHalves) {
  for (const auto& size : {std::pair<int64_t, int64_t>{1, 1}, {3, 17}, {301, 513}}) {
    const int64_t rows = size.first, cols = size.second;
    const Floats both = uniform(rows * cols * 2, 1);
    const Floats dh = uniform(rows * cols, 2);
    for (const Activation act : kActivations) {
      Doubles want_h, want_d(both.size());
      for (int64_t k = 0; k < rows * cols; ++k) {
        const auto at = static_cast<size_t>(k / cols * 2 * cols + k % cols);
        const double g = both[at], u = both[at + static_cast<size_t>(cols)];
        const double d = dh[static_cast<size_t>(k)];
        want_h.push_back(reference::activation_value(act, g) * u);
        want_d[at] = d * u * reference::activation_slope(act, g);
        want_d[at + static_cast<size_t>(cols)] = d * reference::activation_value(act, g);
      }
      const auto forward = [&](Team& t) {
        Floats h(static_cast<size_t>(rows * cols));
        const GatedArgs a{both.data(), both.data() + cols, h.data(), rows,
                          cols,        2 * cols,           2 * cols, act};
        gated(a, t);
        return h;
      };
      expect_kernel(forward, want_h, kValue);
      const auto backward = [&](Team& t) {
        Floats d = both;  // in place: gradients over their own inputs
        GatedGradArgs a;
        a.dh = dh.data();
        a.gate = a.dgate = d.data();
        a.up = a.dup = d.data() + cols;
        a.rows = rows;
        a.cols = cols;
        a.gate_stride = a.up_stride = 2 * cols;
        a.activation = act;
        gated_grad(a, t);
        return d;
      };
      expect_kernel(backward, want_d, 4 * kValue);
    }
  }
}

}  // namespace
}  // namespace ingot::kernels::elementwise_test
