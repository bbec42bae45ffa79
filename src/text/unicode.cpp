// SPDX-License-Identifier: Apache-2.0
// UTF-8 by table 3-7 of the Unicode standard: the second byte's range depends on the first, all
// later ones are 80..BF, which excludes overlong forms, surrogates and values above U+10FFFF at
// once.
#include "text/unicode.h"

#include <algorithm>

#include <utf8proc.h>

#include "text/unicode_table.h"

namespace ingot::text {
namespace {

struct Lead {
  int32_t size_bytes;  // 0: no sequence starts with this byte
  uint8_t second_low;
  uint8_t second_high;
};

Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

uint8_t byte_at(std::string_view text, int64_t pos) {
  return static_cast<uint8_t>(text[static_cast<size_t>(pos)]);
}

}  // namespace

Utf8Prefix inspect_utf8(std::string_view text) {
  using Kind = Utf8Prefix::Kind;
  const Lead lead = lead_of(byte_at(text, 0));
  if (lead.size_bytes == 0) return {Kind::kInvalid, 1};
  const auto size = static_cast<int32_t>(std::min<size_t>(text.size(), 4));
  for (int32_t i = 1; i < lead.size_bytes; ++i) {
    if (i == size) return {Kind::kIncomplete, i};
    const uint8_t low = i == 1 ? lead.second_low : 0x80;
    const uint8_t high = i == 1 ? lead.second_high : 0xBF;
    if (byte_at(text, i) < low || byte_at(text, i) > high) return {Kind::kInvalid, i};
  }
  return {Kind::kComplete, lead.size_bytes};
}

CodePoint decode_utf8(std::string_view text, int64_t pos) {
  const uint8_t first = byte_at(text, pos);
  if (first < 0x80) return {first, 1, true};
  const Utf8Prefix prefix = inspect_utf8(text.substr(static_cast<size_t>(pos), 4));
  if (prefix.kind != Utf8Prefix::Kind::kComplete) return {first, 1, false};
  uint32_t value = first & (0xFFU >> (prefix.size_bytes + 1));
  for (int32_t i = 1; i < prefix.size_bytes; ++i) {
    value = (value << 6) | (byte_at(text, pos + i) & 0x3FU);
  }
  return {value, prefix.size_bytes, true};
}

int64_t previous_code_point(std::string_view text, int64_t pos) {
  for (int64_t back = 1; back <= std::min<int64_t>(4, pos); ++back) {
    const CodePoint point = decode_utf8(text, pos - back);
    if (point.valid && point.size_bytes == back) return pos - back;
  }
  return pos - 1;
}

CharClass char_class(uint32_t code_point) {
  const uint32_t block = code_point >> 8;
  if (block >= kClassBlock.size()) return CharClass::kOther;
  const uint64_t bits = kClassBits[kClassBlock[block] * 8U + ((code_point >> 5) & 7U)];
  return static_cast<CharClass>((bits >> (2 * (code_point & 31U))) & 3U);
}

bool is_word_char(uint32_t code_point) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  const bool mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
                    category == UTF8PROC_CATEGORY_ME;
  const bool digit = category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL;
  return char_class(code_point) == CharClass::kLetter || mark || digit ||
         category == UTF8PROC_CATEGORY_PC;
}

void append_utf8(uint32_t code_point, std::string& out) {
  const auto continuation = [&](int shift) {
    out.push_back(static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU)));
  };
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (code_point >> 6)));
    continuation(0);
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | (code_point >> 12)));
    continuation(6);
    continuation(0);
  } else {
    out.push_back(static_cast<char>(0xF0U | (code_point >> 18)));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

}  // namespace ingot::text
