// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace ingot::text_test {
namespace {

using Names = std::vector<std::string>;

TEST(EditDistance, MatchesHandCounts) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("lr", "rl"), 1);  // one swap
  EXPECT_EQ(edit_distance("learning_rte", "learning_rate"), 1);
  EXPECT_EQ(edit_distance("ca", "abc"), 3);  // optimal string alignment, not full Damerau
}

TEST(NearestName, FindsTyposAndIgnoresStrangers) {
  const Names names{"learning_rate", "weight_decay", "steps", "lr"};
  EXPECT_EQ(nearest_name("learning_rte", names), "learning_rate");
  EXPECT_EQ(nearest_name("Weight-Decay", names), "weight_decay");
  EXPECT_EQ(nearest_name("rl", names), "lr");
  EXPECT_EQ(nearest_name("banana", names), "");
  EXPECT_EQ(nearest_name("x", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'a'), names), "");
}

TEST(NearestName, OfEqualsTheOneWithTheSameBeginningWinsThenTheFirst) {
  EXPECT_EQ(nearest_name("cat", Names{"bat", "hat"}), "bat");
  EXPECT_EQ(nearest_name("cat", Names{"bat", "cap", "car"}), "cap");
  EXPECT_EQ(nearest_name("tain", Names{"rain", "main", "train"}), "train");
}

TEST(NearestName, ThatHoldsTheWordWhenNoneIsNear) {
  const Names names{"california_housing", "cifar10", "fashion_mnist", "mnist", "ames_housing"};
  EXPECT_EQ(nearest_name("cifar", names), "cifar10");
  EXPECT_EQ(nearest_name("Fashion", names), "fashion_mnist");
  EXPECT_EQ(nearest_name("MNIST", names), "mnist") << "near comes before held";
  EXPECT_EQ(nearest_name("housing", names), "") << "two hold it";
  EXPECT_EQ(nearest_name("10", names), "") << "too short to say anything";
}

TEST(NearestName, ThatTheWordLengthensWhenNoneIsNear) {
  const Names names{"seq", "out", "train"};
  EXPECT_EQ(nearest_name("seq_len", names), "seq");
  EXPECT_EQ(nearest_name("out-dir", names), "out");
  EXPECT_EQ(nearest_name("output", names), "");
}

TEST(NearestHint, SpeaksOnlyOfANearName) {
  EXPECT_EQ(nearest_hint("dens", Names{"dense", "flatten"}), ". Did you mean \"dense\"?");
  EXPECT_EQ(nearest_hint("banana", Names{"dense", "flatten"}), "");
}

TEST(DidYouMean, OffersTheNameOrListsThem) {
  EXPECT_EQ(did_you_mean("stpes", Names{"steps", "lr"}), " Did you mean \"steps\"?");
  EXPECT_EQ(did_you_mean("banana", Names{"steps", "lr"}), " Known: steps, lr.");
  EXPECT_EQ(did_you_mean("banana", Names{}), "");
  Names many;
  for (int i = 10; i < 30; ++i) many.push_back("key" + std::to_string(i));
  EXPECT_EQ(did_you_mean("banana", many),
            " Known: key10, key11, key12, key13, key14, key15, key16, key17, key18, key19, key20, "
            "key21 and 8 more.");
}

TEST(HumanBytes, PicksUnitAndDigits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(int64_t{8} << 30), "8.0 GiB");
  EXPECT_EQ(human_bytes(10522669875), "9.8 GiB");
  EXPECT_EQ(human_bytes(512 << 20), "512 MiB");
  EXPECT_EQ(human_bytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(-2048), "-2.0 KiB");
  EXPECT_EQ(human_bytes(INT64_MAX), "8.0 EiB");
}

TEST(HumanCount, PicksUnitAndDigits) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(950), "950");
  EXPECT_EQ(human_count(2.5), "2.5");
  EXPECT_EQ(human_count(12345), "12.3k");
  EXPECT_EQ(human_count(999'600), "1.0M");
  EXPECT_EQ(human_count(123'456'789), "123M");
  EXPECT_EQ(human_count(7e9), "7.0B");
  EXPECT_EQ(human_count(-1500), "-1.5k");
}

TEST(HumanDuration, PicksUnits) {
  EXPECT_EQ(human_duration(0.35), "0.35s");
  EXPECT_EQ(human_duration(42), "42s");
  EXPECT_EQ(human_duration(59.7), "1m00s");
  EXPECT_EQ(human_duration(187), "3m07s");
  EXPECT_EQ(human_duration(3599.8), "1h00m");
  EXPECT_EQ(human_duration(7500), "2h05m");
  EXPECT_EQ(human_duration(86400.0 * 3 + 3600 * 4), "3d04h");
  EXPECT_EQ(human_duration(-42), "-42s");
  EXPECT_EQ(human_duration(1e300), "?");
  EXPECT_EQ(human_duration(std::numeric_limits<double>::quiet_NaN()), "?");
}

TEST(WithThousands, PutsCommas) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(-1234567), "-1,234,567");
  EXPECT_EQ(with_thousands(-123), "-123");
  EXPECT_EQ(with_thousands(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(Split, KeepsEmptyPieces) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split("a,", ','), (std::vector<std::string_view>{"a", ""}));
}

