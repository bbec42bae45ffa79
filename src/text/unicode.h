// SPDX-License-Identifier: Apache-2.0
// UTF-8 and the few Unicode properties the tokenizers ask for, on bytes that may be invalid.
// Well-formed sequences follow table 3-7 of the Unicode standard; a byte that starts none of them
// is a symbol of its own, so every byte string has exactly one reading and round-trips.
// Categories come from utf8proc, \s is the White_Space property. Not a normaliser.
// Called by the pre-tokenizer, the added-token matcher and the stream decoder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::text {

/// The four classes of the GPT-2 pre-tokenizer: \p{L}, \p{N}, \s, everything else.
enum class CharClass : uint8_t { kOther, kLetter, kNumber, kSpace };

struct CodePoint {
  uint32_t value = 0;      ///< the code point, or the byte itself where invalid
  int32_t size_bytes = 1;  ///< bytes it takes, 1 where invalid
  bool valid = false;
};

/// Reads the code point at text[pos]; pos < text.size().
[[nodiscard]] CodePoint decode_utf8(std::string_view text, int64_t pos);

/// Start of the code point that ends right before text[pos]; pos > 0.
[[nodiscard]] int64_t previous_code_point(std::string_view text, int64_t pos);

/// What stands at text[0..]: a whole code point, the beginning of one, or an invalid subpart.
struct Utf8Prefix {
  enum class Kind : uint8_t { kComplete, kIncomplete, kInvalid };
  Kind kind = Kind::kInvalid;
  int32_t size_bytes = 1;  ///< bytes of the code point, the bytes at hand, or the maximal subpart
};
/// `text` must not be empty. The maximal subpart is what one U+FFFD replaces (Unicode 3.9, U+FFFD
/// substitution of maximal subparts; the same as Python's errors="replace").
[[nodiscard]] Utf8Prefix inspect_utf8(std::string_view text);

/// Class of a valid code point.
[[nodiscard]] CharClass char_class(uint32_t code_point);
/// \w: letters, marks, decimal digits, letter numbers and connector punctuation.
[[nodiscard]] bool is_word_char(uint32_t code_point);

/// Appends the UTF-8 form of a code point below 0x110000 that is no surrogate.
void append_utf8(uint32_t code_point, std::string& out);

}  // namespace ingot::text
