// SPDX-License-Identifier: Apache-2.0
#include "text/byte_alphabet.h"

#include <set>

#include <gtest/gtest.h>

namespace ingot::text::byte_alphabet_test {
namespace {

TEST(ByteAlphabet, SpellsLikeGpt2) {
  EXPECT_EQ(spell_bytes(" the\n"), "ĠtheĊ");
  EXPECT_EQ(spell_bytes("\xE4\xBD\xA0"), "ä½ł");
  EXPECT_EQ(spell_bytes(std::string_view("\0\x7F\xAD", 3)), "ĀġŃ");
}

TEST(ByteAlphabet, EveryByteHasItsOwnCharacterAndComesBack) {
  std::set<uint32_t> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    EXPECT_EQ(unspell_bytes(spell_bytes(bytes)), bytes);
    seen.insert(byte_alphabet()[static_cast<size_t>(byte)]);
  }
  EXPECT_EQ(seen.size(), 256U);
  EXPECT_EQ(*seen.rbegin(), 0x143U);
}

TEST(ByteAlphabet, RefusesOtherCharacters) {
  for (const char* text : {" ", "a b", "中", "\xC5\x84", "\xFF", "\n"}) {
    EXPECT_FALSE(unspell_bytes(text).has_value()) << text;
  }
  EXPECT_EQ(unspell_bytes(""), "");
}

}  // namespace
}  // namespace ingot::text::byte_alphabet_test