TEST(Text, JoinTrimLower) {
  EXPECT_EQ(join(Names{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join(Names{}, ", "), "");
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(lower_ascii("AbZ\xc3\x84"), "abz\xc3\x84");
}

// The definition by arithmetic: decode the bits, then ask whether the code point may be written
// like that. Independent of the byte ranges in text.cpp.
int reference_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return 1;
  const int length = lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (length == 0 || static_cast<size_t>(length) > text.size()) return 0;
  uint32_t point = lead & ((1U << (7 - length)) - 1);
  for (int i = 1; i < length; ++i) {
    if (byte(static_cast<size_t>(i)) >> 6 != 2) return 0;
    point = (point << 6) | (byte(static_cast<size_t>(i)) & 63U);
  }
  const int needed = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return needed == length && !surrogate && point <= 0x10FFFF ? length : 0;
}

int64_t reference_first_invalid(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const int length = reference_length(text.substr(at));
    if (length == 0) return static_cast<int64_t>(at);
    at += static_cast<size_t>(length);
  }
  return -1;
}

TEST(Utf8, AgreesWithTheDefinitionOnAllLeadBytesAndBorderBytes) {
  const std::vector<int> border{0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
  int64_t wrong = 0;
  for (int lead = 0; lead < 256; ++lead) {
    for (const int b : border) {
      for (const int c : border) {
        for (const int d : border) {
          const std::string text{static_cast<char>(lead), static_cast<char>(b),
                                 static_cast<char>(c), static_cast<char>(d)};
          wrong += first_invalid_utf8(text) != reference_first_invalid(text);
        }
      }
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Utf8, FindsBadBytesBehindLongAsciiRuns) {
  for (size_t before = 0; before < 40; ++before) {
    const std::string good = std::string(before, 'a') + "\xe2\x82\xac" + std::string(before, 'b');
    EXPECT_TRUE(is_valid_utf8(good));
    const std::string bad = good + "\xff" + std::string(before, 'c');
    EXPECT_EQ(first_invalid_utf8(bad), static_cast<int64_t>(good.size()));
  }
  EXPECT_EQ(first_invalid_utf8("ab\xe2\x82"), 2);  // cut in the middle
  EXPECT_TRUE(is_valid_utf8(""));
}

TEST(Utf8, ReplacesMaximalIllFormedParts) {
  // The example of the Unicode standard, table 3-8.
  EXPECT_EQ(replace_invalid_utf8("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64"),
            "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
            "b\xef\xbf\xbd"
            "c\xef\xbf\xbd\xef\xbf\xbd"
            "d");
  EXPECT_EQ(replace_invalid_utf8("plain"), "plain");
}

TEST(Excerpt, CutsBetweenCharactersAndShowsControlBytes) {
  EXPECT_EQ(excerpt("short"), "short");
  EXPECT_EQ(excerpt("abcdef", 3), "abc...");
  EXPECT_EQ(excerpt("a\xe2\x82\xac", 3), "a...");
  EXPECT_EQ(excerpt("a\nb\tc\x1b"), "a\\nb\\tc\\x1b");
  EXPECT_EQ(excerpt("\xff"), "\xef\xbf\xbd");
}

TEST(PositionOf, CountsLinesAndBytesFromOne) {
  const std::string_view text = "ab\ncd\n";
  const auto at = [&](int64_t offset) {
    const TextPosition p = position_of(text, offset);
    return std::pair(p.line, p.column);
  };
  EXPECT_EQ(at(0), (std::pair<int64_t, int64_t>(1, 1)));
  EXPECT_EQ(at(2), (std::pair<int64_t, int64_t>(1, 3)));
  EXPECT_EQ(at(3), (std::pair<int64_t, int64_t>(2, 1)));
  EXPECT_EQ(at(6), (std::pair<int64_t, int64_t>(3, 1)));
}

}  // namespace
}  // namespace ingot::text_test
