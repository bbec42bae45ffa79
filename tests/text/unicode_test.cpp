// SPDX-License-Identifier: Apache-2.0
// UTF-8 reading against the examples of the Unicode standard (tables 3-8 to 3-11) and classes
// against utf8proc, which our table does not come from.
#include "text/unicode.h"

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <utf8proc.h>

namespace ingot::text::unicode_test {
namespace {

using Kind = Utf8Prefix::Kind;

TEST(Unicode, EveryCodePointRoundTrips) {
  for (uint32_t cp = 0; cp < 0x110000; ++cp) {
    if (cp >= 0xD800 && cp < 0xE000) continue;
    std::string text = "x";
    append_utf8(cp, text);
    const CodePoint point = decode_utf8(text, 1);
    ASSERT_TRUE(point.valid) << cp;
    ASSERT_EQ(point.value, cp);
    ASSERT_EQ(point.size_bytes, static_cast<int32_t>(text.size()) - 1);
    ASSERT_EQ(previous_code_point(text, static_cast<int64_t>(text.size())), 1);
  }
}

TEST(Unicode, InvalidBytesAreReadOneByOne) {
  for (const std::string text : {"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE4\xB8",
                                 "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    const CodePoint point = decode_utf8(text, 0);
    EXPECT_FALSE(point.valid);
    EXPECT_EQ(point.size_bytes, 1);
    EXPECT_EQ(point.value, static_cast<uint8_t>(text[0]));
    const auto size = static_cast<int64_t>(text.size());
    EXPECT_EQ(previous_code_point(text, size), size - 1);
  }
}

TEST(Unicode, MaximalSubpartsAsInTheStandard) {
  const auto expect = [](std::string_view text, Kind kind, int32_t size) {
    const Utf8Prefix prefix = inspect_utf8(text);
    EXPECT_EQ(prefix.kind, kind);
    EXPECT_EQ(prefix.size_bytes, size);
  };
  expect("\xC0\xAF", Kind::kInvalid, 1);          // table 3-8: non-shortest form
  expect("\xED\xA0\x80", Kind::kInvalid, 1);      // table 3-9: surrogate
  expect("\xF4\x91\x92\x93", Kind::kInvalid, 1);  // table 3-10: above U+10FFFF
  expect("\xE1\x80\xE2", Kind::kInvalid, 2);      // table 3-11: truncated sequences
  expect("\xF1\x91\x92\x41", Kind::kInvalid, 3);
  expect("\xF1\x91\x92", Kind::kIncomplete, 3);
  expect("\xE1", Kind::kIncomplete, 1);
  expect("\xE4\xB8\xAD!", Kind::kComplete, 3);
}

TEST(Unicode, ClassesAgreeWithUtf8procWhereItKnowsTheCharacter) {
  const std::set<uint32_t> spaces = {0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
                                     0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A,
                                     0x2028, 0x2029, 0x202F, 0x205F, 0x3000, '\t',   '\n',
                                     '\v',   '\f',   '\r',   ' '};
  for (uint32_t cp = 0; cp < 0x110000; ++cp) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(cp));
    if (category == UTF8PROC_CATEGORY_CN) continue;  // not assigned yet in that version
    CharClass expected = CharClass::kOther;
    if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) {
      expected = CharClass::kLetter;
    }
    if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) {
      expected = CharClass::kNumber;
    }
    if (spaces.contains(cp)) expected = CharClass::kSpace;
    ASSERT_EQ(char_class(cp), expected) << cp;
  }
}

TEST(Unicode, WordCharactersAreLettersMarksDigitsAndConnectors) {
  for (const uint32_t cp :
       {uint32_t{'a'}, uint32_t{'_'}, uint32_t{'7'}, 0x732BU, 0x301U, 0x2167U}) {
    EXPECT_TRUE(is_word_char(cp)) << cp;
  }
  for (const uint32_t cp : {uint32_t{'-'}, uint32_t{' '}, 0xBDU, 0x1F680U, 0x3002U}) {
    EXPECT_FALSE(is_word_char(cp)) << cp;
  }
}

}  // namespace
}  // namespace ingot::text::unicode_test
