// SPDX-License-Identifier: Apache-2.0
#include "data/transforms/target.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/transforms/samples.h"

namespace ingot::data::target_test {
namespace {

using ::ingot::testing::message_of;
using samples::cell_at;

Target fitted(const TargetConfig& config, const std::vector<std::string>& cells,
              std::vector<std::string>* warnings = nullptr) {
  Target target(config);
  std::vector<std::string> ignored;
  for (size_t i = 0; i < cells.size(); ++i) target.add(cell_at(cells, i));
  target.finish(warnings != nullptr ? *warnings : ignored);
  return target;
}

TargetConfig classes() {
  TargetConfig config;
  config.column = "y";
  config.kind = TargetKind::kClass;
  return config;
}

TargetConfig number_target(Scale scale = Scale::kNone, double unit = 1) {
  TargetConfig config;
  config.column = "y";
  config.kind = TargetKind::kNumber;
  config.scale = scale;
  config.unit = unit;
  return config;
}

Target stored(const Target& target) {
  return Target::from_json(parse_json(dump_json(target.to_json()), "t"), "t");
}

TEST(Target, SortsClassesAndCountsThem) {
  const Target target = fitted(classes(), {"sport", "tech ", "sport", "art"});
  const std::vector<std::string> names(target.classes().begin(), target.classes().end());
  EXPECT_EQ(names, (std::vector<std::string>{"art", "sport", "tech"}));
  EXPECT_EQ(std::vector<int64_t>(target.class_counts().begin(), target.class_counts().end()),
            (std::vector<int64_t>{1, 2, 1}));
  const std::string text = " tech";
  EXPECT_EQ(target.encode_class({text, false, 2}), 2);
  const Target again = stored(target);
  EXPECT_EQ(again.encode_class({text, false, 2}), 2);
  EXPECT_EQ(again.class_counts()[1], 2);
  EXPECT_EQ(dump_json(again.to_json()), dump_json(target.to_json()));
}

TEST(Target, SortsNumbersByValue) {
  const Target target = fitted(classes(), {"10", "2", "-1", "2"});
  const std::vector<std::string> names(target.classes().begin(), target.classes().end());
  EXPECT_EQ(names, (std::vector<std::string>{"-1", "2", "10"}));
  EXPECT_EQ(target.class_counts()[1], 2);
}

TEST(Target, ALabelNeverSeenInTrainingNamesItsLine) {
  const Target target = fitted(classes(), {"sport", "tech"});
  const std::vector<std::string> cells{"sports"};
  EXPECT_EQ(message_of([&] { (void)target.encode_class(cell_at(cells, 0)); }),
            "target \"y\" (line 2): the label \"sports\" was never seen in training. Did you mean "
            "\"sport\"?");
  const std::vector<std::string> empty{""};
  EXPECT_EQ(message_of([&] { (void)target.encode_class(cell_at(empty, 0)); }),
            "target \"y\" (line 2): the cell has no value; correct it or set "
            "table.target.missing=drop_row");
}

TEST(Target, ANumberAmongClassesOfOneRowEachIsNoClass) {
  const Target target = fitted(classes(), {"1.5", "3", "4.5"});
  const std::vector<std::string> cells{"6", "many"};
  EXPECT_EQ(message_of([&] { (void)target.encode_class(cell_at(cells, 0)); }),
            "target \"y\" (line 2): 6 was never seen in training: table.target.kind is class, and "
            "numbers that differ from row to row are no classes; set table.target.kind=number");
  EXPECT_NE(message_of([&] { (void)target.encode_class(cell_at(cells, 1)); }).find("the label"),
            std::string::npos);
  const Target digits = fitted(classes(), {"0", "0", "1", "1"});
  EXPECT_NE(message_of([&] { (void)digits.encode_class(cell_at(cells, 0)); }).find("the label"),
            std::string::npos);
}

TEST(Target, RefusesWhatCannotBeLearnt) {
  EXPECT_EQ(message_of([] { fitted(classes(), {}); }),
            "target \"y\": no training row has a value to fit on; name another column: "
            "table.target.column=NAME");
  EXPECT_EQ(message_of([] { fitted(number_target(), {}); }),
            "target \"y\": no training row has a value to fit on; name another column: "
            "table.target.column=NAME");
  EXPECT_EQ(message_of([] {
              fitted(classes(), {"a", "a"});
            }),
            "target \"y\": all training rows have the class \"a\"; there is nothing to tell apart. "
            "If the table has others, table.split.method=stratified trains on each; if it has "
            "none, name another column: table.target.column=NAME");
  EXPECT_EQ(message_of([] {
              fitted(classes(), {"a", "NA"});
            }),
            "target \"y\" (line 3): the cell has no value; correct it or set "
            "table.target.missing=drop_row");
  EXPECT_EQ(message_of([] {
              fitted(number_target(), {"1", ""});
            }),
            "target \"y\" (line 3): the cell has no value; correct it or set "
            "table.target.missing=drop_row");
  EXPECT_EQ(message_of([] {
              fitted(number_target(), {"1", "nan"});
            }),
            "target \"y\" (line 3): \"nan\" is no finite number; correct it, or set "
            "table.target.kind=class");
  EXPECT_EQ(message_of([] {
              fitted(number_target(), {"1", "2,5"});
            }),
            "target \"y\" (line 3): \"2,5\" has a decimal comma; set table.format.decimal=comma");
  EXPECT_EQ(message_of([] {
              fitted(number_target(), {"1", "inf"});
            }),
            "target \"y\" (line 3): \"inf\" is no finite number; correct it, or leave such rows "
            "out: set {column: \"y\", low: -3e38, high: 3e38} in table.clean.ranges");
  EXPECT_EQ(message_of([] {
              fitted(number_target(), {"1", "1e300"});
            }),
            "target \"y\" (line 3): \"1e300\" is beyond float32 (3.4e38); correct it, or set "
            "table.target.unit=1e300");
  EXPECT_EQ(message_of([] {
              fitted(number_target(Scale::kLog), {"1", "0"});
            }),
            "target \"y\" (line 3): scale=log needs values > 0, got 0; set "
            "table.target.scale=standard");
  TargetConfig few = classes();
  few.max_classes = 2;
  EXPECT_EQ(message_of([&] {
              fitted(few, {"a", "b", "c"});
            }),
            "target \"y\" (line 4): more than table.target.max_classes=2 classes; set "
            "table.target.kind=number, or raise max_classes");
}

TEST(Target, ScalesNumbersAndBack) {
  // In units of 100: 1, 2, 3; mean 2, deviation √(2/3).
  const Target target = fitted(number_target(Scale::kStandard, 100), {"100", "200", "300"});
  const std::string text = "400";
  EXPECT_FLOAT_EQ(target.encode_number({text, false, 9}),
                  static_cast<float>(2 / std::sqrt(2.0 / 3.0)));
  EXPECT_DOUBLE_EQ(target.number({text, false, 9}), 4);
  EXPECT_DOUBLE_EQ(target.decode_number(0), 2);
  EXPECT_DOUBLE_EQ(target.decode_number(2 / std::sqrt(2.0 / 3.0)), 4);
  const Target again = stored(target);
  EXPECT_EQ(again.decode_number(0.3), target.decode_number(0.3));
  EXPECT_FALSE(again.is_class());
  const Target plain = fitted(number_target(), {"1", "5"});
  EXPECT_EQ(plain.encode_number({text, false, 9}), 400);
  const Target logs = fitted(number_target(Scale::kLog), {"1", "5"});
  EXPECT_FLOAT_EQ(logs.encode_number({text, false, 9}), std::log(400.0F));
  const std::string zero = "0";
  EXPECT_EQ(message_of([&] {
              (void)logs.encode_number({zero, false, 9});
            }),
            "target \"y\" (line 9): scale=log needs values > 0, got 0; set "
            "table.target.scale=standard");
}

TEST(Target, RefusesWhatFloat32CannotHold) {
  const std::string huge = "1e300", large = "1e30", zero = "0";
  const std::string beyond = "target \"y\" (line 9): \"1e300\" is beyond float32 (3.4e38); ";
  const auto refused = [](const Target& target, const std::string& text) {
    return message_of([&] { (void)target.encode_number({text, false, 9}); });
  };
  const Target plain = fitted(number_target(), {"1", "5"});
  EXPECT_EQ(refused(plain, huge), beyond + "correct it, or set table.target.unit=1e300");
  const Target cured = fitted(number_target(Scale::kNone, 1e300), {"1", huge});
  EXPECT_EQ(cured.encode_number({huge, false, 9}), 1);
  // A logarithm of it fits, the number itself, which is judged, does not.
  EXPECT_EQ(message_of([&] {
              fitted(number_target(Scale::kLog), {"1", huge});
            }),
            "target \"y\" (line 3): \"1e300\" is beyond float32 (3.4e38); correct it, or set "
            "table.target.unit=1e300");
  EXPECT_EQ(message_of([] {
              fitted(number_target(Scale::kNone, 10), {"1", "-4e50"});
            }),
            "target \"y\" (line 3): \"-4e50\" in units of 10 is beyond float32 (3.4e38); correct "
            "it, or set table.target.unit=1e50");
  // Next to others that are as close as these, even a number that fits does not.
  const Target close = fitted(number_target(Scale::kStandard), {"0", "1e-30"});
  const std::string scaled = " under scale=standard, beyond float32; ";
  EXPECT_NE(refused(close, large).find(scaled + "correct it, or set table.target.scale=none"),
            std::string::npos);
  // No key changes one that came from a file.
  const std::string row = "correct it or leave the row out";
  EXPECT_EQ(refused(stored(plain), huge), beyond + row);
  EXPECT_NE(refused(stored(close), large).find(scaled + row), std::string::npos);
  const Target logs = stored(fitted(number_target(Scale::kLog), {"1", "5"}));
  EXPECT_EQ(refused(logs, zero),
            "target \"y\" (line 9): scale=log needs values > 0, got 0; " + row);
  const std::string word = "five";
  EXPECT_EQ(refused(logs, word), "target \"y\" (line 9): \"five\" is no finite number; " + row);
}

TEST(Target, WarnsOfAConstant) {
  std::vector<std::string> warnings;
  fitted(number_target(), {"3", "3"}, &warnings);
  EXPECT_EQ(warnings, std::vector<std::string>{"y: the target is the same in all training rows"});
}

TEST(Target, ChecksItsConfig) {
  EXPECT_EQ(message_of([] { check(number_target(Scale::kNone, 0)); }),
            "target \"y\": table.target.unit is 0, it must be a number other than 0");
  TargetConfig few = classes();
  few.max_classes = 1;
  EXPECT_EQ(message_of([&] { check(few); }),
            "target \"y\": table.target.max_classes is 1, it must be >= 2");
  TargetConfig scaled = classes();
  scaled.scale = Scale::kMinMax;
  EXPECT_EQ(message_of([&] { check(scaled); }),
            "target \"y\": scale and unit are for numbers, its kind is class; set "
            "table.target.kind=number");
  TargetConfig unknown = classes();
  unknown.kind = TargetKind::kAuto;
  EXPECT_EQ(message_of([&] { Target{unknown}; }),
            "target \"y\": kind is auto; set table.target.kind=class or number");
}

TEST(Target, RefusesABrokenState) {
  const Target target = fitted(classes(), {"a", "b"});
  Json json = target.to_json();
  json["class_counts"] = Json::array({1});
  EXPECT_EQ(message_of([&] { (void)Target::from_json(json, "f"); }),
            "f: \"classes\" and \"class_counts\" must be lists of one length, of two or more");
  json = target.to_json();
  json["classes"] = Json::array({"a", "a"});
  EXPECT_EQ(message_of([&] { (void)Target::from_json(json, "f"); }),
            "f: the class \"a\" is listed twice");
  json["classes"] = Json::array({"a", 1});
  EXPECT_EQ(message_of([&] { (void)Target::from_json(json, "f"); }),
            "f: \"classes\" must hold texts and \"class_counts\" whole numbers");
}

}  // namespace
}  // namespace ingot::data::target_test
