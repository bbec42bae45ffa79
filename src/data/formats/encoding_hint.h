// SPDX-License-Identifier: Apache-2.0
// What a text that is not UTF-8 may be, for messages. Latin-1 takes any bytes, so proposing it for
// every file would turn Chinese text into a heap of accents without a word. Guesses from the bytes
// of one record; decides nothing. Called by the readers of CSV and JSON lines.
#pragma once

#include <string>
#include <string_view>

namespace ingot::data {

/// The end of a message about `text`, a record that is not UTF-8: the command or key that reads it.
/// `prefix` stands before the reader's keys.
///   a mark of UTF-16 or UTF-32               iconv -f UTF-16, UTF-32
///   characters of two bytes and no others    iconv -f GB18030, for Chinese; where they may as well
///                                            be letters of an alphabet, that of Cyrillic, too
///   anything else                            encoding=latin-1, and that it takes any bytes
[[nodiscard]] std::string encoding_hint(std::string_view text, std::string_view prefix);

/// "UTF-16" or "UTF-32" where `head`, the first bytes of a file, begins with its mark; else "".
[[nodiscard]] std::string_view marked_encoding(std::string_view head);

/// Which of UTF-16LE, UTF-16BE, UTF-32LE and UTF-32BE the first bytes of a file, which hold NUL
/// bytes and no mark, are likeliest in, by where those stand. As iconv calls it.
[[nodiscard]] std::string_view unmarked_encoding(std::string_view head);

}  // namespace ingot::data
