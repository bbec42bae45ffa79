// SPDX-License-Identifier: Apache-2.0
// Bytes as text: base64 of RFC 4648, section 4, padded, without line breaks. Used for corpus lines
// that are not UTF-8 and for the bytes in JSON requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ingot {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing when the text has another character, or a length that is no multiple of 4.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace ingot
