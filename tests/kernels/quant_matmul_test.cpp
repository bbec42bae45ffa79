// SPDX-License-Identifier: Apache-2.0
// The product on quantised weights: bit for bit against the ordered scalar loop of the reference on
// every instruction set of this processor, any team and any batch; against doubles within the
// documented error; saturation, NaN, strides and empty shapes.
#include "kernels/quant_matmul.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "quant_testing.h"

namespace ingot::kernels::quant_matmul_test {
namespace {

using namespace testing;  // NOLINT: the shared helpers of two test files

TEST(QuantizeActivations, EqualsTheReference) {
  const int64_t rows = 5, k = 100, groups = 4;
  std::vector<float> x = normals(rows * k, 2.0F, 8);
  std::fill(x.begin(), x.begin() + 32, 0.0F);
  x[40] = 3.0e38F;
  std::fill(x.begin() + 100, x.begin() + 132, 1.0e-35F);
  Bytes out(quantize_activations_bytes(rows, k));
  Team team(2);
  quantize_activations({x.data(), out.data(), rows, k, k}, team);
  const auto* codes = reinterpret_cast<const int8_t*>(out.data());
  const auto* scales = reinterpret_cast<const float*>(out.data() + 640);
  const auto* sums = reinterpret_cast<const int32_t*>(out.data() + 640 + 128);
  for (int64_t r = 0; r < rows; ++r) {
    const reference::QuantizedRow truth = reference::quantize_activation_row(x.data() + r * k, k);
    for (int64_t g = 0; g < groups; ++g) {
      int sum = 0;
      for (int64_t i = 0; i < 32; ++i) {
        const int code = truth.codes[static_cast<size_t>(g * 32 + i)];
        ASSERT_EQ(codes[(r * groups + g) * 32 + i], code) << "row " << r << " group " << g;
        sum += code;
      }
      EXPECT_EQ(scales[r * groups + g], truth.scales[static_cast<size_t>(g)]);
      EXPECT_EQ(sums[r * groups + g], -sum);
    }
  }
}

TEST(QuantMatmul, EqualsTheOrderedScalarLoopBitForBitOnEveryInstructionSet) {
  Team team(1);
  for (const QuantFormat format : kFormats) {
    for (const int64_t k : kSizesK) {
      for (const int64_t n : kSizesN) {
        const int64_t rows = 13;
        const Bytes w = quantized(format, normals(n * k, 0.1F, 9), n, k);
        const std::vector<float> x = normals(rows * k, 1.0F, 10);
        std::vector<float> truth;
        for (int64_t m = 0; m < rows; ++m) {
          const auto row = reference::quantize_activation_row(x.data() + m * k, k);
          for (int64_t r = 0; r < n; ++r) {
            // Adding zero, the absent bias, is the identity but for the sign of zero.
            truth.push_back(reference::quant_dot_ordered(format, w.data(), k, r, row));
          }
        }
        for (const detail::QuantIsa isa : instruction_sets()) {
          for (int64_t m = 1; m <= rows; ++m) {
            const std::vector<float> y = product({format, m, n, k}, x, w, team, isa);
            ASSERT_EQ(std::memcmp(y.data(), truth.data(), y.size() * sizeof(float)), 0)
                << "k " << k << " n " << n << " m " << m << " isa " << static_cast<int>(isa);
          }
        }
      }
    }
  }
}

TEST(QuantMatmul, LargestCodesDoNotSaturate) {
  Team team(1);
  const int64_t k = 64;
  for (const float sign : {1.0F, -1.0F}) {
    const std::vector<float> x(static_cast<size_t>(k), sign * 127.0F);
    const Bytes q8 = quantized(QuantFormat::kQ8, std::vector<float>(64, -127.0F), 1, k);
    std::vector<float> low_high(64, -8.0F);
    for (size_t i = 0; i < 32; ++i) low_high[i] = i == 0 ? -8.0F : 7.0F;
    const Bytes q4 = quantized(QuantFormat::kQ4, low_high, 1, k);
    for (const detail::QuantIsa isa : instruction_sets()) {
      EXPECT_EQ(product({QuantFormat::kQ8, 1, 1, k}, x, q8, team, isa)[0], -sign * 64 * 127 * 127);
      EXPECT_EQ(product({QuantFormat::kQ4, 1, 1, k}, x, q4, team, isa)[0],
                sign * 127 * (-8 + 31 * 7 - 32 * 8));
    }
  }
}

TEST(QuantMatmul, SameBytesForAnyTeamAndForARowAloneOrInABatch) {
  const int64_t rows = 205, n = 330, k = 515;  // more than one chunk of rows, an odd last tile
  const std::vector<float> x = normals(rows * k, 1.0F, 11);
  const std::vector<float> bias = normals(n, 1.0F, 12);
  for (const QuantFormat format : kFormats) {
    const Bytes w = quantized(format, normals(n * k, 0.1F, 13), n, k);
    for (const Activation activation : {Activation::kNone, Activation::kGelu}) {
      const detail::QuantIsa isa = detail::best_quant_isa();
      Team one(1);
      const Product all{format, rows, n, k};
      const std::vector<float> truth = product(all, x, w, one, isa, bias.data(), activation);
      for (const int workers : {2, 3, 8}) {
        Team team(workers);
        EXPECT_TRUE(same_bits(product(all, x, w, team, isa, bias.data(), activation), truth))
            << workers << " workers";
      }
      for (const int64_t count : {int64_t{1}, int64_t{33}}) {
        const std::vector<float> part(x.begin() + 7 * k, x.begin() + (7 + count) * k);
        const std::vector<float> y =
            product({format, count, n, k}, part, w, one, isa, bias.data(), activation);
        EXPECT_EQ(std::memcmp(y.data(), truth.data() + 7 * n, y.size() * sizeof(float)), 0);
      }
    }
  }
}

TEST(QuantMatmul, StaysWithinTheDocumentedErrorOfTheDoubleProduct) {
  const int64_t rows = 3, n = 50, k = 333;
  const std::vector<float> x = normals(rows * k, 1.0F, 14);
  Team team(1);
  for (const QuantFormat format : kFormats) {
    const Bytes w = quantized(format, normals(n * k, 0.1F, 15), n, k);
    const std::vector<float> y = product({format, rows, n, k}, x, w, team);
    for (int64_t m = 0; m < rows; ++m) {
      const auto row = reference::quantize_activation_row(x.data() + m * k, k);
      for (int64_t r = 0; r < n; ++r) {
        double bound = 1e-5;  // float rounding of eleven group sums of size about one
        for (int64_t i = 0; i < k; ++i) {
          bound += row.scales[static_cast<size_t>(i / 32)] * 0.50001 *
                   std::fabs(reference::quant_weight(format, w.data(), k, r, i));
        }
        const double truth = reference::quant_dot_exact(format, w.data(), k, r, x.data() + m * k);
        EXPECT_NEAR(y[static_cast<size_t>(m * n + r)], truth, bound);
      }
    }
  }
}

TEST(QuantMatmul, AddsBiasAndActivation) {
  const int64_t rows = 4, n = 37, k = 64;
  const std::vector<float> x = normals(rows * k, 1.0F, 16);
  const std::vector<float> bias = normals(n, 1.0F, 17);
  const Bytes w = quantized(QuantFormat::kQ8, normals(n * k, 0.2F, 18), n, k);
  Team team(1);
  const detail::QuantIsa isa = detail::best_quant_isa();
  const std::vector<float> plain = product({QuantFormat::kQ8, rows, n, k}, x, w, team, isa);
  for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                      Activation::kGeluTanh, Activation::kSilu}) {
    const std::vector<float> y =
        product({QuantFormat::kQ8, rows, n, k}, x, w, team, isa, bias.data(), activation);
    for (size_t i = 0; i < y.size(); ++i) {
      const double v = static_cast<double>(plain[i] + bias[i % static_cast<size_t>(n)]);
      // 2e-6: a few units in the last place of values up to about five.
      EXPECT_NEAR(y[i], reference::quant_activation(activation, v), 2e-6);
    }
  }
}

