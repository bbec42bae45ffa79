// SPDX-License-Identifier: Apache-2.0
// Expected segments are those of the PyPI `tokenizers` package for the same flags.
#include "text/added_tokens.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::text::added_tokens_test {
namespace {

using Pieces = std::vector<std::pair<int32_t, std::string>>;

AddedToken token(int32_t id, std::string content) {
  AddedToken made;
  made.id = id;
  made.content = std::move(content);
  return made;
}

Pieces split(const std::vector<AddedToken>& tokens, std::string_view text) {
  Pieces pieces;
  for (const Segment& segment : AddedTokenMatcher(tokens).split(text)) {
    pieces.emplace_back(segment.id, segment.text);
  }
  return pieces;
}

TEST(AddedTokens, AreCutOutOfTheText) {
  const std::vector<AddedToken> tokens = {token(7, "<|end|>")};
  EXPECT_EQ(split(tokens, "a<|end|><|end|> b<|end"),
            (Pieces{{-1, "a"}, {7, "<|end|>"}, {7, "<|end|>"}, {-1, " b<|end"}}));
  EXPECT_TRUE(split(tokens, "").empty());
  EXPECT_TRUE(AddedTokenMatcher(std::vector<AddedToken>{}).empty());
}

TEST(AddedTokens, LeftmostThenLongestWins) {
  const std::vector<AddedToken> tokens = {token(1, "ab"), token(2, "abc"), token(3, "bcd")};
  EXPECT_EQ(split(tokens, "abcd abd"), (Pieces{{2, "abc"}, {-1, "d "}, {1, "ab"}, {-1, "d"}}));
}

TEST(AddedTokens, StripFlagsTakeWhiteSpaceAlong) {
  AddedToken left = token(1, "[X]");
  left.lstrip = true;
  EXPECT_EQ(split({left}, "a  [X]  b"), (Pieces{{-1, "a"}, {1, "  [X]"}, {-1, "  b"}}));
  AddedToken right = token(1, "[X]");
  right.rstrip = true;
  EXPECT_EQ(split({right}, "a  [X]  b"), (Pieces{{-1, "a  "}, {1, "[X]  "}, {-1, "b"}}));
  AddedToken both = left;
  both.rstrip = true;
  EXPECT_EQ(split({both}, "a \u3000[X] [X]\n b"),
            (Pieces{{-1, "a"}, {1, " \u3000[X] "}, {1, "[X]\n "}, {-1, "b"}}));
}

TEST(AddedTokens, SingleWordTokensTouchNoWordCharacter) {
  AddedToken cat = token(1, "cat");
  cat.single_word = true;
  EXPECT_EQ(split({cat}, "cat concat cat_ cat. 猫cat cats catcat"),
            (Pieces{{1, "cat"}, {-1, " concat cat_ "}, {1, "cat"}, {-1, ". 猫cat cats catcat"}}));
  AddedToken aa = token(1, "aa");
  aa.single_word = true;
  EXPECT_EQ(split({aa}, "aaa aa"), (Pieces{{-1, "aaa "}, {1, "aa"}}));
}

TEST(AddedTokens, NormalizedTokensComeSecond) {
  AddedToken late = token(1, "q");
  late.normalized = true;
  EXPECT_EQ(split({late, token(2, "xqx")}, "q xqx"), (Pieces{{1, "q"}, {-1, " "}, {2, "xqx"}}));
  late.content = "xqx";
  EXPECT_EQ(split({late, token(2, "q")}, "xqx"), (Pieces{{-1, "x"}, {2, "q"}, {-1, "x"}}));
}

}  // namespace
}  // namespace ingot::text::added_tokens_test
