// SPDX-License-Identifier: Apache-2.0
// Quantised matrices: the layout against hand-computed offsets and bytes, rounding against the
// documented bounds, limits of float16 scales, non-finite weights, and equal bytes for any team
// and instruction set. The product is in quant_matmul_test.cpp.
#include "kernels/quant.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/each_target.h"
#include "quant_testing.h"

namespace ingot::kernels::quant_test {
namespace {

using namespace testing;  // NOLINT: the shared helpers of two test files

TEST(QuantLayout, OffsetsAreTheDocumentedOnes) {
  EXPECT_EQ(quant_groups(100), 4);
  EXPECT_EQ(quant_tiles(17), 2);
  EXPECT_EQ(quant_tile_bytes(QuantFormat::kQ8, 100), 128 + 4 * 512);
  EXPECT_EQ(quant_tile_bytes(QuantFormat::kQ4, 100), 128 + 4 * 256);
  EXPECT_EQ(quant_tile_bytes(QuantFormat::kQ8, 32), 64 + 512);
  // Row 17 is row 1 of tile 1; k = 37 is place 5 of group 1.
  EXPECT_EQ(quant_scale_offset(QuantFormat::kQ8, 100, 17, 37), 2176 + 32 + 2);
  EXPECT_EQ(quant_code_offset(QuantFormat::kQ8, 100, 17, 37), 2176 + 128 + 512 + 64 + 4 + 1);
  EXPECT_EQ(quant_scale_offset(QuantFormat::kQ4, 100, 17, 37), 1152 + 32 + 2);
  EXPECT_EQ(quant_code_offset(QuantFormat::kQ4, 100, 17, 37), 1152 + 128 + 256 + 0 + 4 + 1);
  EXPECT_EQ(quant_code_offset(QuantFormat::kQ4, 100, 3, 30), 128 + 3 * 64 + 3 * 4 + 2);
}

TEST(QuantLayout, BytesPerWeightAreTheDocumentedOnes) {
  EXPECT_EQ(quant_matrix_bytes(QuantFormat::kQ8, 2048, 2048), 2048LL * 2048 * 17 / 16);
  EXPECT_EQ(quant_matrix_bytes(QuantFormat::kQ4, 2048, 2048), 2048LL * 2048 * 9 / 16);
  EXPECT_EQ(quant_matrix_bytes(QuantFormat::kQ8, 0, 64), 0);
}

std::string size_error(int64_t n, int64_t k) {
  try {
    (void)quant_matrix_bytes(QuantFormat::kQ8, n, k);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

TEST(QuantLayout, RefusesSizesThatCannotBe) {
  EXPECT_EQ(size_error(-1, 32), "quantise: out_features is -1, must be between 0 and 1073741824");
  EXPECT_EQ(size_error(32, int64_t{1} << 62),
            "quantise: in_features is 4611686018427387904, must be between 0 and 1073741824");
}

TEST(QuantLayout, KnownQ8BytesOfOneRow) {
  std::vector<float> w(33, 0.0F);
  w[0] = 127.0F;  // scale 1 = 0x3C00
  w[5] = -3.0F;
  w[32] = -254.0F;  // scale 2 = 0x4000
  const Bytes q = quantized(QuantFormat::kQ8, w, 1, 33);
  ASSERT_EQ(q.size(), 64 + 2 * 512);
  std::vector<uint8_t> expected(static_cast<size_t>(q.size()), 0);
  expected[1] = 0x3C;
  expected[32 + 1] = 0x40;
  expected[64] = 127;
  expected[64 + 64 + 1] = 0xFD;
  expected[64 + 512] = 0x81;
  EXPECT_EQ(std::memcmp(q.data(), expected.data(), expected.size()), 0);
}

TEST(QuantLayout, KnownQ4BytesOfOneRow) {
  std::vector<float> w(40, 0.0F);
  for (int i = 0; i < 32; ++i) w[static_cast<size_t>(i)] = static_cast<float>(i % 16 - 8) * 0.5F;
  const Bytes q = quantized(QuantFormat::kQ4, w, 1, 40);
  EXPECT_EQ(q.data()[0], 0x00);  // scale 0.5 = 0x3800
  EXPECT_EQ(q.data()[1], 0x38);
  const uint8_t first[] = {0x40, 0x51, 0x62, 0x73};   // k = 0..3 low, k = 4..7 high
  const uint8_t second[] = {0xC8, 0xD9, 0xEA, 0xFB};  // k = 8..11 low, k = 12..15 high
  EXPECT_EQ(std::memcmp(q.data() + 64, first, 4), 0);
  EXPECT_EQ(std::memcmp(q.data() + 128, second, 4), 0);
  EXPECT_EQ(q.data()[64 + 4], 0x88);  // a padding row
  EXPECT_EQ(q.data()[32], 0x00);      // group 1 is all zero: scale 0
  EXPECT_EQ(q.data()[33], 0x00);
  EXPECT_EQ(q.data()[64 + 256], 0x88);
}

TEST(QuantizeQ8, ErrorIsAtMostHalfAStep) {
  for (const int64_t k : kSizesK) {
    for (const int64_t n : kSizesN) {
      const std::vector<float> w = normals(n * k, 0.05F, 1);
      const Bytes q = quantized(QuantFormat::kQ8, w, n, k);
      for (int64_t r = 0; r < n; ++r) {
        for (int64_t i = 0; i < k; ++i) {
          const double scale = reference::quant_scale(QuantFormat::kQ8, q.data(), k, r, i);
          const double error =
              w[static_cast<size_t>(r * k + i)] - weight(QuantFormat::kQ8, q, k, r, i);
          // 1e-5: the product w * (1 / scale) rounds in float before the code is chosen.
          ASSERT_LE(std::fabs(error), scale * (0.5 + 1e-5)) << "k " << k << " row " << r;
        }
      }
    }
  }
}

TEST(QuantizeQ4, SearchIsNeverWorseThanThePlainScaleAndMuchBetterOnAverage) {
  const int64_t n = 64, k = 128;
  const std::vector<float> w = normals(n * k, 0.05F, 2);
  const Bytes q = quantized(QuantFormat::kQ4, w, n, k);
  double searched_total = 0.0, plain_total = 0.0;
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t g = 0; g < k / 32; ++g) {
      const float* from = w.data() + r * k + g * 32;
      const float extreme = *std::max_element(
          from, from + 32, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
      const double plain = extreme / -8.0;
      double searched_error = 0.0, plain_error = 0.0;
      for (int64_t i = 0; i < 32; ++i) {
        const double code = std::clamp(std::nearbyint(from[i] / plain), -8.0, 7.0);
        plain_error += std::pow(from[i] - code * plain, 2);
        searched_error += std::pow(from[i] - weight(QuantFormat::kQ4, q, k, r, g * 32 + i), 2);
      }
      // 0.3 %: the plain scale here is not rounded to float16.
      ASSERT_LE(searched_error, plain_error * 1.003);
      searched_total += searched_error;
      plain_total += plain_error;
    }
  }
  EXPECT_LT(searched_total, 0.9 * plain_total);
}

TEST(QuantizeQ4, RoundTripOfOddSizesStaysNearTheWeights) {
  for (const int64_t k : kSizesK) {
    for (const int64_t n : kSizesN) {
      const std::vector<float> w = normals(n * k, 1.0F, 3);
      const Bytes q = quantized(QuantFormat::kQ4, w, n, k);
      double error = 0.0, power = 0.0;
      for (int64_t r = 0; r < n; ++r) {
        for (int64_t i = 0; i < k; ++i) {
          const double value = w[static_cast<size_t>(r * k + i)];
          error += std::pow(value - weight(QuantFormat::kQ4, q, k, r, i), 2);
          power += value * value;
        }
      }
      // Normal weights at 4 bit in groups of 32 lose about 0.6 % of their power.
      EXPECT_LT(error, 0.01 * power) << "k " << k << " n " << n;
    }
  }
}

TEST(QuantizeQ4, ImportanceMovesErrorToUnimportantColumns) {
  const int64_t n = 32, k = 64;
  const std::vector<float> w = normals(n * k, 1.0F, 4);
  std::vector<float> importance(static_cast<size_t>(k));
  for (int64_t i = 0; i < k; ++i) importance[static_cast<size_t>(i)] = i % 4 == 0 ? 100.0F : 1.0F;
  Team team(1);
  const Bytes plain = quantized(QuantFormat::kQ4, w, n, k, team);
  const Bytes weighted = quantized(QuantFormat::kQ4, w, n, k, team, importance.data());
  double plain_error = 0.0, weighted_error = 0.0;
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t i = 0; i < k; ++i) {
      const double value = w[static_cast<size_t>(r * k + i)];
      const double factor = importance[static_cast<size_t>(i)];
      plain_error += factor * std::pow(value - weight(QuantFormat::kQ4, plain, k, r, i), 2);
      weighted_error += factor * std::pow(value - weight(QuantFormat::kQ4, weighted, k, r, i), 2);
    }
  }
  EXPECT_LT(weighted_error, 0.9 * plain_error);
}

TEST(Quantize, ZeroGroupsHaveScaleZero) {
  for (const QuantFormat format : kFormats) {
    const std::vector<float> w(64, 0.0F);
    const Bytes q = quantized(format, w, 1, 64);
    for (int64_t i = 0; i < 64; ++i) {
      EXPECT_EQ(weight(format, q, 64, 0, i), 0.0F);
      EXPECT_FALSE(std::signbit(reference::quant_scale(format, q.data(), 64, 0, i)));
    }
  }
}

TEST(Quantize, ScalesAboveFloat16Saturate) {
  for (const QuantFormat format : kFormats) {
    std::vector<float> w(32, 1.0e5F);
    w[3] = 3.0e38F;
    w[4] = -3.0e38F;
    const Bytes q = quantized(format, w, 1, 32);
    EXPECT_EQ(std::fabs(reference::quant_scale(format, q.data(), 32, 0, 0)), 65504.0);
    EXPECT_GE(weight(format, q, 32, 0, 3), 7 * 65504.0F);
    EXPECT_LE(weight(format, q, 32, 0, 4), -7 * 65504.0F);
  }
}

TEST(Quantize, TinyWeightsUseSubnormalScalesOrBecomeZero) {
  for (const QuantFormat format : kFormats) {
    const float step = std::ldexp(1.0F, -24);  // the smallest float16
    const float largest = (format == QuantFormat::kQ8 ? 127.0F : 7.0F) * 1.4F * step;
    std::vector<float> w(32, largest);
    w[1] = -largest;
    const Bytes q = quantized(format, w, 1, 32);
    for (int64_t i = 0; i < 32; ++i) {
      // One step: with scales this coarse the code is a whole step at worst.
      EXPECT_NEAR(weight(format, q, 32, 0, i), w[static_cast<size_t>(i)], 1.01 * step);
    }
    const Bytes none = quantized(format, std::vector<float>(32, 1.0e-12F), 1, 32);
    EXPECT_EQ(weight(format, none, 32, 0, 0), 0.0F);
  }
}

TEST(QuantizeQ8, NeverStoresMinus128) {
  std::vector<float> w = normals(16 * 320, 1.0F, 5);
  for (size_t i = 0; i < w.size(); i += 3) w[i] *= -1.0e6F;
  for (size_t i = 0; i < 640; ++i) w[i] *= 1.0e-13F;
  const Bytes q = quantized(QuantFormat::kQ8, w, 16, 320);
  for (int64_t r = 0; r < 16; ++r) {
    for (int64_t i = 0; i < 320; ++i) {
      ASSERT_NE(reference::quant_code(QuantFormat::kQ8, q.data(), 320, r, i), -128);
    }
  }
}

TEST(Quantize, NonFiniteGroupsAreNanAndOnlyThey) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(), -HUGE_VALF};
  for (const QuantFormat format : kFormats) {
    for (const float value : bad) {
      std::vector<float> w(128, 0.5F);
      w[64 + 40] = value;  // row 1, group 1
      const Bytes q = quantized(format, w, 2, 64);
      EXPECT_TRUE(std::isnan(weight(format, q, 64, 1, 32)));
      EXPECT_TRUE(std::isfinite(weight(format, q, 64, 1, 31)));
      EXPECT_TRUE(std::isfinite(weight(format, q, 64, 0, 40)));
      Team team(1);
      const std::vector<float> x(64, 1.0F);
      for (const detail::QuantIsa isa : instruction_sets()) {
        const std::vector<float> y = product({format, 1, 2, 64}, x, q, team, isa);
        EXPECT_TRUE(std::isfinite(y[0]));
        EXPECT_TRUE(std::isnan(y[1]));
      }
    }
  }
}

