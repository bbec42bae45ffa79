// SPDX-License-Identifier: Apache-2.0
// The scanner against words cut by hand from the pattern; the golden ids cover the rest.
#include "text/pretokenize.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::text::pretokenize_test {
namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  Words words;
  for_each_word(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

TEST(Pretokenize, SplitsEnglishLikeThePattern) {
  EXPECT_EQ(words_of("Hello world, it's 2024!"),
            (Words{"Hello", " world", ",", " it", "'s", " 2024", "!"}));
  EXPECT_EQ(words_of("I'll we've they're I'm he'd don't IT'S"),
            (Words{"I", "'ll", " we", "'ve", " they", "'re", " I", "'m", " he", "'d", " don", "'t",
                   " IT", "'", "S"}));
  EXPECT_EQ(words_of("'save 'll'x ''s"), (Words{"'s", "ave", " '", "ll", "'", "x", " ''", "s"}));
}

TEST(Pretokenize, LeavesTheLastSpaceToTheNextWord) {
  EXPECT_EQ(words_of("a  b"), (Words{"a", " ", " b"}));
  EXPECT_EQ(words_of("a   b  "), (Words{"a", "  ", " b", "  "}));
  EXPECT_EQ(words_of("a\n\nb"), (Words{"a", "\n", "\n", "b"}));
  EXPECT_EQ(words_of("a\nb"), (Words{"a", "\n", "b"}));
  EXPECT_EQ(words_of("a \t b"), (Words{"a", " \t", " b"}));
  EXPECT_EQ(words_of("a\xE3\x80\x80\xE3\x80\x80z"),
            (Words{"a", "\xE3\x80\x80", "\xE3\x80\x80", "z"}));
  EXPECT_EQ(words_of("   "), (Words{"   "}));
  EXPECT_TRUE(words_of("").empty());
}

TEST(Pretokenize, KnowsOtherScripts) {
  EXPECT_EQ(words_of("今天天气，好 3½"), (Words{"今天天气", "，", "好", " 3½"}));
  EXPECT_EQ(words_of("e\xCC\x81"), (Words{"e", "\xCC\x81"}));  // a combining mark is no letter
}

TEST(Pretokenize, InvalidBytesAreSymbols) {
  EXPECT_EQ(words_of("ab\xFF\xFEy \x80!\xE4\xB8"),
            (Words{"ab", "\xFF\xFE", "y", " \x80!\xE4\xB8"}));
}

TEST(Pretokenize, CutsLongRunsOnCodePointBorders) {
  std::string text = " ";
  for (int i = 0; i < 30000; ++i) text += "中";
  text += "'s";
  std::string joined;
  for (const std::string& word : words_of(text)) {
    EXPECT_LE(static_cast<int64_t>(word.size()), kMaxWordBytes);
    EXPECT_NE(static_cast<uint8_t>(word[0]) & 0xC0, 0x80);
    joined += word;
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(words_of(text).size(), 3U);
  EXPECT_EQ(words_of(std::string(3 * kMaxWordBytes, ' ')).size(), 3U);
  EXPECT_EQ(words_of(std::string(kMaxWordBytes, ' ') + "a").size(), 2U);
}

}  // namespace
}  // namespace ingot::text::pretokenize_test
