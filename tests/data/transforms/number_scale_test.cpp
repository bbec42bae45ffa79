// SPDX-License-Identifier: Apache-2.0
// By hand; against scikit-learn in number_feature_test.cpp.
#include "data/transforms/number_scale.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/message_of.h"

namespace ingot::data::number_scale_test {
namespace {

using ::ingot::testing::message_of;

/// A few roundings of double arithmetic.
constexpr double kScaleTolerance = 1e-12;

NumberScale fitted(Scale kind, const std::vector<double>& values) {
  NumberScale scale(kind);
  Moments moments;
  for (const double x : values) moments.add(scale.logged(x));
  scale.fit(moments);
  return scale;
}

TEST(Moments, OfKnownValues) {
  Moments moments;
  for (const double x : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) moments.add(x);
  EXPECT_EQ(moments.count, 8);
  EXPECT_DOUBLE_EQ(moments.mean, 5);
  EXPECT_DOUBLE_EQ(moments.deviation(), 2);
  EXPECT_EQ(moments.min, 2);
  EXPECT_EQ(moments.max, 9);
  EXPECT_FALSE(moments.constant());
  EXPECT_EQ(Moments{}.deviation(), 0);
  EXPECT_FALSE(Moments{}.constant());
}

TEST(Moments, OfValuesThatComeManyTimes) {
  Moments moments;
  moments.add(2, 1);
  moments.add(4, 3);
  moments.add(5, 2);
  moments.add(7);
  moments.add(9, 1);
  EXPECT_EQ(moments.count, 8);
  EXPECT_DOUBLE_EQ(moments.mean, 5);
  EXPECT_DOUBLE_EQ(moments.deviation(), 2);
}

TEST(Moments, KeepTheSpreadOfLargeNumbers) {
  // The naive sum of squares loses all digits here.
  Moments moments;
  for (const double x : {1e9 + 1, 1e9 + 2, 1e9 + 3}) moments.add(x);
  EXPECT_NEAR(moments.deviation(), std::sqrt(2.0 / 3.0), 1e-9);
}

TEST(NumberScale, MapsToItsRange) {
  EXPECT_EQ(fitted(Scale::kMinMax, {2, 6, 4}).apply(5), 0.75);
  EXPECT_EQ(fitted(Scale::kSymmetric, {2, 6, 4}).apply(5), 0.5);
  EXPECT_EQ(fitted(Scale::kSymmetric, {2, 6, 4}).apply(2), -1);
  EXPECT_EQ(fitted(Scale::kStandard, {1, 3}).apply(4), 2);
  EXPECT_NEAR(fitted(Scale::kLog, {1, 3}).apply(std::exp(2.0)), 2, kScaleTolerance);
  EXPECT_NEAR(fitted(Scale::kLog1p, {1, 3}).apply(0), 0, kScaleTolerance);
  // ln 1 = 0 and ln e² = 2: mean 1, deviation 1.
  EXPECT_NEAR(fitted(Scale::kLogStandard, {1, std::exp(2.0)}).apply(std::exp(3.0)), 2,
              kScaleTolerance);
  EXPECT_EQ(fitted(Scale::kNone, {1, 3}).apply(7), 7);
}

TEST(NumberScale, InvertsWhatItApplied) {
  for (const EnumName& name : kScaleNames) {
    const NumberScale scale = fitted(static_cast<Scale>(name.value), {0.5, 2, 31, 4});
    for (const double x : {0.25, 1.0, 100.0}) {
      EXPECT_NEAR(scale.invert(scale.apply(x)) / x, 1, kScaleTolerance) << name.name;
    }
  }
}

TEST(NumberScale, AConstantBecomesZeroAndComesBack) {
  for (const Scale kind : {Scale::kMinMax, Scale::kSymmetric, Scale::kStandard}) {
    const NumberScale scale = fitted(kind, {0.1, 0.1, 0.1});
    EXPECT_EQ(scale.apply(0.1), 0);
    EXPECT_EQ(scale.apply(9), 0);
    EXPECT_EQ(scale.invert(0), 0.1);
  }
}

TEST(NumberScale, ADifferenceGrowsByItsSpread) {
  Moments moments;
  for (const double x : {2.0, 4.0, 12.0}) moments.add(x);
  for (const Scale kind : {Scale::kNone, Scale::kMinMax, Scale::kSymmetric, Scale::kStandard}) {
    NumberScale scale(kind);
    scale.fit(moments);
    EXPECT_DOUBLE_EQ(*scale.spread(), scale.invert(3.0) - scale.invert(2.0)) << enum_name(kind);
  }
  for (const Scale kind : {Scale::kLog, Scale::kLog1pStandard}) {
    EXPECT_TRUE(is_logarithm(kind));
    EXPECT_FALSE(NumberScale(kind).spread().has_value()) << enum_name(kind);
  }
  Moments same;
  same.add(5.0);
  NumberScale constant(Scale::kStandard);
  constant.fit(same);
  EXPECT_FALSE(constant.spread().has_value());
}

TEST(NumberScale, KnowsWhereLogarithmsEnd) {
  EXPECT_FALSE(NumberScale(Scale::kLog).defined(0));
  EXPECT_TRUE(NumberScale(Scale::kLog1p).defined(0));
  EXPECT_FALSE(NumberScale(Scale::kLog1pStandard).defined(-1));
  EXPECT_TRUE(NumberScale(Scale::kStandard).defined(-5));
}

TEST(NumberScale, StoresItsBits) {
  const NumberScale scale = fitted(Scale::kStandard, {0.1, 0.2, 0.7});
  const Json json = parse_json(dump_json(scale.to_json()), "scale");
  const NumberScale again = NumberScale::from_json(Scale::kStandard, json, "f");
  EXPECT_EQ(again.center(), scale.center());
  EXPECT_EQ(again.divisor(), scale.divisor());
  EXPECT_EQ(message_of([] {
              (void)NumberScale::from_json(Scale::kNone,
                                           parse_json(R"({"center": 0, "divisor": -1})", "f"), "f");
            }),
            "f: \"divisor\" is -1, it must not be negative");
}

}  // namespace
}  // namespace ingot::data::number_scale_test
