// SPDX-License-Identifier: Apache-2.0
// conv.h against plain loops in double, for every instruction set and team size: strides,
// dilations, asymmetric padding, groups, depthwise, blocks of k, and the promises on bytes.
#include "kernels/conv.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/kernel_testing.h"
#include "kernels/reference/conv.h"
#include "kernels/reference/elementwise.h"

namespace ingot::kernels::conv_test {
namespace {

using testing::Doubles;
using testing::Floats;
using testing::wide;

// Values are in [-1, 1], so a chain over k of them wanders to sqrt(k) / 3 and each of its roundings
// is 2^-24 of that: together about 8e-9 k in one block of kGemmBlockK; six times as much is
// allowed.
double rounding(int64_t k) {
  const int64_t chain = std::min<int64_t>(k, kGemmBlockK);
  return 4e-7 + 5e-8 * std::sqrt(static_cast<double>(k) * static_cast<double>(chain));
}

struct Problem {
  const char* what;
  int64_t batch, in_h, in_w, in_channels, out_channels, kernel_h, kernel_w;
  int64_t stride_h = 1, stride_w = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  int64_t dilation_h = 1, dilation_w = 1, groups = 1;
};

ConvGeometry geometry_of(const Problem& p) {
  const auto out = [](int64_t in, int64_t pad, int64_t kernel, int64_t dilation, int64_t stride) {
    return (in + pad - dilation * (kernel - 1) - 1) / stride + 1;
  };
  ConvGeometry s;
  s.batch = p.batch, s.in_h = p.in_h, s.in_w = p.in_w, s.in_channels = p.in_channels;
  s.out_h = out(p.in_h, p.top + p.bottom, p.kernel_h, p.dilation_h, p.stride_h);
  s.out_w = out(p.in_w, p.left + p.right, p.kernel_w, p.dilation_w, p.stride_w);
  s.out_channels = p.out_channels, s.kernel_h = p.kernel_h, s.kernel_w = p.kernel_w;
  s.stride_h = p.stride_h, s.stride_w = p.stride_w, s.pad_top = p.top, s.pad_left = p.left;
  s.dilation_h = p.dilation_h, s.dilation_w = p.dilation_w, s.groups = p.groups;
  return s;
}

const Problem kProblems[] = {
    {"one element", 1, 1, 1, 1, 1, 1, 1},
    {"one pixel kernel", 2, 5, 4, 7, 9, 1, 1},
    {"3x3", 2, 6, 5, 4, 5, 3, 3},
    {"3x3 padded", 2, 6, 5, 4, 5, 3, 3, 1, 1, 1, 1, 1, 1},
    {"three channels, 5x5", 2, 9, 11, 3, 33, 5, 5},
    {"stride 2 padded", 2, 7, 8, 5, 6, 3, 3, 2, 2, 1, 1, 1, 1},
    {"stride 2, one pixel", 2, 7, 8, 5, 6, 1, 1, 2, 2},
    {"stride 3 by 2", 1, 11, 9, 2, 35, 2, 3, 3, 2, 0, 2, 1, 0},
    {"dilation 2", 1, 9, 10, 3, 4, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2},
    {"dilation 3 by 2, stride 2", 1, 12, 13, 3, 4, 3, 2, 2, 2, 1, 0, 2, 1, 3, 2},
    {"dilation 2, stride 4", 1, 12, 13, 3, 4, 3, 2, 4, 4, 1, 0, 2, 1, 2, 2},
    {"asymmetric", 2, 5, 6, 3, 4, 2, 4, 1, 1, 0, 1, 2, 1},
    {"kernel larger than the image", 1, 2, 3, 4, 5, 5, 4, 1, 1, 3, 3, 2, 2},
    {"padding beyond the kernel", 1, 3, 3, 2, 3, 2, 2, 1, 1, 4, 3, 3, 4},
    {"kernel of the image's size", 3, 4, 4, 6, 10, 4, 4},
    {"two groups", 2, 6, 5, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2},
    {"three groups, stride 2", 2, 7, 6, 9, 6, 3, 2, 2, 1, 1, 0, 0, 1, 1, 1, 3},
    {"groups of one input channel", 1, 6, 5, 3, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3},
    {"wide groups", 1, 5, 5, 80, 70, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2},
    {"depthwise", 2, 6, 5, 7, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 7},
    {"depthwise, stride 2", 1, 8, 7, 37, 37, 3, 3, 2, 2, 1, 0, 1, 0, 1, 1, 37},
    {"depthwise, dilation 2, many channels", 1, 9, 8, 70, 70, 3, 2, 1, 2, 2, 1, 0, 2, 2, 2, 70},
    {"blocks of k", 1, 7, 6, 67, 40, 3, 3, 1, 1, 1, 1, 1, 1},
    {"blocks of k, stride 2", 1, 9, 9, 131, 34, 3, 3, 2, 2, 1, 1, 1, 1},
    {"many pixels", 3, 30, 31, 3, 17, 3, 3, 1, 1, 1, 1, 1, 1},
    {"many pixels, depthwise", 3, 30, 31, 18, 18, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 18},
    {"few pixels, many channels", 1, 2, 2, 260, 300, 3, 3, 1, 1, 1, 1, 1, 1},
    {"enough for a team, stride 2, two groups", 2, 22, 23, 24, 40, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 2},
    {"enough for a team, dilation 2", 1, 20, 21, 16, 30, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2},
    {"across images", 15, 4, 5, 5, 19, 3, 3, 1, 1, 1, 1, 1, 1},
    {"across images, stride 2, dilation 2", 15, 7, 6, 5, 19, 3, 3, 2, 2, 2, 1, 1, 2, 2, 1},
    {"across images, groups", 20, 4, 4, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2},
    {"across images, blocks of k", 17, 3, 4, 67, 300, 3, 3, 1, 1, 1, 1, 1, 1},
    {"stride beyond the kernel", 1, 9, 8, 3, 4, 2, 2, 3, 4},
    {"no images", 0, 5, 5, 3, 4, 3, 3}};

/// The operands of a problem and a way to run each pass on a team.
struct Data {
  ConvGeometry s;
  Floats in, weight, dout, in_bias, out_bias;
  int64_t depth_k, channels_k;

