// SPDX-License-Identifier: Apache-2.0
// Every character against Python's str.lower (scripts/golden/word_index_golden.py).
#include "text/lower.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "text/text_samples.h"
#include "text/unicode.h"

namespace ingot::text::lower_test {
namespace {

std::string lower(std::string_view text) {
  std::string out;
  append_lower(text, out);
  return out;
}

std::string utf8(uint32_t code_point) {
  std::string out;
  append_utf8(code_point, out);
  return out;
}

Json golden() { return parse_json(read_file(golden_path("lower.json")), "lower.json"); }

std::set<uint32_t> points(const Json& ranges) {
  std::set<uint32_t> all;
  for (size_t i = 0; i < ranges.size(); i += 2) {
    for (auto c = ranges[i].get<uint32_t>(); c <= ranges[i + 1].get<uint32_t>(); ++c) all.insert(c);
  }
  return all;
}

TEST(Lower, EveryCharacterAsPython) {
  const Json json = golden();
  std::map<uint32_t, std::string> changed;
  for (const Json& pair : json["changed"]) {
    changed[pair[0].get<uint32_t>()] = pair[1].get<std::string>();
  }
  ASSERT_GT(changed.size(), 1300U);
  for (const uint32_t c : points(json["assigned"])) {
    const auto at = changed.find(c);
    ASSERT_EQ(lower(utf8(c)), at == changed.end() ? utf8(c) : at->second) << "U+" << std::hex << c;
  }
}

TEST(Lower, FinalSigmaBesideEveryCharacterAsPython) {
  const Json json = golden();
  const std::string sigma = utf8(0x3A3);
  const std::string final_sigma = utf8(0x3C2);
  const auto is_final = [&](const std::string& text) {
    return lower(text).find(final_sigma) != std::string::npos;
  };
  const std::set<uint32_t> before = points(json["final_before"]);
  const std::set<uint32_t> before_letter = points(json["final_before_letter"]);
  const std::set<uint32_t> after = points(json["final_after"]);
  const std::set<uint32_t> after_letter = points(json["final_after_letter"]);
  for (const uint32_t c : points(json["assigned"])) {
    if (c == 0x3A3 || c == 0x3C2) continue;
    const std::string x = utf8(c);
    ASSERT_EQ(is_final("A" + sigma + x), before.contains(c)) << "U+" << std::hex << c;
    ASSERT_EQ(is_final("A" + sigma + x + "A"), before_letter.contains(c)) << "U+" << std::hex << c;
    ASSERT_EQ(is_final(x + sigma), after.contains(c)) << "U+" << std::hex << c;
    ASSERT_EQ(is_final("A" + x + sigma), after_letter.contains(c)) << "U+" << std::hex << c;
  }
}

TEST(Lower, AppendsAndKeepsInvalidBytes) {
  std::string out = "X";
  append_lower("A\xFF\xC3(\xE2\x82Z", out);
  EXPECT_EQ(out, "Xa\xFF\xC3(\xE2\x82z");
  EXPECT_EQ(lower(""), "");
  EXPECT_EQ(lower("A\xFF" + utf8(0x3A3)), "a\xFF" + utf8(0x3C3)) << "no letter right before";
}

}  // namespace
}  // namespace ingot::text::lower_test
