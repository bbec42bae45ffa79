// SPDX-License-Identifier: Apache-2.0
// rope.h against angles computed in double: both styles, partial rotation, strided views, given
// positions, in place; the inverse is the gradient, and undoes the rotation.
#include "kernels/rope.h"

#include "kernels/kernel_testing.h"
#include "kernels/reference/rope.h"

namespace ingot::kernels::rope_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 5e-7;  // two products of rounded cosines
constexpr int64_t kMaxPos = 300;
constexpr double kTheta = 10000.0;

struct Problem {
  reference::RopeShape s;
  Floats x, cos, sin;
  std::vector<int32_t> positions;
  explicit Problem(const reference::RopeShape& shape)
      : s(shape),
        x(uniform(s.batch * s.seq * s.heads * s.head_dim, 1)),
        cos(static_cast<size_t>(kMaxPos * s.rotary_dim / 2)),
        sin(cos.size()) {
    rope_tables(kMaxPos, s.rotary_dim, s.theta, cos.data(), sin.data());
    for (int64_t i = 0; i < s.batch * s.seq; ++i) {
      positions.push_back(static_cast<int32_t>(i * 37 % kMaxPos));
    }
  }
  [[nodiscard]] RopeArgs args(bool given) const {
    RopeArgs a;
    a.cos = cos.data();
    a.sin = sin.data();
    a.positions = given ? positions.data() : nullptr;
    a.batch = s.batch;
    a.seq = s.seq;
    a.heads = s.heads;
    a.head_dim = s.head_dim;
    a.rotary_dim = s.rotary_dim;
    for (int64_t* stride : {a.x_stride, a.y_stride}) {
      stride[2] = s.head_dim;
      stride[1] = s.heads * stride[2];
      stride[0] = s.seq * stride[1];
    }
    a.style = s.style;
    a.inverse = s.inverse;
    return a;
  }
};

std::vector<reference::RopeShape> shapes() {
  std::vector<reference::RopeShape> all;
  for (const RopeStyle style : {RopeStyle::kHalf, RopeStyle::kInterleaved}) {
    for (const bool inverse : {false, true}) {
      all.push_back({1, 1, 1, 2, 2, kTheta, style, inverse});
      all.push_back({2, 5, 3, 10, 6, kTheta, style, inverse});
      all.push_back({2, 7, 2, 64, 64, kTheta, style, inverse});
      all.push_back({1, 3, 1, 80, 78, 5e5, style, inverse});
      all.push_back({2, 200, 8, 100, 66, kTheta, style, inverse});
    }
  }
  return all;
}

TEST(Rope, MatchesReferenceApartAndInPlace) {
  for (const auto& s : shapes()) {
    const Problem p(s);
    const Doubles wx = wide(p.x);
    for (const bool given : {false, true}) {
      Doubles want(wx.size());
      reference::rope(s, given ? p.positions.data() : nullptr, wx.data(), want.data());
      const auto in_place = [&](Team& t) {
        Floats y = p.x;
        RopeArgs a = p.args(given);
        a.x = a.y = y.data();
        rope(a, t);
        return y;
      };
      expect_kernel(in_place, want, kTolerance);
      for (size_t i = 0; i < want.size(); ++i) want[i] += wx[i];
      const auto accumulated = [&](Team& t) {
        Floats y = p.x;
        RopeArgs a = p.args(given);
        a.x = p.x.data();
        a.y = y.data();
        a.accumulate = true;
        rope(a, t);
        return y;
      };
      expect_kernel(accumulated, want, 2 * kTolerance);
    }
  }
}

TEST(Rope, StridedViewsTouchOnlyTheirHeads) {
  // Queries of a fused [batch, seq, 3 heads, dim] projection into [batch, heads, seq, dim].
  const reference::RopeShape s{2, 9, 2, 12, 8, kTheta, RopeStyle::kHalf, false};
  const Problem p(s);
  const Floats fused = uniform(2 * 9 * 6 * 12, 3);
  Floats x;
  for (size_t token = 0; token < 18; ++token) {
    x.insert(x.end(), fused.begin() + static_cast<long>(token * 72),
             fused.begin() + static_cast<long>(token * 72 + 24));
  }
  const Doubles wx = wide(x);
  Doubles rotated(wx.size()), want(wx.size());
  reference::rope(s, nullptr, wx.data(), rotated.data());
  for (size_t i = 0; i < want.size(); ++i) {
    const size_t d = i % 12, h = i / 12 % 2, q = i / 24 % 9, b = i / 216;
    want[((b * 2 + h) * 9 + q) * 12 + d] = rotated[i];
  }
  const auto compute = [&](Team& t) {
    Floats y(want.size());
    RopeArgs a = p.args(false);
    a.x = fused.data();
    a.y = y.data();
    a.x_stride[0] = 9 * 72;
    a.x_stride[1] = 72;
    a.y_stride[1] = 12;
    a.y_stride[2] = 9 * 12;
    rope(a, t);
    return y;
  };
  expect_kernel(compute, want, kTolerance);
}

TEST(Rope, InverseIsTheTransposedJacobian) {
  // <dy, R x> = <R^T dy, x> for the reference, so the inverse is the gradient.
  for (auto s : shapes()) {
    s.inverse = false;
    const Problem p(s);
    const Doubles x = wide(p.x);
    const Doubles dy = wide(uniform(static_cast<int64_t>(x.size()), 9));
    Doubles y(x.size()), dx(x.size());
    reference::rope(s, nullptr, x.data(), y.data());
    s.inverse = true;
    reference::rope(s, nullptr, dy.data(), dx.data());
    double left = 0.0, right = 0.0;
    for (size_t i = 0; i < x.size(); ++i) {
      left += dy[i] * y[i];
      right += dx[i] * x[i];
    }
    EXPECT_NEAR(left, right, 1e-9);
  }
}

}  // namespace
}  // namespace ingot::kernels::rope_test