  explicit Data(const Problem& p) : s(geometry_of(p)) {
    const int64_t taps = s.kernel_h * s.kernel_w;
    in = testing::uniform(s.batch * s.in_h * s.in_w * s.in_channels, 1, -1.0F, 1.0F);
    weight = testing::uniform(s.out_channels * taps * (s.in_channels / s.groups), 2, -1.0F, 1.0F);
    dout = testing::uniform(s.batch * s.out_h * s.out_w * s.out_channels, 3, -1.0F, 1.0F);
    in_bias = testing::uniform(s.in_channels, 4);
    out_bias = testing::uniform(s.out_channels, 5);
    depth_k = taps * (s.in_channels / s.groups);
    channels_k = taps * (s.out_channels / s.groups);
  }

  [[nodiscard]] Floats forward(Team& team, bool with_bias = false,
                               Activation activation = Activation::kNone,
                               Floats* pre = nullptr) const {
    Floats result(dout.size(), 7.0F);
    std::vector<double> scratch = testing::scratch_of(conv_scratch_bytes(s, team.size()));
    ConvArgs a;
    a.source = in.data(), a.weight = weight.data(), a.result = result.data();
    if (with_bias) a.bias = out_bias.data();
    if (pre != nullptr) {
      pre->assign(dout.size(), 7.0F);
      a.pre = pre->data();
    }
    a.scratch = reinterpret_cast<float*>(scratch.data());
    a.shape = s;
    a.activation = activation;
    conv(a, team);
    return result;
  }
  [[nodiscard]] Floats transposed(Team& team, bool with_bias, const Floats* start = nullptr) const {
    Floats result = start != nullptr ? *start : Floats(in.size(), 7.0F);
    std::vector<double> scratch =
        testing::scratch_of(conv_transposed_scratch_bytes(s, team.size()));
    ConvArgs a;
    a.source = dout.data(), a.weight = weight.data(), a.result = result.data();
    if (with_bias) a.bias = in_bias.data();
    a.scratch = reinterpret_cast<float*>(scratch.data());
    a.shape = s;
    a.accumulate = start != nullptr;
    conv_transposed(a, team);
    return result;
  }
  [[nodiscard]] Floats weight_grad(Team& team, const Floats* start = nullptr) const {
    Floats result = start != nullptr ? *start : Floats(weight.size(), 7.0F);
    std::vector<double> scratch =
        testing::scratch_of(conv_weight_grad_scratch_bytes(s, team.size()));
    ConvWeightGradArgs a;
    a.in = in.data(), a.dout = dout.data(), a.dweight = result.data();
    a.scratch = reinterpret_cast<float*>(scratch.data());
    a.shape = s;
    a.accumulate = start != nullptr;
    conv_weight_grad(a, team);
    return result;
  }
};

Doubles plus(Doubles a, const Floats& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += static_cast<double>(b[i]);
  return a;
}

TEST(Conv, EqualsDoubleLoopsForEveryTeam) {
  for (const Problem& p : kProblems) {
    SCOPED_TRACE(p.what);
    const Data d(p);
    Doubles plain(d.dout.size()), biased(d.dout.size());
    reference::conv(d.s, wide(d.in).data(), wide(d.weight).data(), nullptr, plain.data());
    reference::conv(d.s, wide(d.in).data(), wide(d.weight).data(), wide(d.out_bias).data(),
                    biased.data());
    testing::expect_kernel([&](Team& t) { return d.forward(t); }, plain, rounding(d.depth_k));
    testing::expect_kernel([&](Team& t) { return d.forward(t, true); }, biased,
                           rounding(d.depth_k));
  }
}

TEST(Conv, TransposedEqualsDoubleLoopsForEveryTeam) {
  for (const Problem& p : kProblems) {
    SCOPED_TRACE(p.what);
    const Data d(p);
    Doubles plain(d.in.size()), biased(d.in.size());
    reference::conv_transposed(d.s, wide(d.dout).data(), wide(d.weight).data(), nullptr,
                               plain.data());
    reference::conv_transposed(d.s, wide(d.dout).data(), wide(d.weight).data(),
                               wide(d.in_bias).data(), biased.data());
    testing::expect_kernel([&](Team& t) { return d.transposed(t, false); }, plain,
                           rounding(d.channels_k));
    testing::expect_kernel([&](Team& t) { return d.transposed(t, true); }, biased,
                           rounding(d.channels_k));
    const Floats start = testing::uniform(static_cast<int64_t>(d.in.size()), 6);
    testing::expect_kernel([&](Team& t) { return d.transposed(t, false, &start); },
                           plus(plain, start), rounding(d.channels_k));
  }
}

TEST(Conv, WeightGradientEqualsDoubleLoopsForEveryTeam) {
  for (const Problem& p : kProblems) {
    SCOPED_TRACE(p.what);
    const Data d(p);
    Doubles want(d.weight.size());
    reference::conv_weight_grad(d.s, wide(d.in).data(), wide(d.dout).data(), want.data());
    const int64_t k = d.s.batch * d.s.out_h * d.s.out_w;
    testing::expect_kernel([&](Team& t) { return d.weight_grad(t); }, want, rounding(k));
    const Floats start = testing::uniform(static_cast<int64_t>(d.weight.size()), 6);
    testing::expect_kernel([&](Team& t) { return d.weight_grad(t, &start); }, plus(want, start),
                           rounding(k));
  }
}

TEST(Conv, EpilogueKeepsPreAndActivates) {
  for (const Problem& p : {kProblems[1], kProblems[5], kProblems[20], kProblems[22]}) {
    SCOPED_TRACE(p.what);
    const Data d(p);
    Doubles want_pre(d.dout.size());
    reference::conv(d.s, wide(d.in).data(), wide(d.weight).data(), wide(d.out_bias).data(),
                    want_pre.data());
    for (int32_t k = 0; k <= 4; ++k) {
      const auto activation = static_cast<Activation>(k);
      Doubles want = want_pre;
      for (double& x : want) x = reference::activation_value(activation, x);
      for_each_target([&] {
        Floats pre;
        const Floats got = d.forward(testing::team_of(1), true, activation, &pre);
        testing::expect_close(pre, want_pre, rounding(d.depth_k));
        testing::expect_close(got, want, 2.0 * rounding(d.depth_k));
      });
    }
  }
}

TEST(Conv, AddsInTheOrderOfGemm) {
  // The patches written out, multiplied by gemm: the same chains, so the same bytes.
  for (const Problem& p :
       {kProblems[2], kProblems[5], kProblems[8], kProblems[22], kProblems[23]}) {
    SCOPED_TRACE(p.what);
    const Data d(p);
    const ConvGeometry& s = d.s;
    const int64_t pixels = s.batch * s.out_h * s.out_w, k = d.depth_k;
    Floats patches(static_cast<size_t>(pixels * k), 0.0F);
    for (int64_t m = 0; m < pixels; ++m) {
      for (int64_t e = 0; e < k; ++e) {
        const int64_t tap = e / s.in_channels, c = e % s.in_channels;
        const int64_t y =
            m / s.out_w % s.out_h * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
        const int64_t x = m % s.out_w * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
        if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) continue;
        const int64_t image = m / (s.out_h * s.out_w);
        patches[static_cast<size_t>(m * k + e)] =
            d.in[static_cast<size_t>(((image * s.in_h + y) * s.in_w + x) * s.in_channels + c)];
      }
    }
    for_each_target([&] {
      GemmArgs g;
      g.a = patches.data(), g.b = d.weight.data();
      g.m = pixels, g.n = s.out_channels, g.k = k, g.lda = k, g.ldb = k, g.ldc = s.out_channels;
      g.trans_b = true;
      Floats product(d.dout.size());
      g.c = product.data();
      std::vector<double> scratch = testing::scratch_of(gemm_scratch_bytes(g, 2));
      g.scratch = reinterpret_cast<float*>(scratch.data());
      gemm(g, testing::team_of(1));
      EXPECT_TRUE(testing::same_bits(product, d.forward(testing::team_of(1))));

      Floats gradient(d.weight.size());
      g.a = d.dout.data(), g.b = patches.data(), g.c = gradient.data();
      g.m = s.out_channels, g.n = k, g.k = pixels, g.lda = s.out_channels, g.ldb = k, g.ldc = k;
      g.trans_a = true, g.trans_b = false;
      scratch = testing::scratch_of(gemm_scratch_bytes(g, 2));
      g.scratch = reinterpret_cast<float*>(scratch.data());
      gemm(g, testing::team_of(1));
      EXPECT_TRUE(testing::same_bits(gradient, d.weight_grad(testing::team_of(1))));
    });
  }
}

TEST(Conv, AnImageAloneHasTheBytesItHasInABatch) {
  for (Problem p : {kProblems[3], kProblems[5], kProblems[15], kProblems[19], kProblems[24]}) {
    SCOPED_TRACE(p.what);
    p.batch = 9;
    const Data all(p);
    Data one = all;
    one.s.batch = 1;
    const auto in_size = static_cast<std::ptrdiff_t>(all.in.size() / 9);
    const auto out_size = static_cast<std::ptrdiff_t>(all.dout.size() / 9);
    one.in.assign(all.in.begin() + 4 * in_size, all.in.begin() + 5 * in_size);
    one.dout.assign(all.dout.begin() + 4 * out_size, all.dout.begin() + 5 * out_size);
    for_each_target([&] {
      const Floats y = all.forward(testing::team_of(1)),
                   dx = all.transposed(testing::team_of(1), false);
      EXPECT_TRUE(testing::same_bits(Floats(y.begin() + 4 * out_size, y.begin() + 5 * out_size),
                                     one.forward(testing::team_of(2))));
      EXPECT_TRUE(testing::same_bits(Floats(dx.begin() + 4 * in_size, dx.begin() + 5 * in_size),
                                     one.transposed(testing::team_of(2), false)));
    });
  }
}

TEST(Conv, NaNStaysInTheWindowsThatReadIt) {
  Data d(kProblems[3]);
  d.in[static_cast<size_t>((2 * d.s.in_w + 3) * d.s.in_channels)] = NAN;  // image 0, pixel (2, 3)
  for_each_target([&] {
    const Floats got = d.forward(testing::team_of(1), true, Activation::kRelu);
    for (size_t i = 0; i < got.size(); ++i) {
      const auto pixel = static_cast<int64_t>(i) / d.s.out_channels;
      const int64_t y = pixel / d.s.out_w, x = pixel % d.s.out_w;
      EXPECT_EQ(std::isnan(got[i]), y < d.s.out_h && std::abs(y - 2) <= 1 && std::abs(x - 3) <= 1);
    }
  });
}

TEST(Conv, ScratchOfABlockDoesNotGrowWithTheBatch) {
  Problem p = kProblems[3];
  p.batch = 100;
  const int64_t hundred = conv_scratch_bytes(geometry_of(p), 2);
  p.batch = 10000;
  EXPECT_EQ(conv_scratch_bytes(geometry_of(p), 2), hundred);
  EXPECT_EQ(conv_weight_grad_scratch_bytes(geometry_of(p), 2),
            conv_weight_grad_scratch_bytes(geometry_of(kProblems[3]), 2));
}

}  // namespace
}  // namespace ingot::kernels::conv_test
