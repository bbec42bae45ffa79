// SPDX-License-Identifier: Apache-2.0
// Texts that somebody may write, through the parser: where it is told, why, and what works.
#include "base/yaml_words.h"

#include <string>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/yaml.h"

namespace ingot::yaml_words_test {
namespace {

std::string refusal(const std::string& text) {
  return testing::message_of([&] { (void)parse_yaml(text, "r"); });
}

TEST(YamlWords, ATabIsNamedWhereItStands) {
  const std::string words = "a tab indents this line. YAML takes spaces: put two in its place";
  EXPECT_EQ(refusal("train:\n\tsteps: 3\n"), "r:2:1: " + words);
  EXPECT_EQ(refusal("train:\n  steps: 3\n\tlr: 2\n"), "r:3:1: " + words);
  EXPECT_EQ(refusal("train: # so\n \t steps: 1\n"), "r:2:2: " + words);
}

TEST(YamlWords, ABracketIsNamedWhereItOpens) {
  EXPECT_EQ(refusal("a: 1\ntrain: {steps: 3, lr: 2\n"),
            "r:2:8: the { that opens here is not closed. Close it with }");
  EXPECT_EQ(refusal("a: [1, [2, 3]\n"),
            "r:1:4: the [ that opens here is not closed. Close it with ]");
  EXPECT_EQ(refusal("train: {steps: 3\nname: x\n"),
            "r:1:8: the { that opens here is not closed before line 2, column 5. Close it with }, "
            "or put a comma there");
  EXPECT_EQ(refusal("a: [\"b\" \"c\"]\n"),
            "r:1:4: the [ that opens here is not closed before line 1, column 9. Close it with ], "
            "or put a comma there");
  EXPECT_EQ(refusal("a: [b}\n"),
            "r:1:6: no { is open that this } could close. Remove it, or open one");
  EXPECT_EQ(refusal("a: b\nc: ]\n"),
            "r:2:4: no [ is open that this ] could close. Remove it, or open one");
}

TEST(YamlWords, ALineThatFitsNothingIsNamed) {
  for (const char* text : {"a:\n   b: 3\n  c: 3\n", "a:\n  - b\n  c: 2\n", "a: |\n   x\n  y\n",
                           "a:\n  b: 1\n  - c\n"}) {
    EXPECT_EQ(refusal(text), "r:3:3: " + std::string(yaml_line_words())) << text;
  }
  // Such a line may begin a document for the parser.
  EXPECT_EQ(refusal(" a: b\nc: d\n"), "r:2:1: " + std::string(yaml_line_words()));
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n"),
            "r:2:1: a second document starts here; only one is allowed");
}

TEST(YamlWords, TextsThatNeedQuotesAreTold) {
  EXPECT_TRUE(refusal("a: b: c\n").starts_with("r:1:5: this \":\" belongs to no key. Quote "));
  EXPECT_TRUE(refusal("train\n  steps: 3\n").starts_with("r:2:8: this \":\" belongs to no key."));
  EXPECT_EQ(refusal("a: @x\n"), "r:1:4: a value cannot begin with @. Quote it");
  EXPECT_EQ(refusal("a: %x\n"), "r:1:4: a value cannot begin with %. Quote it");
  EXPECT_EQ(refusal("a: *nobody\n"),
            "r:1:4: \"*\" stands for a value with a name, and none has this one. Quote a text that "
            "begins with *");
  EXPECT_EQ(refusal("a: 'it's'\n"),
            "r:1:8: the value of this line has ended before this. Quote the whole text; a ' inside "
            "'...' is written ''");
  EXPECT_EQ(
      refusal("a: \"C:\\q\"\n"),
      "r:1:9: a backslash inside \"...\" must be written \\\\. Or take '...', where it stands "
      "for itself");
  EXPECT_EQ(refusal("a: - b\n"),
            "r:1:4: a list cannot begin behind its key. Put \"- \" on a line of its own, or write "
            "[a, b]");
}

TEST(YamlWords, TheRestStaysInTheWordsOfTheParser) {
  EXPECT_EQ(refusal("%YAML 3\n---\na: 1\n"), "r:1:1: bad YAML version: 3");
  const YamlProblem said = explain_yaml("", {7, 9, "end of map not found"}, {});
  EXPECT_EQ(said.line, 7);
  EXPECT_EQ(explain_yaml("", {7, 9, "unknown token"}, {}).words, "unknown token");
}

TEST(YamlWords, LinesAreCut) {
  EXPECT_EQ(yaml_line("a\nb\n", 0), "a");
  EXPECT_EQ(yaml_line("a\nb\n", 1), "b");
  EXPECT_EQ(yaml_line("a\nb", 1), "b");
  EXPECT_EQ(yaml_line("a\nb\n", 3), "");
}

}  // namespace
}  // namespace ingot::yaml_words_test
