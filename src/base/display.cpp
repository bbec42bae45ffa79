// SPDX-License-Identifier: Apache-2.0
#include "base/display.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace ingot {
namespace {

/// First and last character of the blocks that take two columns (Unicode, East Asian Width W and
/// F).
constexpr std::array<std::pair<uint32_t, uint32_t>, 15> kWide{{{0x1100, 0x115F},
                                                               {0x2E80, 0x303E},
                                                               {0x3041, 0xA4CF},
                                                               {0xAC00, 0xD7A3},
                                                               {0xF900, 0xFAFF},
                                                               {0xFE30, 0xFE6F},
                                                               {0xFF00, 0xFF60},
                                                               {0xFFE0, 0xFFE6},
                                                               {0x1F300, 0x1F64F},
                                                               {0x1F680, 0x1F6FF},
                                                               {0x1F7E0, 0x1F7EB},
                                                               {0x1F900, 0x1F9FF},
                                                               {0x1FA70, 0x1FAFF},
                                                               {0x20000, 0x2FFFD},
                                                               {0x30000, 0x3FFFD}}};

size_t width_of(uint32_t character) {
  const bool joins = (character >= 0x300 && character <= 0x36F) || character == 0x200B ||
                     character == 0x200D || (character >= 0xFE00 && character <= 0xFE0F);
  if (joins) return 0;
  const bool is_wide = std::any_of(kWide.begin(), kWide.end(), [&](const auto& block) {
    return character >= block.first && character <= block.second;
  });
  return is_wide ? 2 : 1;
}

}  // namespace

size_t display_width(std::string_view text) {
  const std::string clean = replace_invalid_utf8(text);
  size_t width = 0;
  for (size_t at = 0; at < clean.size();) {
    const auto lead = static_cast<unsigned char>(clean[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t character = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; ++i) {
      character = (character << 6U) | (static_cast<unsigned char>(clean[at + i]) & 0x3FU);
    }
    width += width_of(character);
    at += length;
  }
  return width;
}

std::string without_control(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
      out += fmt::format("\\x{:02x}", c);
    } else if (c == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 .. U+009F
      out += fmt::format("\\x{:02x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string mermaid_label(std::string_view text) {
  std::string out;
  for (const char c : excerpt(text)) {
    if (c == '"') {
      out += "#quot;";
    } else if (c == '<' || c == '>') {
      out += c == '<' ? "&lt;" : "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace ingot
