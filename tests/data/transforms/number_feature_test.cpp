// SPDX-License-Identifier: Apache-2.0
// Against SimpleImputer, numpy.quantile and the scalers of scikit-learn
// (scripts/golden/transforms_golden.py), and by hand.
#include "data/transforms/number_feature.h"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/transforms/samples.h"

namespace ingot::data::number_feature_test {
namespace {

using ::ingot::testing::message_of;
using samples::config_of;
using samples::fit;
using samples::fitted;
using samples::floats;
using samples::stored;

/// One rounding to float32 of a value that double arithmetic left some roundings off.
constexpr double kRelative = 1e-6;

FeatureConfig number() { return config_of(FeatureKind::kNumber); }

std::optional<double> optional_number(const Json& json, const char* key) {
  if (!json.contains(key) || json[key].is_null()) return std::nullopt;
  return json[key].get<double>();
}

TEST(NumberFeature, EqualsScikitLearn) {
  const Json json = samples::golden("transforms.json")["numbers"];
  const auto train = json["train"].get<std::vector<std::string>>();
  const auto test = json["test"].get<std::vector<std::string>>();
  ASSERT_EQ(json["cases"].size(), 31U);
  for (const Json& item : json["cases"]) {
    SCOPED_TRACE(item.dump());
    FeatureConfig config = number();
    config.missing = parse_enum<Missing>(item["missing"].get<std::string>(), "missing");
    config.clip = parse_enum<Clip>(item["clip"].get<std::string>(), "clip");
    config.scale = parse_enum<Scale>(item["scale"].get<std::string>(), "scale");
    config.clip_low = optional_number(item, "low");
    config.clip_high = optional_number(item, "high");
    const auto feature = fitted(config, train);
    const auto again = stored(*feature);
    for (size_t i = 0; i < test.size(); ++i) {
      const double expected = item["out"][i].get<double>();
      EXPECT_NEAR(floats(*feature, test[i])[0], expected,
                  kRelative * std::max(1.0, std::abs(expected)));
      EXPECT_EQ(floats(*again, test[i]), floats(*feature, test[i])) << "stored";
    }
  }
}

TEST(NumberFeature, FillsWithAGivenValueAndFlagsIt) {
  FeatureConfig config = number();
  config.missing = Missing::kValue;
  config.missing_value = "10";
  config.missing_flag = true;
  config.scale = Scale::kMinMax;
  const auto feature = fitted(config, {"0", "5", ""});
  EXPECT_EQ(feature->layout().columns, (std::vector<std::string>{"x", "x is missing"}));
  EXPECT_EQ(floats(*feature, ""), (std::vector<float>{1, 1})) << "the fill counts for the range";
  EXPECT_EQ(floats(*feature, "5"), (std::vector<float>{0.5F, 0}));
  EXPECT_EQ(floats(*stored(*feature), "NA"), (std::vector<float>{1, 1}));
}

TEST(NumberFeature, TakesTheSmallestOfEqualModes) {
  FeatureConfig config = number();
  config.missing = Missing::kMode;
  config.scale = Scale::kNone;
  EXPECT_EQ(floats(*fitted(config, {"9", "2", "9", "2", "1"}), ""), std::vector<float>{2});
}

TEST(NumberFeature, WarnsOfAConstantAndScalesItToZero) {
  auto feature = make_feature(number());
  EXPECT_EQ(fit(*feature, {"4.5", "4.5", ""}),
            std::vector<std::string>{"x: is 4.5 in all training rows, scaled to 0"});
  EXPECT_EQ(floats(*feature, "4.5"), std::vector<float>{0});
  EXPECT_EQ(floats(*feature, "1000"), std::vector<float>{0});
  FeatureConfig plain = number();
  plain.scale = Scale::kNone;
  feature = make_feature(plain);
  EXPECT_EQ(fit(*feature, {"4.5"}), std::vector<std::string>{"x: is 4.5 in all training rows"});
  EXPECT_EQ(floats(*feature, "5"), std::vector<float>{5});
}

TEST(NumberFeature, RefusesAColumnWithoutValues) {
  EXPECT_EQ(
      message_of([] {
        fitted(number(), {"", "NA"});
      }),
      "features: column \"x\" has no value in 2 training rows; set {name: \"x\", kind: ignore} in "
      "table.features");
  FeatureConfig zero = number();
  zero.missing = Missing::kZero;
  EXPECT_EQ(
      message_of([&] { fitted(zero, {""}); }),
      "features: column \"x\" has no value in 1 training rows; set {name: \"x\", kind: ignore} in "
      "table.features");
}

TEST(NumberFeature, NamesColumnLineAndValueOfABadCell) {
  EXPECT_EQ(message_of([] {
              fitted(number(), {"1", "2,5"});
            }),
            "features: column \"x\" (line 3): \"2,5\" has a decimal comma; write it with a point, "
            "or set decimal=comma in table.format, or in predict.input");
  const auto feature = fitted(number(), {"1", "2"});
  for (const std::string text : {"abc", "inf", "1e999", "nan", "0x10"}) {
    EXPECT_EQ(
        message_of([&] { floats(*feature, text); }),
        "features: column \"x\" (line 2): \"" + text +
            "\" is no finite number; correct it, or set {name: \"x\", kind: number, bad_number: "
            "missing} in table.features");
  }
}

TEST(NumberFeature, RefusesMissingCellsUnderError) {
  FeatureConfig config = number();
  config.missing = Missing::kError;
  EXPECT_EQ(message_of([&] {
              fitted(config, {"1", ""});
            }),
            "features: column \"x\" (line 3): the cell has no value, and missing=error allows "
            "none; set {name: \"x\", missing: median} in table.features");
  const auto feature = fitted(config, {"1", "2"});
  EXPECT_EQ(
      message_of([&] { floats(*feature, ""); }),
      "features: column \"x\" (line 2): the cell has no value, and missing=error allows none; set "
      "{name: \"x\", missing: median} in table.features");
}

TEST(NumberFeature, RefusesLogarithmsOfWhatHasNone) {
  FeatureConfig config = number();
  config.scale = Scale::kLog;
  EXPECT_EQ(
      message_of([&] {
        fitted(config, {"3", "0", "-2", "5"});
      }),
      "features: column \"x\" (line 4): scale=log needs values > 0, got -2; set "
      "{name: \"x\", scale: standard} in table.features, or clip: values with a clip_low that "
      "it takes");
  const auto feature = fitted(config, {"3", "5"});
  EXPECT_FLOAT_EQ(floats(*feature, "3")[0], std::log(3.0F));
  EXPECT_EQ(
      message_of([&] { floats(*feature, "-2"); }),
      "features: column \"x\" (line 2): scale=log needs values > 0, got -2; set "
      "{name: \"x\", scale: standard} in table.features, or clip: values with a clip_low that "
      "it takes");
  config.missing = Missing::kZero;
  EXPECT_EQ(message_of([&] {
              fitted(config, {"3", ""});
            }),
            "features: column \"x\": scale=log needs values > 0, got 0; set {name: \"x\", scale: "
            "standard} in table.features, or clip: values with a clip_low that it takes");
}

TEST(NumberFeature, RefusesWhatFloat32CannotHold) {
  FeatureConfig config = number();
  config.scale = Scale::kNone;
  const auto feature = fitted(config, {"1", "2"});
  EXPECT_EQ(message_of([&] { floats(*feature, "1e300"); }),
            "features: column \"x\" (line 2): 1e+300 becomes 1e+300 under scale=none, beyond "
            "float32; set {name: \"x\", clip: quantiles} in table.features");
}

/// Its squared distance from the others is beyond double, and so would be the deviation.
TEST(NumberFeature, RefusesValuesThatNoScaleCanBeFittedTo) {
  const std::string cause = ": what scale=standard is fitted to would be no finite number; ";
  EXPECT_EQ(message_of([] {
              fitted(number(), {"1", "2", "1e200"});
            }),
            "features: column \"x\" (line 4): 1e+200 is too far out" + cause +
                "correct it, or set {name: \"x\", clip: values, clip_low: -1e30, clip_high: 1e30} "
                "in table.features")
      << "the upper quantile of three values is far out too";
  std::vector<std::string> cells{"-1e200"};
  for (int i = 1; i <= 200; ++i) cells.push_back(std::to_string(i));
  EXPECT_EQ(message_of([&] { fitted(number(), cells); }),
            "features: column \"x\" (line 2): -1e+200 is too far out" + cause +
                "correct it, or set {name: \"x\", clip: quantiles} in table.features");
  FeatureConfig cured = number();
  cured.clip = Clip::kQuantiles;
  EXPECT_EQ(message_of([&] { fitted(cured, cells); }), "no error");
  cured.clip = Clip::kValues;
  cured.clip_low = -1e30;
  cured.clip_high = 1e30;
  EXPECT_EQ(message_of([&] { fitted(cured, {"1", "2", "1e200"}); }), "no error");
  FeatureConfig range = number();
  range.scale = Scale::kMinMax;
  EXPECT_EQ(
      message_of([&] {
        fitted(range, {"-1.7e308", "0", "1.7e308"});
      }),
      "features: column \"x\" (line 4): 1.7e+308 is too far out: what scale=min_max is fitted "
      "to would be no finite number; correct it, or set {name: \"x\", clip: values, clip_low: "
      "-1e30, clip_high: 1e30} in table.features");
}

TEST(NumberFeature, RefusesAFillValueThatIsNotFinite) {
  FeatureConfig config = number();
  config.missing = Missing::kMean;
  EXPECT_EQ(message_of([&] {
              fitted(config, {"-1.7e308", "1.7e308"});
            }),
            "features: column \"x\" (line 3): 1.7e+308 is too far out: the fill value "
            "(missing=mean) would be no finite number; correct it, or set {name: \"x\", missing: "
            "zero, clip: values, clip_low: -1e30, clip_high: 1e30} in table.features");
}

TEST(NumberFeature, CountsModesInBoundedMemory) {
  FeatureConfig config = number();
  config.missing = Missing::kMode;
  std::vector<std::string> cells;
  for (int i = 0; i <= 65536; ++i) cells.push_back(std::to_string(i));
  EXPECT_EQ(message_of([&] { fitted(config, cells); }),
            "features: column \"x\": missing=mode counts at most 65536 different values; set "
            "{name: \"x\", missing: median} in table.features");
}

}  // namespace
}  // namespace ingot::data::number_feature_test
