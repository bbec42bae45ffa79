// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/message_of.h"

namespace ingot::json_test {
namespace {

using testing::code_of;
using testing::message_of;

std::string parse_error(std::string_view text, const JsonLimits& limits = {}) {
  return message_of([&] { (void)parse_json(text, "request", limits); });
}

TEST(Json, KeepsOrderAndValues) {
  const std::string text =
      R"({"b":1,"a":[true,false,null,-3,2.5,"x\n\u00e9\ud83d\ude00"],"c":{"d":{}},"e":[],"f":18446744073709551615})";
  const Json json = parse_json(text, "t");
  EXPECT_EQ(json.dump(), nlohmann::ordered_json::parse(text).dump());
  EXPECT_EQ(json.begin().key(), "b");
  EXPECT_EQ(json["a"][5], "x\n\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(json["f"].get<uint64_t>(), std::numeric_limits<uint64_t>::max());
}

TEST(Json, TakesScalarsAndBlanksAround) {
  EXPECT_EQ(parse_json(" \t\r\n 3 \n", "t"), 3);
  EXPECT_EQ(parse_json("\"x\"", "t"), "x");
  EXPECT_TRUE(parse_json("null", "t").is_null());
}

TEST(Json, ErrorsNameLineColumnAndByte) {
  EXPECT_EQ(parse_error("{\"a\": 1,\n \"b\": nul}"),
            "request:2:10: syntax error while parsing value - invalid literal; last read: "
            "'\"b\": nul}' (byte 18)");
  EXPECT_EQ(parse_error(""),
            "request:1:1: syntax error while parsing value - unexpected end of input; expected "
            "'[', '{', or a literal (byte 0)");
  EXPECT_EQ(parse_error("[1,2"),
            "request:1:5: syntax error while parsing array - unexpected end of input; expected "
            "']' (byte 4)");
}

TEST(Json, RefusesTrailingBytes) {
  EXPECT_EQ(parse_error("{} x"),
            "request:1:4: syntax error while parsing value - invalid literal; last read: '{} x'; "
            "expected end of input (byte 3)");
  EXPECT_NE(parse_error("1 2"), "no error");
  EXPECT_EQ(parse_error(std::string_view("{}\0{}", 5)), "request:1:3: a NUL byte (byte 2)");
}

TEST(Json, RefusesNanAndNumbersBeyondDouble) {
  for (const char* text : {"NaN", "nan", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "0x10"}) {
    EXPECT_NE(parse_error(text), "no error") << text;
  }
  EXPECT_EQ(parse_error("[1e999]"), "request:1:6: number overflow parsing '1e999' (byte 5)");
}

TEST(Json, RefusesDuplicateKeysAtTheSecondOne) {
  EXPECT_EQ(parse_error("{\"a\": 1,\n \"b\": {\"x\": [1], \"x\": 2}}"),
            "request:2:18: the key \"x\" appears twice (byte 26)");
  EXPECT_EQ(parse_error(R"({"a":1,"\u0061":2})"),
            "request:1:8: the key \"a\" appears twice (byte 7)");
  EXPECT_EQ(parse_error(R"([{"a":1},{"a":2}])"), "no error");
}

TEST(Json, RefusesInvalidUtf8) {
  const std::string message = parse_error("{\"a\": \"x\xff\"}");
  EXPECT_EQ(message.rfind("request:1:9: syntax error while parsing value - invalid string: "
                          "ill-formed UTF-8 byte;",
                          0),
            0U)
      << message;
  EXPECT_NE(parse_error("\"\\ud800\""), "no error");  // half of a surrogate pair
  EXPECT_NE(parse_error("\"\xed\xa0\x80\""), "no error");
  EXPECT_NE(parse_error("\"\xc0\x80\""), "no error");
}

TEST(Json, RefusesDeepNestingBeforeItIsBuilt) {
  EXPECT_EQ(parse_error("[[[1]]]", {.max_depth = 3}), "no error");
  EXPECT_EQ(parse_error("[[{\"a\":[1]}]]", {.max_depth = 3}),
            "request:1:8: nested deeper than 3 levels (byte 7)");
  EXPECT_EQ(parse_error(std::string(2'000'000, '[')),
            "request:1:65: nested deeper than 64 levels (byte 64)");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_NE(parse_error(objects), "no error");
}

TEST(Json, RefusesTooManyBytes) {
  EXPECT_EQ(parse_error("[1,2,3]", {.max_bytes = 6}), "request: 7 B of JSON, the limit is 6 B");
}

TEST(Json, ErrorCodeIsTheCallers) {
  EXPECT_EQ(code_of([] { (void)parse_json("x", "t"); }), "invalid_argument");
  EXPECT_EQ(code_of([] { (void)parse_json("x", "t", {.code = Code::kCorruptFile}); }),
            "corrupt_file");
}

TEST(Json, LongBadTokensAreCutInTheMessage) {
  EXPECT_LT(parse_error("\"" + std::string(100'000, 'a')).size(), 400U);
}

TEST(Json, BigObjectsAreBuiltAndChecked) {
  // A vocabulary; a linear search per member would make this take minutes.
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += "\"token" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  const Json json = parse_json(text + "\"last\":0}", "vocab");
  EXPECT_EQ(json.size(), 200'001U);
  EXPECT_EQ(parse_error(text + "\"token777\":0}").find("the key \"token777\" appears twice") !=
                std::string::npos,
            true);
}

TEST(Json, DumpReplacesWhatJsonCannotHold) {
  Json json;
  json["t"] = "a\xff";
  json["n"] = std::nan("");
  EXPECT_EQ(dump_json(json), "{\"t\":\"a\xef\xbf\xbd\",\"n\":null}");
  EXPECT_EQ(dump_json(Json::array({1, 2}), 1), "[\n 1,\n 2\n]");
  EXPECT_EQ(quote_json("a\"\\\n\x01\xff"), "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\"");
}

TEST(Json, ACellIsItsTextOrNothing) {
  const Json json = parse_json(R"(["a \"b\"",null,3,-0.25,1e300,true])", "t");
  const std::vector<std::string> cells = {"a \"b\"", "", "3", "-0.25", "1e+300", "true"};
  for (size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(json_cell(json[i]), cells[i]);
}

TEST(JsonMembers, HaveTypes) {
  const Json json = parse_json(R"({"s":"x","i":3,"d":1.5,"b":true,"n":null})", "t");
  EXPECT_EQ(json_string(json, "s", "t"), "x");
  EXPECT_EQ(json_int(json, "i", "t"), 3);
  EXPECT_EQ(json_number(json, "i", "t"), 3.0);
  EXPECT_EQ(json_number(json, "d", "t"), 1.5);
  EXPECT_TRUE(json_bool(json, "b", "t"));
  EXPECT_EQ(json_optional(json, "n", "t"), nullptr);
  EXPECT_EQ(json_optional(json, "zzz", "t"), nullptr);
}

TEST(JsonMembers, ErrorsNameKeyAndValue) {
  const Json json = parse_json(R"({"s":"x","i":3,"d":1.5,"u":18446744073709551615})", "t");
  EXPECT_EQ(message_of([&] { (void)json_int(json, "q", "model.json"); }),
            "model.json: \"q\" is missing");
  EXPECT_EQ(message_of([&] { (void)json_string(json, "i", "model.json"); }),
            "model.json: \"i\" must be a string, is 3");
  EXPECT_EQ(message_of([&] { (void)json_int(json, "d", "model.json"); }),
            "model.json: \"d\" must be a whole number, is 1.5");
  EXPECT_EQ(message_of([&] { (void)json_int(json, "u", "model.json"); }),
            "model.json: \"u\" must be a whole number, is 18446744073709551615");
  EXPECT_EQ(message_of([&] { (void)json_number(json, "s", "model.json"); }),
            "model.json: \"s\" must be a number, is \"x\"");
  EXPECT_EQ(message_of([&] { (void)json_bool(json, "i", "model.json"); }),
            "model.json: \"i\" must be true or false, is 3");
  EXPECT_EQ(message_of([&] { (void)json_int(Json(3), "q", "model.json"); }),
            "model.json: an object with \"q\" is needed, is 3");
}

TEST(Json, AValueIsNamedByItsKind) {
  const auto kind = [](const char* text) { return json_kind(parse_json(text, "body")); };
  EXPECT_EQ(kind("{}"), "an object");
  EXPECT_EQ(kind("[]"), "an array");
  EXPECT_EQ(kind("\"\""), "a string");
  EXPECT_EQ(kind("true"), "a boolean");
  EXPECT_EQ(kind("-0.5"), "a number");
  EXPECT_EQ(kind("null"), "null");
}

}  // namespace
}  // namespace ingot::json_test