TEST(Quantize, SameBytesForAnyTeamAndInstructionSet) {
  const int64_t n = 129, k = 257;
  const std::vector<float> w = normals(n * k, 0.02F, 6);
  for (const QuantFormat format : kFormats) {
    Team one(1);
    const Bytes truth = quantized(format, w, n, k, one);
    for (const int workers : {2, 3, 8}) {
      Team team(workers);
      EXPECT_TRUE(quantized(format, w, n, k, team) == truth) << workers << " workers";
    }
    for_each_target([&] { EXPECT_TRUE(quantized(format, w, n, k, one) == truth); });
  }
}

TEST(Dequantize, EqualsTheReferenceAndGathersRows) {
  const int64_t n = 40, k = 100;
  const std::vector<float> w = normals(n * k, 0.3F, 7);
  const int32_t ids[] = {39, 0, 17, 17};
  const int64_t wide[] = {39, 0, 17, 17};
  Team team(2);
  for (const QuantFormat format : kFormats) {
    const Bytes q = quantized(format, w, n, k);
    std::vector<float> all(static_cast<size_t>(n * k));
    dequantize({q.data(), nullptr, all.data(), k, n, k, format, IdType::kInt32}, team);
    for (int64_t i = 0; i < n * k; ++i) {
      ASSERT_EQ(all[static_cast<size_t>(i)], weight(format, q, k, i / k, i % k));
    }
    std::vector<float> some(4 * 101, -1.0F), same(4 * 101, -1.0F);
    dequantize({q.data(), ids, some.data(), k, 4, 101, format, IdType::kInt32}, team);
    dequantize({q.data(), wide, same.data(), k, 4, 101, format, IdType::kInt64}, team);
    EXPECT_TRUE(same_bits(some, same));
    for (int64_t i = 0; i < 4; ++i) {
      EXPECT_EQ(std::memcmp(some.data() + i * 101, all.data() + ids[i] * k, 400), 0);
      EXPECT_EQ(some[static_cast<size_t>(i * 101 + 100)], -1.0F);
    }
    std::vector<float> row(100);
    dequantize_row(format, q.data(), k, 39, row.data());
    EXPECT_EQ(std::memcmp(row.data(), all.data() + 39 * k, 400), 0);
  }
}

}  // namespace
}  // namespace ingot::kernels::quant_test
