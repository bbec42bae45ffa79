// SPDX-License-Identifier: Apache-2.0
// Simple mappings come from utf8proc; the two that are not simple are written here. Python asks for
// the properties Cased and Case_Ignorable only around a sigma, and Case_Ignorable first, so Cased
// is needed for characters that are not Case_Ignorable: the categories Lu, Ll, Lt and the few
// letters and symbols of Other_Lowercase and Other_Uppercase (PropList.txt) below.
#include "text/lower.h"

#include <algorithm>
#include <array>

#include <utf8proc.h>

#include "text/unicode.h"

namespace ingot::text {
namespace {

constexpr uint32_t kCapitalSigma = 0x3A3;
constexpr uint32_t kSmallSigma = 0x3C3;
constexpr uint32_t kFinalSigma = 0x3C2;
constexpr uint32_t kDottedCapitalI = 0x130;
constexpr uint32_t kCombiningDotAbove = 0x307;

/// Word_Break = MidLetter, MidNumLet or Single_Quote (WordBreakProperty.txt).
constexpr std::array<uint32_t, 16> kWordMiddle{0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                               0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                               0xFE52, 0xFE55, 0xFF07, 0xFF0E};
constexpr uint32_t kFullwidthColon = 0xFF1A;  // MidLetter, too

bool is_case_ignorable(uint32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return c == kFullwidthColon || std::binary_search(kWordMiddle.begin(), kWordMiddle.end(), c);
  }
}

bool is_cased(uint32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      break;
  }
  const auto within = [c](uint32_t low, uint32_t high) { return low <= c && c <= high; };
  return c == 0xAA || c == 0xBA || within(0x2160, 0x217F) || within(0x24B6, 0x24E9) ||
         within(0x1F130, 0x1F149) || within(0x1F150, 0x1F169) || within(0x1F170, 0x1F189);
}

/// Appends the leading ASCII characters and returns how many they are.
int64_t append_lower_ascii(std::string_view text, std::string& out) {
  const auto* const end = std::find_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  const size_t begin = out.size();
  out.append(text.begin(), end);
  for (size_t i = begin; i < out.size(); ++i) {
    const char c = out[i];
    out[i] = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0));
  }
  return static_cast<int64_t>(out.size() - begin);
}

/// The condition Final_Sigma for the sigma at [begin, end): a cased letter before it and none
/// after it, both across characters that case ignores.
bool is_final_sigma(std::string_view text, int64_t begin, int64_t end) {
  bool cased_before = false;
  while (begin > 0) {
    begin = previous_code_point(text, begin);
    const CodePoint c = decode_utf8(text, begin);
    if (c.valid && is_case_ignorable(c.value)) continue;
    cased_before = c.valid && is_cased(c.value);
    break;
  }
  if (!cased_before) return false;
  const auto size = static_cast<int64_t>(text.size());
  while (end < size) {
    const CodePoint c = decode_utf8(text, end);
    if (!c.valid || !is_case_ignorable(c.value)) return !c.valid || !is_cased(c.value);
    end += c.size_bytes;
  }
  return true;
}

}  // namespace

void append_lower(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size());
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t at = 0; at < size;) {
    at += append_lower_ascii(text.substr(static_cast<size_t>(at)), out);
    if (at == size) break;
    const CodePoint c = decode_utf8(text, at);
    if (!c.valid) {
      out.append(text, static_cast<size_t>(at), static_cast<size_t>(c.size_bytes));
    } else if (c.value == kCapitalSigma) {
      append_utf8(is_final_sigma(text, at, at + c.size_bytes) ? kFinalSigma : kSmallSigma, out);
    } else if (c.value == kDottedCapitalI) {
      append_utf8('i', out);
      append_utf8(kCombiningDotAbove, out);
    } else {
      append_utf8(static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.value))),
                  out);
    }
    at += c.size_bytes;
  }
}

}  // namespace ingot::text