TEST(QuantMatmul, NanInOneRowStaysInThatRow) {
  const int64_t n = 20, k = 64;
  Team team(1);
  for (const QuantFormat format : kFormats) {
    const Bytes w = quantized(format, normals(n * k, 0.2F, 19), n, k);
    std::vector<float> x = normals(3 * k, 1.0F, 20);
    x[static_cast<size_t>(k + 40)] = std::numeric_limits<float>::quiet_NaN();
    for (const Activation activation : {Activation::kNone, Activation::kRelu}) {
      for (const detail::QuantIsa isa : instruction_sets()) {
        const auto y = product({format, 3, n, k}, x, w, team, isa, nullptr, activation);
        for (size_t i = 0; i < y.size(); ++i) {
          EXPECT_EQ(std::isnan(y[i]), i / static_cast<size_t>(n) == 1);
        }
      }
    }
  }
}

TEST(QuantMatmul, TakesReadyActivationsAndStridesAndLeavesTheRestAlone) {
  const int64_t rows = 3, n = 18, k = 70;
  const std::vector<float> x = normals(rows * 80, 1.0F, 21);
  const Bytes w = quantized(QuantFormat::kQ4, normals(n * k, 0.2F, 22), n, k);
  Team team(1);
  Bytes ready(quantize_activations_bytes(rows, k));
  quantize_activations({x.data(), ready.data(), rows, k, 80}, team);
  std::vector<float> y(static_cast<size_t>(rows * 20), -5.0F);
  QuantMatmulArgs args;
  args.weights = w.data();
  args.y = y.data();
  args.activations = ready.data();
  args.rows = rows;
  args.out_features = n;
  args.in_features = k;
  args.y_stride = 20;
  args.format = QuantFormat::kQ4;
  quant_matmul(args, team);
  std::vector<float> again(y.size(), -5.0F);
  args.x = x.data();
  args.x_stride = 80;
  args.y = again.data();
  quant_matmul(args, team);
  EXPECT_TRUE(same_bits(y, again));
  for (int64_t m = 0; m < rows; ++m) {
    const auto row = reference::quantize_activation_row(x.data() + m * 80, k);
    for (int64_t r = 0; r < 20; ++r) {
      const float truth =
          r < n ? reference::quant_dot_ordered(QuantFormat::kQ4, w.data(), k, r, row) : -5.0F;
      EXPECT_EQ(y[static_cast<size_t>(m * 20 + r)], truth);
    }
  }
}

TEST(QuantMatmul, EmptyShapesDoNothingAndNoColumnsGiveTheBias) {
  Team team(1);
  const Bytes w = quantized(QuantFormat::kQ8, {}, 3, 0);
  const std::vector<float> bias = {1.0F, -2.0F, 3.0F};
  const detail::QuantIsa isa = detail::best_quant_isa();
  EXPECT_EQ(product({QuantFormat::kQ8, 1, 3, 0}, {}, w, team, isa, bias.data()), bias);
  EXPECT_TRUE(product({QuantFormat::kQ8, 0, 3, 0}, {}, w, team, isa).empty());
}

}  // namespace
}  // namespace ingot::kernels::quant_matmul_test
