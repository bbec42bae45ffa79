// SPDX-License-Identifier: Apache-2.0
// ISO 8859-1 to UTF-8: bytes 0x80 to 0xff are the code points of the same number. Not Windows-1252,
// which differs in 0x80 to 0x9f. Called by the table readers.
#pragma once

#include <string>
#include <string_view>

namespace ingot::data {

/// Appends the UTF-8 of `text` to `out`: at most two bytes for each of its bytes.
inline void append_latin1(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
}

}  // namespace ingot::data
