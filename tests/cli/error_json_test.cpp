// SPDX-License-Identifier: Apache-2.0
// Messages as the program prints them, and the parts that a program would ask for.
#include "cli/error_json.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ingot::cli::error_json_test {
namespace {

/// The object of an error but its message.
std::string parts_of(const std::string& message) {
  Json json = error_json(Error(Code::kInvalidArgument, message));
  EXPECT_EQ(json["error"]["message"], message);
  json["error"].erase("message");
  return dump_json(json["error"]);
}

TEST(ErrorJson, HasCodeAndMessage) {
  EXPECT_EQ(dump_json(error_json(Error(Code::kIo, "print: no space"))),
            R"({"error":{"code":"io","message":"print: no space"}})");
}

TEST(ErrorJson, TakesThePlaceInARecipeApart) {
  EXPECT_EQ(
      parts_of(R"(my r.yaml:7:3: train: unknown key "micro_bach". Did you mean "micro_batch"?)"),
      R"({"code":"invalid_argument","file":"my r.yaml","line":7,"column":3,)"
      R"("key":"train.micro_bach","cure":"Did you mean \"micro_batch\"?"})");
  EXPECT_EQ(parts_of(R"(r.yaml:1:1: unknown key "trian". Did you mean "train"?)"),
            R"({"code":"invalid_argument","file":"r.yaml","line":1,"column":1,"key":"trian",)"
            R"("cure":"Did you mean \"train\"?"})");
  EXPECT_EQ(parts_of("a:b.yaml:4:9: serve.port is 70000 but must be between 0 and 65535"),
            R"({"code":"invalid_argument","file":"a:b.yaml","line":4,"column":9,)"
            R"("key":"serve.port"})");
  EXPECT_EQ(parts_of("layers.0.units: 0 must be positive; 16 is usual"),
            R"({"code":"invalid_argument","key":"layers.0.units","cure":"16 is usual"})");
}

TEST(ErrorJson, KnowsTheKeyOfAnOverride) {
  EXPECT_EQ(parts_of(R"(override "train.lr=a. b": train.lr: expected a number, got "a. b")"),
            R"({"code":"invalid_argument","key":"train.lr"})");
}

TEST(ErrorJson, NamesTheKeyBehindTheVerb) {
  EXPECT_EQ(parts_of("recipe: threads -2 must be 0 (all) to 1024"),
            R"({"code":"invalid_argument","key":"threads"})");
  EXPECT_EQ(parts_of(R"(table: table.path is "lines.csv", which is not there)"),
            R"({"code":"invalid_argument","key":"table.path"})");
}

TEST(ErrorJson, NamesTheFileOfARecord) {
  EXPECT_EQ(parts_of(R"(csv: "my t.csv": line 4 has 1 cells, the table 2 columns; mend it)"),
            R"({"code":"invalid_argument","file":"my t.csv","line":4,"cure":"mend it"})");
}

TEST(ErrorJson, TakesNoCauseForACure) {
  EXPECT_EQ(parts_of("features: \"new.csv\" lacks the column legs; it has id, a"),
            R"({"code":"invalid_argument"})");
  EXPECT_EQ(
      parts_of("by: no metric is called \"acc\"; there are accuracy, f1. Did you mean \"f1\"?"),
      R"({"code":"invalid_argument","cure":"Did you mean \"f1\"?"})");
  EXPECT_EQ(parts_of("run: d holds another recipe (train.lr is 1 there; 2 here). Use out=DIR"),
            R"({"code":"invalid_argument","cure":"Use out=DIR"})");
}

TEST(ErrorJson, MakesNothingUp) {
  for (const char* message : {"", ":", "plan", "train: step 1: loss inf", "x:0:3: y", "a:1:b: c",
                              R"(help: "x": y)", "override \"", "unknown key \"", "a. "}) {
    const Json error = error_json(Error(Code::kIo, message))["error"];
    EXPECT_FALSE(error.contains("line")) << message;
    EXPECT_FALSE(error.contains("cure")) << message;
  }
}

}  // namespace
}  // namespace ingot::cli::error_json_test
