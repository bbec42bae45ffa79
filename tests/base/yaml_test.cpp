// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include "base/message_of.h"

namespace ingot::yaml_test {
namespace {

using testing::message_of;
using Kind = YamlNode::Kind;

std::string parse_error(std::string_view text, const YamlLimits& limits = {}) {
  return message_of([&] { (void)parse_yaml(text, "r.yaml", limits); });
}

TEST(Yaml, BuildsATreeWithPositions) {
  const YamlNode root = parse_yaml("# c\na: 1\nb:\n  - x\n  - \"y z\"\nc: {d: ~, e: ''}\n", "r");
  ASSERT_EQ(root.kind, Kind::kMap);
  ASSERT_EQ(root.members.size(), 3U);
  EXPECT_EQ(root.members[1].key, "b");
  EXPECT_EQ(root.members[1].line, 3);
  EXPECT_EQ(root.members[1].column, 1);
  const YamlNode& b = root.members[1].value;
  ASSERT_EQ(b.kind, Kind::kSequence);
  EXPECT_EQ(b.items[0].scalar, "x");
  EXPECT_FALSE(b.items[0].quoted);
  EXPECT_EQ(b.items[1].scalar, "y z");
  EXPECT_TRUE(b.items[1].quoted);
  EXPECT_EQ(b.items[1].line, 5);
  EXPECT_EQ(b.items[1].column, 5);
  const YamlNode* c = root.find("c");
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(c->find("d")->kind, Kind::kNull);
  EXPECT_EQ(c->find("e")->kind, Kind::kScalar);
  EXPECT_EQ(c->find("f"), nullptr);
}

TEST(Yaml, EmptyTextIsNull) {
  EXPECT_EQ(parse_yaml("", "r").kind, Kind::kNull);
  EXPECT_EQ(parse_yaml("# only a comment\n", "r").kind, Kind::kNull);
}

TEST(Yaml, BlockTextIsQuoted) {
  const YamlNode root = parse_yaml("a: |\n  x\n  y\nb: !!str 3\n", "r");
  EXPECT_EQ(root.find("a")->scalar, "x\ny\n");
  EXPECT_TRUE(root.find("a")->quoted);
  EXPECT_TRUE(root.find("b")->quoted);
}

TEST(Yaml, DuplicateKeysAreAnError) {
  EXPECT_EQ(parse_error("a: 1\nb: 2\n'a': 3\n"),
            "r.yaml:3:1: the key \"a\" appears twice, first in line 1. Keep one of them");
  EXPECT_EQ(parse_error("x: {a: 1, a: 2}"),
            "r.yaml:1:11: the key \"a\" appears twice, first in line 1. Keep one of them");
  EXPECT_EQ(parse_error("[{a: 1}, {a: 2}]"), "no error");
}

TEST(Yaml, BrokenTextNamesThePlace) {
  EXPECT_EQ(parse_error("{a: 1}\n---\n{b: 2}\n"),
            "r.yaml:2:1: a second document starts here; only one is allowed");
  EXPECT_EQ(parse_error("a: !mine 3\n"),
            "r.yaml:1:4: the tag \"!mine\" is not supported. Remove it.");
  EXPECT_EQ(parse_error("? [1]\n: 2\n"), "r.yaml:1:3: a key must be a word, not a list or map");
  EXPECT_EQ(parse_error("~: 2\n"), "r.yaml:1:1: a key must be a word, not a list or map");
}

TEST(Yaml, QuotesThatAreNotClosedDoNotSwallowTheRest) {
  const auto message = [](std::string_view place, char quote) {
    return "r.yaml:" + std::string(place) +
           ": the quotes that open here are not closed. Close them with " + quote;
  };
  constexpr std::string_view kRest = "\ntrain:\n  steps: 5";
  for (const std::string end : {"", "\n", "\n\n  \n", "\\\n", " # \n"}) {
    const std::string rest = std::string(kRest) + end;
    EXPECT_EQ(parse_error("generate:\n  prompt: \"hello" + rest), message("2:11", '"')) << end;
    EXPECT_EQ(parse_error("generate:\n  prompt: 'hello" + rest), message("2:11", '\'')) << end;
  }
  EXPECT_EQ(parse_error("a: [1, \"x\nb: 2\n"), message("1:8", '"'));
  EXPECT_EQ(parse_error("a: [1, \"x\n  "), message("1:8", '"'));
  EXPECT_EQ(parse_error("a: &x 'it''s\nb: 2\n"), message("1:4", '\''));
  EXPECT_EQ(parse_error("\"a\": 'x'\nb: \"y\n"), message("2:4", '"'));
  // in place of a key or of a comma, where the value before is closed
  EXPECT_EQ(parse_error("out: \"x\"\n\"train:\n  steps: 5\n"), message("2:1", '"'));
  EXPECT_EQ(parse_error("a: |\n  it's\n'b: 1\n"), message("3:1", '\''));
  EXPECT_EQ(parse_error("a: [\"x\\\"\" \"y\nb: 2\n"), message("1:11", '"'));
}

TEST(Yaml, ClosedQuotesMaySpanLines) {
  const YamlNode root = parse_yaml("a: \"x\n  y: z\"\nb: 'it''s'\n", "r");
  EXPECT_EQ(root.find("a")->scalar, "x y: z");
  EXPECT_EQ(root.find("b")->scalar, "it's");
  for (const std::string_view text :
       {"a: \"x\"", "a: \"x\"\n", "a: 'x' # it's\n", "a: \"\\\"\"\n", "a: |\n  say \"x\n",
        "a: it's\n", "a: \"x\"\n \t", "\"a\": \"x\"\n\n", "- 'x'\n", "[\"x\"]\n", "{\"a\": 'x'}\n",
        "'x'\n"}) {
    EXPECT_EQ(parse_error(text), "no error") << text;
  }
}

TEST(Yaml, ABlockTextAtTheEndStaysAsItIs) {
  for (const std::string text : {"a: |\n  x\n", "a: |+\n  x\n", "a: >\n  x\n"}) {
    EXPECT_EQ(parse_yaml(text, "r").find("a")->scalar, "x\n") << text;
  }
  EXPECT_EQ(parse_yaml("a: |\n  x  ", "r").find("a")->scalar, "x  ");
  EXPECT_EQ(parse_yaml("a: |+\n  x\n\n", "r").find("a")->scalar, "x\n\n");
}

TEST(Yaml, RefusesBytesThatAreNotText) {
  EXPECT_EQ(parse_error("a: 1\nb: \xff\n"),
            "r.yaml:2:4: invalid UTF-8. Save the file as UTF-8. (byte 8)");
  EXPECT_EQ(parse_error("a: \x04\n"), "r.yaml:1:4: the control character 0x04 (byte 3)");
  EXPECT_EQ(parse_error(std::string_view("a: \0", 4)),
            "r.yaml:1:4: the control character 0x00 (byte 3)");
}

TEST(Yaml, LimitsSizeDepthAndValues) {
  EXPECT_EQ(parse_error(std::string((1 << 20) + 1, ' ')),
            "r.yaml: 1.0 MiB of YAML, the limit is 1.0 MiB");
  EXPECT_EQ(parse_error(std::string(32, '[') + std::string(32, ']')), "no error");
  EXPECT_EQ(parse_error(std::string(99, '[') + std::string(99, ']')),
            "r.yaml:1:33: nested deeper than 32 levels");
  EXPECT_NE(parse_error(std::string(1'000'000, '[')), "no error");
  std::string dashes;
  for (int i = 0; i < 200'000; ++i) dashes += "- ";
  EXPECT_EQ(parse_error(dashes), "r.yaml:1:65: nested deeper than 32 levels");
  EXPECT_EQ(parse_error("[1, 2, 3]", {.max_values = 3}), "r.yaml:1:8: more than 3 values");
}

TEST(Yaml, AliasesUnfoldWithinLimits) {
  const YamlNode root = parse_yaml("a: &x {k: [1, 2]}\nb: *x\n", "r");
  EXPECT_EQ(root.find("b")->find("k")->items[1].scalar, "2");
  EXPECT_EQ(parse_error("a: &x [*x]\n"), "r.yaml:1:8: an alias inside the value it stands for");
}

TEST(Yaml, AliasBombStopsAtTheValueLimit) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 3; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  const std::string message = parse_error(bomb);
  EXPECT_NE(message.find("more than 100000 values"), std::string::npos) << message;
}

TEST(Yaml, CountsAnchorsAndAliases) {
  std::string many = "a: &x 1\nb: [*x";
  for (int i = 0; i < 70; ++i) many += ", *x";
  const std::string message = parse_error(many + "]\n");
  EXPECT_NE(message.find("more than 64 anchors and aliases"), std::string::npos) << message;
}

TEST(Yaml, AliasesCannotExceedTheDepth) {
  std::string text = "a: &x " + std::string(20, '[') + std::string(20, ']') + "\n";
  text += "b: " + std::string(20, '[') + "*x" + std::string(20, ']') + "\n";
  EXPECT_NE(parse_error(text).find("nested deeper than 32 levels"), std::string::npos);
}

TEST(Yaml, DescribesValues) {
  EXPECT_EQ(describe(parse_yaml("~", "r")), "null");
  EXPECT_EQ(describe(parse_yaml("[1]", "r")), "a list");
  EXPECT_EQ(describe(parse_yaml("{a: 1}", "r")), "a map");
  EXPECT_EQ(describe(parse_yaml("fast", "r")), "\"fast\"");
}

}  // namespace
}  // namespace ingot::yaml_test
