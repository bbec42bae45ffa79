// SPDX-License-Identifier: Apache-2.0
// The bytes are what iconv makes of the words in the remarks.
#include "data/formats/encoding_hint.h"

#include <gtest/gtest.h>

namespace ingot::data::encoding_hint_test {
namespace {

const std::string kLatin1 =
    "format.encoding=latin-1 reads it, if that is what the file is; it takes any bytes: where "
    "letters are wrong then, iconv -f ENCODING -t UTF-8 converts the file";
const std::string kTwoBytes =
    "its characters look like two bytes each; if it is Chinese, iconv -f GB18030 -t UTF-8 converts "
    "it";
const std::string kUtf16 = "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8";

TEST(EncodingHint, AccentsAmongLettersAreLatin1) {
  for (const char* text : {
           "caf\xe9",             // café
           "caf\xe9,1",           // café before a comma
           "M\xfcnchen,K\xf6ln",  // München,Köln: each accent and the letter behind it pair up
           "No\xeb\xeb",          // two accents side by side
           "\xe9",
       }) {
    EXPECT_EQ(encoding_hint(text, "format."), kLatin1) << text;
  }
}

TEST(EncodingHint, ChineseIsConvertedRatherThanRead) {
  EXPECT_EQ(encoding_hint("\xb3\xc7\xca\xd0,\xb1\xb1\xbe\xa9", "format."), kTwoBytes);  // 城市,北京
  EXPECT_EQ(encoding_hint("name,\xc9\xcf\xba\xa3,7", "format."), kTwoBytes);            // 上海
  EXPECT_EQ(encoding_hint("\xbc\xad\xbf\xef", "format."), kTwoBytes);  // Seoul in EUC-KR
  // Half of a character is none: the record was cut, or is another encoding.
  EXPECT_EQ(encoding_hint("\xb3\xc7\xca\xd0\xb1", "format."), kLatin1);
}

TEST(EncodingHint, CyrillicWordsOfEvenLengthAreNotTakenForChinese) {
  for (const char* text : {
           "\xcc\xee\xf1\xea\xe2\xe0",                        // Москва in Windows-1251
           "\xf1\xeb\xee\xe2\xee,1 \xf2\xe5\xea\xf1\xf2",     // слово,1 текст
           "\xab\xcc\xee\xf1\xea\xe2\xe0\xbb",                // «Москва»
           "\xe3\xee\xf0\xee\xe4\xe0 \xe8 \xec\xe8\xf0\xfb",  // города и миры
       }) {
    EXPECT_EQ(encoding_hint(text, "format."), kLatin1) << text;
  }
  const std::string both =
      "it may be Chinese, which iconv -f GB18030 -t UTF-8 converts, or Cyrillic: iconv -f KOI8-R "
      "or -f WINDOWS-1251";
  EXPECT_EQ(encoding_hint("\xcd\xcf\xd3\xcb\xd7\xc1", "format."), both);  // москва in KOI8-R
  EXPECT_EQ(encoding_hint("\xcc\xce\xd1\xca\xc2\xc0", "format."), both);  // МОСКВА, as above
}

TEST(EncodingHint, AMarkOfUtf16IsKnown) {
  EXPECT_EQ(encoding_hint("\xff\xfe{", "format."), kUtf16);
  EXPECT_EQ(encoding_hint("\xfe\xff", "format."), kUtf16);
}

TEST(EncodingHint, WideCharactersAreToldByTheirMarks) {
  using namespace std::string_view_literals;
  EXPECT_EQ(marked_encoding("\xff\xfe"
                            "a\0"sv),
            "UTF-16");
  EXPECT_EQ(marked_encoding("\xfe\xff\0a"sv), "UTF-16");
  EXPECT_EQ(marked_encoding("\xff\xfe\0\0a\0\0\0"sv), "UTF-32");
  EXPECT_EQ(marked_encoding("\0\0\xfe\xff\0\0\0a"sv), "UTF-32");
  EXPECT_EQ(marked_encoding("a,b\n"sv), "");
  EXPECT_EQ(encoding_hint("\xff\xfe\0\0a\0\0\0"sv, "format."),
            "it is UTF-32; convert it with iconv -f UTF-32 -t UTF-8");
}

TEST(EncodingHint, WideCharactersWithoutAMarkAreToldByWhereTheZerosStand) {
  using namespace std::string_view_literals;
  EXPECT_EQ(unmarked_encoding("a\0,\0b\0\n\0"sv), "UTF-16LE");
  EXPECT_EQ(unmarked_encoding("\0a\0,\0b\0\n"sv), "UTF-16BE");
  EXPECT_EQ(unmarked_encoding("a\0\0\0,\0\0\0"sv), "UTF-32LE");
  EXPECT_EQ(unmarked_encoding("\0\0\0a\0\0\0,"sv), "UTF-32BE");
}

}  // namespace
}  // namespace ingot::data::encoding_hint_test
