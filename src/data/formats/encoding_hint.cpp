// SPDX-License-Identifier: Apache-2.0
#include "data/formats/encoding_hint.h"

#include <cstddef>
#include <cstdint>

#include <fmt/core.h>

namespace ingot::data {
namespace {

constexpr int64_t kFewestPairs = 2;  // one pair may be two accents side by side

/// How all that is not ASCII falls into pairs of GB18030. Korean in EUC-KR does as well; letters
/// with accents stand alone among ASCII and do not.
struct Pairs {
  int64_t all = 0;  ///< 0 where it does not
  /// Characters of everyday use: signs, and the first of the two levels of GB 2312, with leads up
  /// to 0xd7. Small Cyrillic letters of Windows-1251 lie above.
  int64_t common = 0;
  /// With a byte below 0xc0, from where on alphabets of one byte have their letters: in Chinese
  /// more than half, in KOI8-R none.
  int64_t low = 0;
};

Pairs pairs_of(std::string_view text) {
  Pairs pairs;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) continue;
    if (lead == 0x80 || lead == 0xFF || ++i == text.size()) return {};
    const auto trail = static_cast<unsigned char>(text[i]);
    if (trail < 0x40 || trail == 0x7F || trail == 0xFF) return {};
    ++pairs.all;
    pairs.common += lead >= 0xA1 && lead <= 0xD7 && trail >= 0xA1 ? 1 : 0;
    pairs.low += lead < 0xC0 || trail < 0xC0 ? 1 : 0;
  }
  return pairs;
}

}  // namespace

std::string_view marked_encoding(std::string_view head) {
  using namespace std::string_view_literals;
  // The mark of UTF-16 begins that of UTF-32.
  if (head.starts_with("\xFF\xFE\0\0"sv) || head.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv)) return "UTF-16";
  return {};
}

std::string_view unmarked_encoding(std::string_view head) {
  size_t even = 0, odd = 0;
  for (size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\0') ++(i % 2 == 0 ? even : odd);
  }
  // A letter of ASCII is one byte of two that is not 0, or of four.
  if (2 * (even + odd) > head.size()) return head.front() == '\0' ? "UTF-32BE" : "UTF-32LE";
  return even > odd ? "UTF-16BE" : "UTF-16LE";
}

std::string encoding_hint(std::string_view text, std::string_view prefix) {
  if (const std::string_view wide = marked_encoding(text); !wide.empty()) {
    return fmt::format("it is {0}; convert it with iconv -f {0} -t UTF-8", wide);
  }
  const Pairs pairs = pairs_of(text);
  if (pairs.all >= kFewestPairs && 4 * pairs.common >= 3 * pairs.all) {
    return pairs.low > 0
               ? "its characters look like two bytes each; if it is Chinese, iconv -f GB18030 -t "
                 "UTF-8 converts it"
               : "it may be Chinese, which iconv -f GB18030 -t UTF-8 converts, or Cyrillic: iconv "
                 "-f KOI8-R or -f WINDOWS-1251";
  }
  return fmt::format(
      "{}encoding=latin-1 reads it, if that is what the file is; it takes any bytes: where letters "
      "are wrong then, iconv -f ENCODING -t UTF-8 converts the file",
      prefix);
}

}  // namespace ingot::data
