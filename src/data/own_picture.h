// SPDX-License-Identifier: Apache-2.0
// Pictures that the data verbs draw carry a mark, so that one of theirs may be drawn again and a
// photograph of the user's is never written over. The mark is a text chunk of PNG, "Software"
// "Ingot", directly behind the head. Called by table_files.h and the verb data.
#pragma once

#include <string>
#include <string_view>

namespace ingot::data {

/// `png`, a whole file, with the mark. The pixels stay as they are.
[[nodiscard]] std::string mark_own_picture(std::string_view png);

/// Throws kInvalidArgument when a file that has no mark is at `path`; the message names one that is
/// free: "mine-2.png".
void require_own_picture(const std::string& path);

}  // namespace ingot::data
