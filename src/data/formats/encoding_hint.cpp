// SPDX-License-Identifier: Apache-2.0
#include "data/formats/encoding_hint.h"

#include <cstddef>
#include <cstdint>

#include <fmt/core.h>

namespace ingot::data {
namespace {

constexpr int64_t kFewestPairs = 2;  // one pair may be two accents side by side

/// Whether all that is not ASCII falls into pairs of GB18030, most of them characters of everyday
/// use (GB 2312: both bytes from 0xa1 on). Korean in EUC-KR looks the same; letters with accents
/// stand alone among ASCII and do not.
bool has_two_byte_characters(std::string_view text) {
  int64_t pairs = 0, common = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) continue;
    if (lead == 0x80 || lead == 0xFF || ++i == text.size()) return false;
    const auto trail = static_cast<unsigned char>(text[i]);
    if (trail < 0x40 || trail == 0x7F || trail == 0xFF) return false;
    ++pairs;
    common += lead >= 0xA1 && trail >= 0xA1 ? 1 : 0;
  }
  return pairs >= kFewestPairs && 4 * common >= 3 * pairs;
}

}  // namespace

std::string encoding_hint(std::string_view text, std::string_view prefix) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8";
  }
  if (has_two_byte_characters(text)) {
    return "its characters look like two bytes each; if it is Chinese, iconv -f GB18030 -t UTF-8 "
           "converts it";
  }
  return fmt::format("{}encoding=latin-1 reads it, if that is what the file is", prefix);
}

}  // namespace ingot::data
