// SPDX-License-Identifier: Apache-2.0
// Text on its way to a reader's eye: how wide it is, what a terminal must not take as a command,
// how it stands in a diagram. Names of columns and classes come from anybody's file. Called by the
// command line, the report and the networks' diagrams.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ingot {

/// Columns of a terminal, or mean characters of a drawing: 1 for a character, 2 for a wide one
/// (Chinese, Japanese, Korean, most pictures), 0 for a mark that joins the one before. Bytes that
/// are not UTF-8 count as one each.
[[nodiscard]] size_t display_width(std::string_view text);

/// Control characters but line end and tab become visible ("\x1b"): a terminal does not obey a
/// file's content. Everything else stays as it is.
[[nodiscard]] std::string without_control(std::string_view text);

/// Text inside a quoted label of Mermaid, at most 60 bytes on one line.
[[nodiscard]] std::string mermaid_label(std::string_view text);

}  // namespace ingot
