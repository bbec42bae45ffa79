// SPDX-License-Identifier: Apache-2.0
#include "base/config_scalar.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/message_of.h"
#include "base/yaml.h"

namespace ingot::config_scalar_test {
namespace {

template <class T>
std::string store(T& value, std::string_view text) {
  return store_scalar(OpsOf<T>::kOps, &value, text, false);
}
template <class T>
std::string format(const T& value) {
  return format_scalar(OpsOf<T>::kOps, &value);
}

double seconds_of(std::string_view text) {
  Duration value{-1};
  return store(value, text).empty() ? value.seconds : -1;
}

int64_t size_of(std::string_view text) {
  Size value{-1};
  return store(value, text).empty() ? value.bytes : -1;
}

TEST(ConfigScalar, ReadsWholeNumbers) {
  const auto read = [](std::string_view text) {
    int64_t value = -77;
    return store(value, text).empty() ? value : -77;
  };
  EXPECT_EQ(read("0"), 0);
  EXPECT_EQ(read("+5"), 5);
  EXPECT_EQ(read("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(read("1_000_000"), 1'000'000);
  EXPECT_EQ(read("2e6"), 2'000'000);
  EXPECT_EQ(read("3.0"), 3);
  for (const char* text : {"", " ", "x", "1x", "_1", "1_", "0x10", "1e400", "1.5", "inf", "--1",
                           "+-1", "9223372036854775808", "1e17", ".nan"}) {
    EXPECT_EQ(read(text), -77) << text;
  }
}

TEST(ConfigScalar, ReadsNumbers) {
  const auto read = [](std::string_view text) {
    double value = -77;
    return store(value, text).empty() ? value : -77;
  };
  EXPECT_EQ(read("1e-3"), 1e-3);
  EXPECT_EQ(read("-.5"), -0.5);
  EXPECT_EQ(read("+2."), 2.0);
  EXPECT_EQ(read("-.inf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(read(".nan")));
  for (const char* text : {"", "e", "1e", "nan", "infinity", "0x1p3", "1,5", "1 2", "--1", "+-1"}) {
    EXPECT_EQ(read(text), -77) << text;
  }
}

TEST(ConfigScalar, FloatsComeBackAsTheSameBits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    const auto wide = std::bit_cast<double>(random());
    if (!std::isfinite(value) || !std::isfinite(wide)) continue;
    float back = 0;
    double wide_back = 0;
    ASSERT_EQ(store(back, format(value)), "") << format(value);
    ASSERT_EQ(std::bit_cast<uint32_t>(back), std::bit_cast<uint32_t>(value));
    ASSERT_EQ(store(wide_back, format(wide)), "") << format(wide);
    ASSERT_EQ(std::bit_cast<uint64_t>(wide_back), std::bit_cast<uint64_t>(wide));
  }
  EXPECT_EQ(format(3e-4F), "0.0003");
  EXPECT_EQ(format(std::numeric_limits<float>::infinity()), ".inf");
}

TEST(ConfigScalar, ReadsSizes) {
  EXPECT_EQ(size_of("0"), 0);
  EXPECT_EQ(size_of("123"), 123);
  EXPECT_EQ(size_of("512MiB"), int64_t{512} << 20);
  EXPECT_EQ(size_of("8 GB"), 8'000'000'000);
  EXPECT_EQ(size_of("1.5gib"), int64_t{3} << 29);
  EXPECT_EQ(size_of("10B"), 10);
  EXPECT_EQ(size_of("2TiB"), int64_t{2} << 40);
  for (const char* text : {"", "-1", "8G", "MiB", "1MiB2", "1 2", "99999999999TiB", "1..5GB"}) {
    EXPECT_EQ(size_of(text), -1) << text;
  }
}

TEST(ConfigScalar, WritesSizesThatReadBack) {
  EXPECT_EQ(format(Size{int64_t{512} << 20}), "512MiB");
  EXPECT_EQ(format(Size{8'000'000'000}), "8GB");
  EXPECT_EQ(format(Size{1536}), "1536");
  EXPECT_EQ(format(Size{0}), "0");
  std::mt19937_64 random(2);
  for (int i = 0; i < 5'000; ++i) {
    const auto bytes = static_cast<int64_t>(random() >> (1 + random() % 60));
    for (const int64_t value : {bytes, bytes >> 20 << 20, bytes / 1000 * 1000}) {
      ASSERT_EQ(size_of(format(Size{value})), value) << format(Size{value});
    }
  }
}

TEST(ConfigScalar, ReadsTimes) {
  EXPECT_EQ(seconds_of("0"), 0);
  EXPECT_EQ(seconds_of("1.5"), 1.5);
  EXPECT_EQ(seconds_of("90s"), 90);
  EXPECT_EQ(seconds_of("5m"), 300);
  EXPECT_EQ(seconds_of("5 min"), 300);
  EXPECT_EQ(seconds_of("250ms"), 0.25);
  EXPECT_EQ(seconds_of("1h30m"), 5400);
  EXPECT_EQ(seconds_of("2d"), 172800);
  for (const char* text : {"", "-5", "5 weeks", "m", "5m3", "1..5s"}) {
    EXPECT_EQ(seconds_of(text), -1) << text;
  }
}

TEST(ConfigScalar, WritesTimesThatReadBack) {
  EXPECT_EQ(format(Duration{300}), "5m");
  EXPECT_EQ(format(Duration{90}), "90s");
  EXPECT_EQ(format(Duration{7200}), "2h");
  EXPECT_EQ(format(Duration{0.25}), "250ms");
  EXPECT_EQ(format(Duration{0}), "0s");
  EXPECT_EQ(format(Duration{1.5}), "1.5s");
  std::mt19937_64 random(3);
  for (int i = 0; i < 5'000; ++i) {
    const double scale = std::pow(10.0, static_cast<double>(random() % 30) - 15);
    const double seconds = static_cast<double>(random() % 1'000'000) * scale;
    ASSERT_EQ(seconds_of(format(Duration{seconds})), seconds) << format(Duration{seconds});
  }
}

TEST(ConfigScalar, QuotesTextOnlyWhereYamlNeedsIt) {
  EXPECT_EQ(yaml_text("data/news.txt"), "data/news.txt");
  EXPECT_EQ(yaml_text("/a/b-c_d"), "/a/b-c_d");
  for (const char* text : {"", "3", "1e5", "true", "Null", "no", "a b", "a: b", "-x", ".inf", "~",
                           "a#b", "*x", "&x", "[a", "!x", "y"}) {
    EXPECT_EQ(yaml_text(text).front(), '"') << text;
  }
  EXPECT_EQ(yaml_text("a\"b\\c\nd\te\x01"), "\"a\\\"b\\\\c\\nd\\te\\x01\"");
}

// Encodes one code point; independent of the program's own UTF-8 code.
std::string utf8(uint32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 63)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

TEST(ConfigScalar, AnyTextSurvivesTheYamlParser) {
  std::mt19937_64 random(4);
  const std::vector<uint32_t> traps{
      0x0,  0x1,    '\n',   '\r',   '\t', ' ',    '#',     ':', '"', '\'', '\\', '-', 0x7F, 0x85,
      0xA0, 0x2028, 0x2029, 0xFEFF, '%',  0xFFFD, 0x1F600, '{', ']', ',',  '&',  '*', '!',  '|'};
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    for (uint64_t n = random() % 8; n > 0; --n) {
      const auto wild = static_cast<uint32_t>(random() % 0xD800);
      text += utf8(random() % 2 == 0 ? traps[random() % traps.size()] : wild);
    }
    const YamlNode root = parse_yaml("a: " + yaml_text(text) + "\n", "t");
    ASSERT_EQ(root.find("a")->scalar, text) << yaml_text(text);
    const YamlNode flow = parse_yaml("[" + yaml_text(text) + ", x]", "t");
    ASSERT_EQ(flow.items.at(0).scalar, text) << yaml_text(text);
  }
}

TEST(ConfigScalar, NamesTypes) {
  EXPECT_EQ(type_text(OpsOf<bool>::kOps), "bool");
  EXPECT_EQ(type_text(OpsOf<uint64_t>::kOps), "int >= 0");
  EXPECT_EQ(type_text(OpsOf<std::vector<std::vector<int32_t>>>::kOps), "list of list of int");
  EXPECT_EQ(type_text(OpsOf<std::optional<double>>::kOps), "float or null");
  EXPECT_EQ(type_text(OpsOf<Duration>::kOps), "time");
}

TEST(ConfigScalar, JsonHasPlainUnits) {
  const Size bytes{int64_t{1} << 20};
  const Duration time{300};
  const double endless = std::numeric_limits<double>::infinity();
  EXPECT_EQ(format_scalar_json(OpsOf<Size>::kOps, &bytes), "1048576");
  EXPECT_EQ(format_scalar_json(OpsOf<Duration>::kOps, &time), "300");
  EXPECT_EQ(format_scalar_json(OpsOf<double>::kOps, &endless), "null");
}

}  // namespace
}  // namespace ingot::config_scalar_test
