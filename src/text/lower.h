// SPDX-License-Identifier: Apache-2.0
// Lower case as Python's str.lower: the full mapping of the Unicode standard (section 3.13), so
// U+0130 becomes two characters and a capital sigma at the end of a word the final one (condition
// Final_Sigma of SpecialCasing.txt). No locale: a Turkish I is an i. Called by word_index.cpp.
#pragma once

#include <string>
#include <string_view>

namespace ingot::text {

/// Appends the lower case of UTF-8 text to `out`; bytes that are not UTF-8 stay as they are.
void append_lower(std::string_view text, std::string& out);

}  // namespace ingot::text
