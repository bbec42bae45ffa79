// SPDX-License-Identifier: Apache-2.0
// Small text tools: numbers for people, "did you mean", UTF-8 checks, split and join. No locale:
// the decimal point is a point everywhere. Called from everywhere messages are made.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot {

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b);

/// The candidate closest to `word`, or "" when none is near (more than a third of the word wrong,
/// at least 1 and at most 4 edits). Case and '-' against '_' cost nothing. Of equals the one that
/// begins like the word wins, then the first.
/// Where none is near, the only candidate that contains the word (4 characters or more), or one
/// that it lengthens: "seq" for "seq_len".
[[nodiscard]] std::string nearest_name(std::string_view word,
                                       std::span<const std::string> candidates);

/// ` Did you mean "x"?`, or ` Known: a, b, c.` (at most 12) when no name is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates);
/// `. Did you mean "x"?`, or nothing when no name is near: behind a message that lists them all.
[[nodiscard]] std::string nearest_hint(std::string_view word,
                                       std::span<const std::string> candidates);

[[nodiscard]] std::string human_bytes(int64_t bytes);  ///< "512 B", "9.8 GiB"
[[nodiscard]] std::string human_count(double count);   ///< "950", "12.3k", "1.8M", "7.0B"
[[nodiscard]] std::string human_duration(
    double seconds);  ///< "0.35s", "42s", "3m07s", "2h05m", "3d04h"
[[nodiscard]] std::string with_thousands(int64_t number);  ///< "1,234,567"

[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);
/// Pieces between separators, empty ones included; "" gives one empty piece.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
/// Space, tab, line feed, vertical tab, form feed, carriage return.
[[nodiscard]] constexpr bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
/// Without spaces, tabs and line ends at both sides.
[[nodiscard]] std::string_view trim(std::string_view text);
/// ASCII letters only.
[[nodiscard]] std::string lower_ascii(std::string_view text);

/// Byte offset of the first byte that is not part of well-formed UTF-8 (Unicode table 3-7: no
/// surrogates, no overlong forms, at most U+10FFFF), or -1.
[[nodiscard]] int64_t first_invalid_utf8(std::string_view text);
[[nodiscard]] bool is_valid_utf8(std::string_view text);
/// Every maximal ill-formed part becomes U+FFFD.
[[nodiscard]] std::string replace_invalid_utf8(std::string_view text);

/// At most `max_bytes` bytes for a message, cut between characters, "..." in place of the rest;
/// invalid UTF-8 and control characters become visible.
[[nodiscard]] std::string excerpt(std::string_view text, int64_t max_bytes = 60);

struct TextPosition {
  int64_t line = 1;
  int64_t column = 1;  ///< in bytes
};
/// Line and column, from 1, of a byte offset.
[[nodiscard]] TextPosition position_of(std::string_view text, int64_t offset);

}  // namespace ingot
