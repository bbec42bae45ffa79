// SPDX-License-Identifier: Apache-2.0
// Removes licence boilerplate from the head of a file: comment blocks before the first line of
// code that state a licence or a copyright. Comment syntax is recognised generically (// # -- ; %
// line comments, /* */ and <!-- --> blocks), so no table of languages is needed. Include guards,
// #pragma once, shebangs and XML declarations may stand before or between the blocks and stay, as
// do comment blocks that say something else. Not a licence detector for compliance: it only keeps
// thousands of equal lines out of a corpus. Called by clean.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::data {

struct StrippedText {
  std::string text;
  int64_t removed_bytes = 0;
  int64_t removed_blocks = 0;
};

/// O(text). Looks at the head of the text only, up to the first line of code.
[[nodiscard]] StrippedText strip_licence(std::string_view text);

/// True if a comment block states a licence: the SPDX tag, a copyright line, or the wording of a
/// common licence.
[[nodiscard]] bool states_licence(std::string_view block);

}  // namespace ingot::data
