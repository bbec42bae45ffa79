// SPDX-License-Identifier: Apache-2.0
// convert.h to the bit against rounding by definition: all 65536 bf16 and f16 patterns, floats at
// and beside every rounding border, integers, every instruction set and team.
#include "kernels/convert.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"
#include "kernels/kernel_testing.h"
#include "kernels/reference/convert.h"

namespace ingot::kernels::convert_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr reference::FloatFormat kBf16{8, 7};
constexpr reference::FloatFormat kF16{5, 10};

template <class To, class From>
std::vector<To> run(const std::vector<From>& src, Element from, Element to, Team& t) {
  std::vector<To> dst(src.size());
  convert({src.data(), dst.data(), static_cast<int64_t>(src.size()), from, to}, t);
  return dst;
}

std::vector<uint16_t> every_pattern() {
  std::vector<uint16_t> all;
  for (uint32_t i = 0; i < 65536; ++i) all.push_back(static_cast<uint16_t>(i));
  return all;
}

/// The float's value; read from its bits, because teams flush subnormals to zero.
double exact(float v) {
  const auto bits = std::bit_cast<uint32_t>(v);
  if ((bits & 0x7F800000U) != 0) return static_cast<double>(v);
  const double size = std::ldexp(static_cast<double>(bits & 0x7FFFFFU), -149);
  return (bits >> 31) != 0 ? -size : size;
}

/// Beside every pattern's value: the value, the halfway point above it, and both neighbours of
/// that.
Floats borders(reference::FloatFormat format) {
  Floats out = uniform(1001, 1, -1e5F, 1e5F);
  for (const uint16_t pattern : every_pattern()) {
    if (format.exponent_bits == 8) {
      for (const uint32_t low : {0U, 0x7FFFU, 0x8000U, 0x8001U}) {
        out.push_back(std::bit_cast<float>(uint32_t{pattern} << 16 | low));
      }
      continue;
    }
    const double value = reference::decode(format, pattern);
    const double next = reference::decode(format, static_cast<uint16_t>(pattern + 1));
    const auto middle = std::bit_cast<uint32_t>(static_cast<float>(value + (next - value) / 2));
    out.push_back(static_cast<float>(value));
    for (const uint32_t bits : {middle, middle - 1, middle + 1}) {
      out.push_back(std::bit_cast<float>(bits));
    }
  }
  return out;
}

void check_decoding(reference::FloatFormat format, Element element, Team& t) {
  const std::vector<uint16_t> patterns = every_pattern();
  const auto values = run<float>(patterns, element, Element::kFloat32, t);
  for (size_t i = 0; i < values.size(); ++i) {
    const double want = reference::decode(format, patterns[i]);
    ASSERT_TRUE(exact(values[i]) == want || std::isnan(want)) << i;
    ASSERT_EQ(std::isnan(values[i]), std::isnan(want)) << i;
    ASSERT_EQ(std::signbit(values[i]), (patterns[i] >> 15) != 0) << i;
  }
}

void check_format(reference::FloatFormat format, Element element) {
  const Floats floats = borders(format);
  for_each_target([&] {
    for (size_t k = 0; k < 4; ++k) {
      check_decoding(format, element, team_of(k));
      const auto bits = run<uint16_t>(floats, Element::kFloat32, element, team_of(k));
      for (size_t i = 0; i < bits.size(); ++i) {
        if (std::isnan(floats[i])) {
          ASSERT_TRUE(std::isnan(reference::decode(format, bits[i]))) << i;
          ASSERT_NE(bits[i] >> (format.mantissa_bits - 1) & 1, 0) << "not quiet at " << i;
        } else {
          ASSERT_EQ(bits[i], reference::encode(format, exact(floats[i]))) << i;
        }
      }
    }
  });
}

TEST(Convert, Bf16RoundsToNearestEven) { check_format(kBf16, Element::kBFloat16); }

TEST(Convert, F16RoundsToNearestEven) { check_format(kF16, Element::kFloat16); }

TEST(Convert, Integers) {
  constexpr auto kF = Element::kFloat32;
  for (const int64_t n : kSizes) {
    std::vector<uint8_t> u8;
    std::vector<int32_t> i32;
    std::vector<int64_t> i64;
    std::mt19937_64 engine(1);
    for (int64_t i = 0; i < n; ++i) {
      const uint64_t draw = engine();
      u8.push_back(static_cast<uint8_t>(draw));
      i32.push_back(static_cast<int32_t>(draw));
      i64.push_back(static_cast<int64_t>(draw >> (draw % 64)));
    }
    const auto rounded = [](const auto& v) {
      Doubles want;
      for (const auto x : v) want.push_back(static_cast<double>(static_cast<float>(x)));
      return want;
    };
    expect_kernel([&](Team& t) { return run<float>(u8, Element::kUInt8, kF, t); }, rounded(u8), 0);
    expect_kernel([&](Team& t) { return run<float>(i32, Element::kInt32, kF, t); }, rounded(i32),
                  0);
    expect_kernel([&](Team& t) { return run<float>(i64, Element::kInt64, kF, t); }, rounded(i64),
                  0);
  }
}

TEST(Convert, RefusesOtherPairs) {
  EXPECT_FALSE(convert_supported(Element::kFloat32, Element::kInt32));
  EXPECT_TRUE(convert_supported(Element::kInt64, Element::kFloat32));
  try {
    run<int32_t>(Floats(4), Element::kFloat32, Element::kInt32, team_of(0));
    FAIL() << "accepted float32 to int32";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    EXPECT_NE(std::string(error.what()).find("convert_supported"), std::string::npos);
  }
}

}  // namespace
}  // namespace ingot::kernels::convert_test
