// SPDX-License-Identifier: Apache-2.0
// Replaces e-mail addresses by a placeholder in time linear in the text: from each '@' it looks
// left over the local part and right over the domain, and neither walk passes another '@'.
// It finds plain ASCII addresses (RFC 5321 dot-atoms with a dotted domain whose last label has
// letters); it does not find "name at host dot org" or quoted local parts. Called by clean.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::data {

inline constexpr std::string_view kEmailPlaceholder = "<email>";

struct MaskedText {
  std::string text;
  int64_t addresses = 0;
};

/// mask_emails("write to a.b@c.org.") == {"write to <email>.", 1}. Applying it twice changes
/// nothing. O(text).
[[nodiscard]] MaskedText mask_emails(std::string_view text);

}  // namespace ingot::data
